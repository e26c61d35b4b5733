// From the front page to the account, the ways a person may go.

import type { Page } from "@playwright/test";
import {
  codeField,
  codeTo,
  enterCode,
  expectAccount,
  expectAccountOfAddress,
  expectNobody,
  fillSignIn,
  fillSignUp,
  heading,
  letterTo,
  linkTo,
  nameOf,
  press,
  signIn,
  signOut,
  signUp,
} from "../support/acts.ts";
import { expectFaults } from "../support/faults.ts";
import { OTHER_PASSWORD, somebody, WRONG_PASSWORD } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

// Here with all that moves: most people see it so.
test.use({ contextOptions: { reducedMotion: "no-preference" } });

/** The fields of the page's form that a person has to fill. */
async function required(page: Page): Promise<number> {
  const fields = page.getByRole("main").locator("form .field").filter({ has: page.locator("input:visible:not([type=radio])") });
  return fields.filter({ hasNotText: "(optional)" }).count();
}

test("sign up, confirm by code, sign out, sign in again", async ({ page, site }) => {
  const person = somebody();
  await page.goto("/");
  await page.getByRole("main").getByRole("link", { name: "Create an account" }).click();
  await expect(page).toHaveTitle("Create an account - Vestibule");
  await expect(heading(page)).toHaveText("Create an account");

  await fillSignUp(page, person);
  await press(page, "Create account");
  await expect(page).toHaveURL("/verify-email");
  await expect(page).toHaveTitle("Check your email - Vestibule");
  await expect(page.getByRole("main")).toContainText(person.email);
  await expect(codeField(page)).toBeFocused();

  const letter = await letterTo(site, person);
  expect(letter.to).toContain(person.email);
  expect(letter.subject).toContain(letter.code ?? "no code");
  for (const part of [letter.text, letter.html]) expect(part).toContain(letter.code);
  await enterCode(page, letter.code ?? "");
  await expectAccount(page, person);
  await expect(page.getByRole("status")).toHaveText("Your email address is confirmed, and you are signed in.");
  await page.reload();
  await expect(page.getByRole("status"), "said once").toHaveCount(0);

  await page.goto("/");
  await page.getByRole("link", { name: "Go to your account" }).click();
  await expectAccount(page, person);
  await signOut(page);
  await expect(page.getByRole("status")).toContainText("You have signed out.");
  await expectNobody(page);

  await fillSignIn(page, person.email, person.password);
  expect((await press(page, "Sign in")).status()).toBe(303);
  await expectAccount(page, person);
  expect(await site.letters(person.email), "one letter in all").toHaveLength(1);
});

for (const { settings, fields, says } of [
  { settings: {}, fields: 5, says: "address, password, two names and a code" },
  { settings: { VESTIBULE_SIGNUP_FIELDS: "first_name:off,last_name:off,phone:off" }, fields: 3, says: "address, password and a code" },
]) {
  test(`an account takes ${says}, two presses and three pages`, async ({ page, siteWith }) => {
    const site = await siteWith(settings);
    const person = somebody();
    let pages = 0;
    page.on("load", () => pages++);
    await page.goto(`${site.url}/register`);
    let asked = await required(page);
    await page.getByLabel("Email address", { exact: true }).fill(person.email);
    await page.getByLabel("Create a password", { exact: true }).fill(person.password);
    if (asked > 2) await fillSignUp(page, person);
    await press(page, "Create account");
    asked += await required(page);
    await enterCode(page, await codeTo(site, person));
    await expect(page).toHaveURL(`${site.url}/account`);
    await expect(heading(page)).toHaveText(asked > 3 ? nameOf(person) : person.email);
    expect({ asked, pages }).toEqual({ asked: fields, pages: 3 });
  });
}

test("everything that sign-up asks is in the account", async ({ page, site }) => {
  const person = somebody();
  await page.goto("/register");
  await fillSignUp(page, person);
  await page.getByLabel("Host", { exact: true }).check();
  await page.getByLabel("Phone number (optional)", { exact: true }).fill("+44 20 7946 0018");
  await press(page, "Create account");
  await enterCode(page, await codeTo(site, person));
  await expectAccount(page, person);
  const asked = [nameOf(person), /Confirmed$/, "host", "+442079460018", /\d{4}$/, /UTC$/];
  await expect(page.getByRole("definition")).toHaveText([...asked, "Change password", /devices$/]);
});

test("in the same browser the link takes one press", async ({ page, site }) => {
  const person = somebody();
  await signUp(page, person);
  await page.goto(await linkTo(site, person));
  await expect(page).toHaveTitle("Confirm your email address - Vestibule");
  await expect(page.getByRole("main")).toContainText(person.email);
  await expect(page.getByRole("main").locator("input:visible")).toHaveCount(0);
  await press(page, "Confirm email address");
  await expectAccount(page, person);
});

test("in another browser the link asks for the password, and a wrong one spends nothing", async ({ page, site, elsewhere }) => {
  const person = somebody();
  await signUp(page, person);
  const other = await elsewhere();
  await other.goto(await linkTo(site, person));
  await expect(heading(other)).toHaveText("Confirm your email address");
  const password = other.getByLabel("Password chosen at sign-up", { exact: true });

  await password.fill(WRONG_PASSWORD);
  const answer = await press(other, "Confirm email address");
  await expectFaults(other, answer, {
    "current-password": "This is not the password chosen at sign-up. Check it, or set a new one",
  });
  expect(new URL(other.url()).search, "the address no longer holds the token").toBe("");

  await password.fill(person.password);
  expect((await press(other, "Confirm email address")).status()).toBe(303);
  await expectAccount(other, person);
  await expectNobody(page);
});

test("in another browser an empty password is told like any other fault", async ({ page, site, elsewhere }) => {
  const person = somebody();
  await signUp(page, person);
  const other = await elsewhere();
  await other.goto(await linkTo(site, person));
  const answer = await press(other, "Confirm email address");
  await expectFaults(other, answer, { "current-password": "Enter the password chosen at sign-up, or set a new one" });
});

test("in another browser a new password may be set: the old one signs nobody in, and nothing that was typed there passes on", async ({ page, site, elsewhere }) => {
  const person = somebody();
  await signUp(page, person);
  const other = await elsewhere();
  await other.goto(await linkTo(site, person));
  await other.getByText("I did not choose a password").click();
  const password = other.getByLabel("Create a password", { exact: true });

  await password.fill("too short");
  const answer = await press(other, "Confirm and set this password");
  await expectFaults(other, answer, { "new-password": "Password must be 12 characters or more" });

  await password.fill(OTHER_PASSWORD);
  expect((await press(other, "Confirm and set this password")).status()).toBe(303);
  await expectAccountOfAddress(other, person);

  // It is told what it was told before: whether the address has found its owner is nobody else's business.
  expect((await signIn(page, person)).status(), "the old password").toBe(303);
  await expect(page).toHaveURL("/verify-email");
  await expectNobody(page);
  expect((await signIn(page, person, OTHER_PASSWORD)).status(), "the new password").toBe(303);
  await expectAccountOfAddress(page, person);
});
