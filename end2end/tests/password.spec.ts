// Another password, for somebody who is signed in; and what script adds where passwords are chosen.

import type { Page } from "@playwright/test";
import {
  askReset,
  beSignedIn,
  changePassword,
  expectAccount,
  expectSentOut,
  fillNewPassword,
  fillSignIn,
  haveAccount,
  haveSignedIn,
  heading,
  letterTo,
  press,
  signIn,
  tabTo,
} from "../support/acts.ts";
import { expectFaults } from "../support/faults.ts";
import { expectCompanion, expectHints } from "../support/managers.ts";
import { OTHER_PASSWORD, WRONG_PASSWORD } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const NOT_PRESENT = "This is not your present password. Check it, then try again";
const UNCHANGED = "You are already using this password. Choose a different one";
const CHANGED = "Your password has been changed. Every other device is signed out.";

test("a password is changed: what is wrong is told, then the form is gone and others are signed out", async ({ page, site, elsewhere }) => {
  const person = await haveSignedIn(page, site);
  const other = await elsewhere();
  await beSignedIn(other, site, person);
  await other.goto("/account");
  await page.goto("/account/password");
  await expectHints(page, { "current-password": "current-password", "new-password": "new-password" });
  await expectCompanion(page, person.email);

  await expectFaults(page, await press(page, "Change password"), {
    "current-password": "Enter your password",
    "new-password": "Enter a password",
  });
  await expectFaults(page, await changePassword(page, WRONG_PASSWORD, OTHER_PASSWORD), { "current-password": NOT_PRESENT });
  await expectFaults(page, await changePassword(page, person.password, person.password), { "new-password": UNCHANGED });
  await expectFaults(page, await changePassword(page, person.password, person.email), {
    "new-password": "Password must not contain your email address",
  });
  await expectCompanion(page, person.email);
  await expect(page.getByRole("navigation", { name: "Account" }).locator("[aria-current]")).toHaveText("Password");
  await other.reload();
  await expectAccount(other, person);

  expect((await changePassword(page, person.password, OTHER_PASSWORD)).status()).toBe(303);
  await expectAccount(page, person);
  await expect(page.getByRole("status")).toHaveText(CHANGED);
  await expect(page.locator("input[type=password]")).toHaveCount(0);
  await expectSentOut(other);
  await page.reload();
  await expectAccount(page, person);
  await expect(page.getByRole("status"), "said once").toHaveCount(0);

  const letter = await letterTo(site, person, 2);
  expect(letter.subject).toBe("Your Vestibule password was changed");
  expect((await signIn(other, person)).status(), "the old password").toBe(422);
  expect((await signIn(other, person, OTHER_PASSWORD)).status(), "the new password").toBe(303);
});

test("whoever does not know the present password is led to a letter", async ({ page, site }) => {
  await haveSignedIn(page, site);
  await page.goto("/account/password");
  await page.getByRole("link", { name: "I do not know my current password" }).click();
  await expect(page).toHaveURL("/password/reset");
});

test("browsers find the form by its well-known address", async ({ page, site }) => {
  const person = await haveAccount(site);
  const answer = await fetch(`${site.url}/.well-known/change-password`, { redirect: "manual" });
  expect(answer.status).toBe(302);
  expect(answer.headers.get("location")).toBe("/account/password");
  await page.goto("/.well-known/change-password");
  await expect(page).toHaveURL("/login?next=%2Faccount%2Fpassword");
  await fillSignIn(page, person.email, person.password);
  await press(page, "Sign in");
  await expect(page).toHaveURL("/account/password");
  await expect(page.locator("#new-password")).toBeVisible();
  await page.goto("/.well-known/change-password");
  await expect(page).toHaveURL("/account/password");
});

test("a password can be changed without a pointer", async ({ page, site }) => {
  const person = await haveSignedIn(page, site);
  await page.goto("/account/password");
  // From the top: skip link, header and navigation come first.
  await tabTo(page, "current-password", 10);
  await page.keyboard.insertText(person.password);
  await tabTo(page, "new-password");
  await page.keyboard.insertText(OTHER_PASSWORD);
  await page.keyboard.press("Enter");
  await expectAccount(page, person);
  await expect(page.getByRole("status")).toHaveText(CHANGED);
});

test.describe("with script", { tag: "@with-script" }, () => {
  /** The sentence on leaving the field is the one of the server. */
  async function expectSame(page: Page, id: string, typed: string) {
    await expect(page.locator("html[data-islands=awake]")).toBeAttached();
    await page.locator(`#${id}`).fill(typed);
    await page.locator(`#${id}`).press("Tab");
    const message = page.locator(`#${id}-error`);
    await expect(message).toBeVisible();
    const said = await message.textContent();
    await page.locator(`#${id}`).focus();
    await press(page, "Change password");
    await expect(page.getByRole("alert")).toBeVisible();
    await expect(message).toHaveText(said ?? "");
  }

  test("faults of a password change are told on leaving the field, in the words of the server", async ({ page, site }) => {
    const person = await haveSignedIn(page, site);
    for (const typed of ["too short", person.email, person.password]) {
      await page.goto("/account/password");
      await page.locator("#current-password").fill(person.password);
      await expectSame(page, "new-password", typed);
    }
  });

  test("faults of a reset are told on leaving the field, in the words of the server", async ({ page, site }) => {
    const person = await haveAccount(site);
    for (const [id, typed] of [["code", "12"], ["new-password", "too short"], ["new-password", person.email]]) {
      await askReset(page, person.email);
      await expectSame(page, id, typed);
    }
  });

  test("each of the two passwords can be shown", async ({ page, site }) => {
    await haveSignedIn(page, site);
    await page.goto("/account/password");
    await expect(page.locator("html[data-islands=awake]")).toBeAttached();
    await fillNewPassword(page, OTHER_PASSWORD);
    await page.getByRole("button", { name: "Show new password", exact: true }).click();
    await expect(page.locator("#new-password")).toHaveAttribute("type", "text");
    await expect(page.locator("#current-password")).toHaveAttribute("type", "password");
    await page.getByRole("button", { name: "Show current password", exact: true }).click();
    await expect(page.locator("#current-password")).toHaveAttribute("type", "text");
    for (const which of ["new", "current"]) await page.getByRole("button", { name: `Hide ${which} password`, exact: true }).click();
    await expect(page.locator("input[type=password]")).toHaveCount(2);
  });
});

test("without script there is no button that needs it", { tag: "@without-script" }, async ({ page, site }) => {
  await haveSignedIn(page, site);
  await page.goto("/account/password");
  await expect(heading(page)).toBeVisible();
  await expect(page.locator("button[type=button]:visible")).toHaveCount(0);
});
