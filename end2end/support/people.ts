// People who sign up. Each test makes its own, so that no test meets what another has left.

import { randomUUID } from "node:crypto";

export const PASSWORD = "seven purple otters dance";
export const OTHER_PASSWORD = "a quiet harbour at noon";
export const WRONG_PASSWORD = "not the one that I chose";
export const SECRETS = [PASSWORD, OTHER_PASSWORD, WRONG_PASSWORD];

/** What another browser calls itself, as far as the names of devices go. */
export const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0";

export interface Person {
  email: string;
  firstName: string;
  lastName: string;
  password: string;
}

export function somebody(): Person {
  const email = `margaret.${randomUUID().slice(0, 8)}@example.com`;
  // Names as people have them: an accent, an apostrophe, a letter outside ASCII.
  return { email, firstName: "Zoë", lastName: "O’Brien-Łęcka", password: PASSWORD };
}
