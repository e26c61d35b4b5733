// The browser's way back, and what a browser must keep for it.

import { fillSignIn, haveAccount, heading, press, signIn, signOut } from "../support/acts.ts";
import { expectNoSecrets, expectSummary } from "../support/faults.ts";
import { somebody, WRONG_PASSWORD } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const WRONG_SIGN_IN = "Email address or password is not correct";

test("back to a sign-in that was not taken is the form, with its fault and the address", async ({ page, site }) => {
  const person = await haveAccount(site);
  expect((await signIn(page, person, WRONG_PASSWORD)).status()).toBe(422);
  await page.getByRole("link", { name: "Forgotten your password?" }).click();
  await expect(heading(page)).toHaveText("Reset your password");
  await page.goBack();
  await expect(heading(page)).toHaveText("Sign in");
  await expect(page.getByRole("alert").getByRole("listitem")).toHaveText([WRONG_SIGN_IN]);
  await expectNoSecrets(page);
  await expect(page.locator("#email")).toHaveValue(person.email);
  await expect(page.locator("#current-password")).toHaveValue("");
  await fillSignIn(page, person.email, person.password);
  expect((await press(page, "Sign in")).status(), "the form works").toBe(303);
});

test("back to a sign-up that was not taken is the form with what was typed", async ({ page }) => {
  const person = somebody();
  await page.goto("/register");
  await page.getByLabel("Email address", { exact: true }).fill(person.email);
  await page.getByLabel("First name", { exact: true }).fill(person.firstName);
  expect((await press(page, "Create account")).status()).toBe(422);
  await page.getByRole("main").getByRole("link", { name: "Sign in", exact: true }).click();
  await expect(heading(page)).toHaveText("Sign in");
  await page.goBack();
  await expect(heading(page)).toHaveText("Create an account");
  await expect(page.locator("#email")).toHaveValue(person.email);
  await expect(page.locator("#first-name")).toHaveValue(person.firstName);
});

test("back after signing in and out shows nothing of the account", async ({ page, site }) => {
  const person = await haveAccount(site);
  expect((await signIn(page, person)).status()).toBe(303);
  await expect(page).toHaveURL("/account");
  await signOut(page);
  await page.goBack();
  await expect(page.getByRole("main")).not.toContainText(person.email);
});

test("a browser that refuses cookies is told so, and is not sent round in circles", async ({ page, site, context }) => {
  const person = await haveAccount(site);
  await page.goto("/account");
  await expect(page).toHaveURL("/login?next=%2Faccount");
  for (let time = 0; time < 2; time++) {
    // Whatever was handed out is thrown away before the form is sent.
    await context.clearCookies();
    await fillSignIn(page, person.email, person.password);
    await expectSummary(page, await press(page, "Sign in"), [/does not keep cookies/]);
    await expect(page).toHaveURL("/login");
    await expect(page.locator("#email")).toHaveValue(person.email);
  }
  // Allowed now: the last answer handed one out.
  await fillSignIn(page, person.email, person.password);
  expect((await press(page, "Sign in")).status()).toBe(303);
  await expect(page).toHaveURL("/account");
});
