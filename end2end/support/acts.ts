// What people do, step by step.

import { expect, type Page, type Response } from "@playwright/test";
import type { Letter, Site } from "./server.mjs";
import { type Person, somebody } from "./people.ts";

/** Presses a button that sends a form; gives the form's answer. */
export async function press(page: Page, name: string): Promise<Response> {
  const button = page.getByRole("main").getByRole("button", { name, exact: true });
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST", { timeout: 5000 }),
    button.click(),
  ]);
  await page.waitForLoadState();
  return answer;
}

export const heading = (page: Page) => page.getByRole("heading", { level: 1 });

export const nameOf = (person: Person) => `${person.firstName} ${person.lastName}`;

export async function fillSignUp(page: Page, person: Person) {
  await page.getByLabel("Email address", { exact: true }).fill(person.email);
  await page.getByLabel("Create a password", { exact: true }).fill(person.password);
  await page.getByLabel("First name", { exact: true }).fill(person.firstName);
  await page.getByLabel("Last name", { exact: true }).fill(person.lastName);
}

/** Ends on "Check your email". */
export async function signUp(page: Page, person: Person) {
  await page.goto("/register");
  await fillSignUp(page, person);
  expect((await press(page, "Create account")).status()).toBe(303);
  await expect(heading(page)).toHaveText("Check your email");
}

/** The newest letter, once there are this many. */
export async function letterTo(site: Site, person: Person, count = 1): Promise<Letter> {
  let letters: Letter[] = [];
  const look = async () => {
    letters = await site.letters(person.email);
    return letters.length;
  };
  await expect.poll(look, { message: `${count} letters to ${person.email}`, intervals: [20, 50, 100] }).toBe(count);
  return letters[0];
}

export async function codeTo(site: Site, person: Person, count = 1): Promise<string> {
  const { code } = await letterTo(site, person, count);
  expect(code).toMatch(/^\d{6}$/);
  return code ?? "";
}

export async function linkTo(site: Site, person: Person, count = 1): Promise<string> {
  const { link } = await letterTo(site, person, count);
  expect(link).toContain(`${site.url}/verify-email?token=`);
  return link ?? "";
}

export const codeField = (page: Page) => page.getByLabel("Enter the 6-digit code", { exact: true });

export async function enterCode(page: Page, code: string): Promise<Response> {
  await codeField(page).fill(code);
  return press(page, "Confirm email address");
}

/** Some other code. */
export const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

/** Ends on the account page, signed in. */
export async function join(page: Page, site: Site, person: Person) {
  await signUp(page, person);
  await enterCode(page, await codeTo(site, person));
  await expectAccount(page, person);
}

const API = "/api/v1/auth";

/** Signs in without a page, for what is not about signing in. */
export async function beSignedIn(page: Page, site: Site, person: Person) {
  const data = { email: person.email, password: person.password };
  expect((await page.context().request.post(`${site.url}${API}/login/`, { data })).status()).toBe(200);
}

/** Somebody with an account, made without a browser and signed in nowhere. The letter of the sign-up is the first that they have. */
export async function haveAccount(site: Site, person = somebody()): Promise<Person> {
  const tell = async (what: string, body: Record<string, string>) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${site.url}${API}/${what}/`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.ok, `${what}: ${answer.status}`).toBe(true);
    return answer.json();
  };
  const { email, password } = person;
  const names = { first_name: person.firstName, last_name: person.lastName };
  await tell("register", { email, password, password_confirm: password, ...names });
  const { tokens } = await tell("verify-email", { email, password, code: await codeTo(site, person) });
  await tell("logout", { refresh: tokens.refresh });
  return person;
}

/** The same, signed in here. */
export async function haveSignedIn(page: Page, site: Site): Promise<Person> {
  const person = await haveAccount(site);
  await beSignedIn(page, site, person);
  return person;
}

export async function fillSignIn(page: Page, email: string, password: string) {
  await page.getByLabel("Email address", { exact: true }).fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
}

export async function signIn(page: Page, person: Person, password = person.password): Promise<Response> {
  await page.goto("/login");
  await fillSignIn(page, person.email, password);
  return press(page, "Sign in");
}

export async function signOut(page: Page) {
  await press(page, "Sign out");
  await expect(heading(page)).toHaveText("Sign in");
}

export async function expectAccount(page: Page, person: Person) {
  await expect(page).toHaveURL("/account");
  await expect(heading(page)).toHaveText(nameOf(person));
  await expect(page.getByRole("main")).toContainText(person.email);
}

/** Signed in, to an account that has the address of a person and nothing else that was typed at a sign-up with it. */
export async function expectAccountOfAddress(page: Page, person: Person) {
  await expect(page).toHaveURL("/account");
  await expect(heading(page)).toHaveText(person.email);
  await expect(page.getByRole("main")).not.toContainText(nameOf(person));
}

/** Signed out from elsewhere while looking at the account: at sign-in, at the next request. */
export async function expectSentOut(page: Page) {
  await page.reload();
  await expect(page).toHaveURL("/login?next=%2Faccount");
}

/** Signed out: the account asks to sign in. */
export async function expectNobody(page: Page) {
  await page.goto("/account");
  await expect(page).toHaveURL("/login?next=%2Faccount");
}

/** Ends on "Check your email", for a new password. */
export async function askReset(page: Page, email: string) {
  await page.goto("/password/reset");
  await page.getByLabel("Email address", { exact: true }).fill(email);
  expect((await press(page, "Send the code")).status()).toBe(303);
  await expect(page).toHaveURL("/password/reset/confirm");
  await expect(heading(page)).toHaveText("Check your email");
}

/** The newest letter about a new password: the second one that a person with an account gets. */
export async function resetLetterTo(site: Site, person: Person, count = 2): Promise<Letter> {
  const letter = await letterTo(site, person, count);
  expect(letter.subject).toBe(`${letter.code} is your Vestibule password reset code`);
  return letter;
}

export async function resetCodeTo(site: Site, person: Person, count = 2): Promise<string> {
  const { code } = await resetLetterTo(site, person, count);
  expect(code).toMatch(/^\d{6}$/);
  return code ?? "";
}

export async function resetLinkTo(site: Site, person: Person, count = 2): Promise<string> {
  const { link } = await resetLetterTo(site, person, count);
  expect(link).toContain(`${site.url}/password/reset/confirm?token=`);
  return link ?? "";
}

export const fillNewPassword = (page: Page, password: string) => page.getByLabel("New password", { exact: true }).fill(password);

export async function enterResetCode(page: Page, code: string, password: string): Promise<Response> {
  await codeField(page).fill(code);
  await fillNewPassword(page, password);
  return press(page, "Change password");
}

export async function changePassword(page: Page, current: string, fresh: string): Promise<Response> {
  await page.getByLabel("Current password", { exact: true }).fill(current);
  await fillNewPassword(page, fresh);
  return press(page, "Change password");
}

/** Looks at the link until its time is over. */
export async function expectExpired(page: Page, link: string) {
  await expect(async () => {
    await page.goto(link);
    await expect(heading(page)).toHaveText("This link has expired", { timeout: 50 });
  }).toPass({ intervals: [100] });
}

/** By the Tab key, over not more than a few stops. */
export async function tabTo(page: Page, id: string, stops = 3) {
  const field = page.locator(`[id="${id}"]`);
  for (let stop = 0; stop < stops && !(await field.evaluate((element) => element === document.activeElement)); stop++) {
    await page.keyboard.press("Tab");
  }
  await expect(field).toBeFocused();
}
