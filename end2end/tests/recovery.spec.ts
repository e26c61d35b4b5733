// A forgotten password: by the code, by the link, and what nobody may learn or lose on the way.

import type { Page } from "@playwright/test";
import {
  askReset,
  beSignedIn,
  enterResetCode,
  expectAccount,
  expectNobody,
  fillNewPassword,
  fillSignIn,
  haveAccount,
  haveSignedIn,
  heading,
  letterTo,
  nameOf,
  press,
  resetCodeTo,
  resetLetterTo,
  resetLinkTo,
  signIn,
  wrong,
} from "../support/acts.ts";
import { expectFaults, expectNoSecrets, expectSummary } from "../support/faults.ts";
import { expectCompanion, expectHints } from "../support/managers.ts";
import { OTHER_PASSWORD, somebody } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const WRONG_CODE = "The code is not correct or has expired. Check it, or send a new code";
const SHORT = "Password must be 12 characters or more";
const UNCHANGED = "You are already using this password. Choose a different one";
const DONE = "Your password has been changed, and every device is signed out. Sign in with the new password.";

/** The page that a new password ends on, and the way in from there. */
async function expectChanged(page: Page) {
  await expect(page).toHaveURL("/login");
  await expect(page.getByRole("status")).toHaveText(DONE);
}

test("a forgotten password is replaced by the code of a letter", async ({ page, site }) => {
  const person = await haveAccount(site);
  await page.goto("/login");
  await page.getByRole("link", { name: "Forgotten your password?" }).click();
  await expect(page).toHaveTitle("Reset your password - Vestibule");
  await expect(heading(page)).toHaveText("Reset your password");
  await expectHints(page, { email: "username" });
  await page.getByLabel("Email address", { exact: true }).fill(person.email);
  expect((await press(page, "Send the code")).status()).toBe(303);
  await expect(page).toHaveURL("/password/reset/confirm");
  await expect(page).toHaveTitle("Check your email - Vestibule");
  await expect(page.getByRole("main")).toContainText(`If ${person.email} has an account, we sent a code and a link.`);
  await expectHints(page, { code: "one-time-code", "new-password": "new-password" });
  await expectCompanion(page, person.email);

  const letter = await resetLetterTo(site, person);
  for (const part of [letter.text, letter.html]) expect(part).toContain(letter.code);
  expect((await enterResetCode(page, letter.code ?? "", OTHER_PASSWORD)).status()).toBe(303);
  await expectChanged(page);
  expect((await letterTo(site, person, 3)).subject).toBe("Your Vestibule password was changed");

  expect((await signIn(page, person)).status(), "the old password").toBe(422);
  expect((await signIn(page, person, OTHER_PASSWORD)).status(), "the new password").toBe(303);
  await expectAccount(page, person);
});

test("the link works in another browser, once", async ({ page, site, elsewhere }) => {
  const person = await haveAccount(site);
  await askReset(page, person.email);
  const link = await resetLinkTo(site, person);
  const [other, late] = [await elsewhere(), await elsewhere()];
  for (const at of [other, late]) {
    await at.goto(link);
    await expect(heading(at)).toHaveText("Choose a new password");
  }
  await expect(other).toHaveTitle("Choose a new password - Vestibule");
  // Not the browser that asked: it is not told the whole address.
  await expect(other.getByRole("main")).toContainText(`${person.email[0]}•••@e•••.com`);
  await expect(other.getByRole("main")).not.toContainText(person.email);
  await expectHints(other, { "new-password": "new-password" });
  await expectCompanion(other, "");
  await fillNewPassword(other, OTHER_PASSWORD);
  expect((await press(other, "Change password")).status()).toBe(303);
  await expectChanged(other);

  // Pressed on the page that was open all the time, and opened again.
  await fillNewPassword(late, "seven green otters dance");
  expect((await press(late, "Change password")).status()).toBe(422);
  await expect(heading(late)).toHaveText("This link has already been used");
  await expectNoSecrets(late);
  await late.goto(link);
  await expect(late).toHaveTitle("This link has already been used - Vestibule");
  await late.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  await fillSignIn(late, person.email, OTHER_PASSWORD);
  await press(late, "Sign in");
  await expectAccount(late, person);
});

test("a mistake in the new password loses neither the code nor the address", async ({ page, site }) => {
  const person = await haveAccount(site);
  await askReset(page, person.email);
  const code = await resetCodeTo(site, person);
  for (const [typed, sentence] of [["too short", SHORT], [person.password, UNCHANGED]]) {
    await expectFaults(page, await enterResetCode(page, code, typed), { "new-password": sentence });
    expect(await page.getByRole("main").innerHTML(), "the code stays out of the page").not.toContain(code);
    await expect(page.getByRole("main")).toContainText(person.email);
    await expectCompanion(page, person.email);
  }
  await expectFaults(page, await enterResetCode(page, "", ""), { code: "Enter the 6-digit code", "new-password": "Enter a password" });
  const spaced = `${code.slice(0, 3)} ${code.slice(3)}`;
  expect((await enterResetCode(page, spaced, OTHER_PASSWORD)).status()).toBe(303);
  await expectChanged(page);
});

test("a mistake in the new password does not spend the link", async ({ page, site }) => {
  const person = await haveAccount(site);
  await askReset(page, person.email);
  await page.goto(await resetLinkTo(site, person));
  for (const [typed, sentence] of [["", "Enter a password"], ["too short", SHORT], [person.password, UNCHANGED]]) {
    await fillNewPassword(page, typed);
    await expectFaults(page, await press(page, "Change password"), { "new-password": sentence });
    expect(new URL(page.url()).search, "the address no longer holds the token").toBe("");
  }
  await fillNewPassword(page, OTHER_PASSWORD);
  await press(page, "Change password");
  await expectChanged(page);
});

test("a wrong code is told, and after five of them the right one is refused in the same words", async ({ page, site }) => {
  const person = await haveAccount(site);
  await askReset(page, person.email);
  const code = await resetCodeTo(site, person);
  for (const typed of [...Array<string>(5).fill(wrong(code)), code]) {
    // How many tries are left would tell whether there is an account.
    await expectSummary(page, await enterResetCode(page, typed, OTHER_PASSWORD), [WRONG_CODE]);
  }
  await page.getByText("Problems with the code?").click();
  await page.getByRole("link", { name: "Send a new code, or use a different address" }).click();
  await page.getByLabel("Email address", { exact: true }).fill(person.email);
  await press(page, "Send the code");
  await enterResetCode(page, await resetCodeTo(site, person, 3), OTHER_PASSWORD);
  await expectChanged(page);
});

test("looking at the link, however often and by whatever, changes nothing", async ({ page, site, elsewhere }) => {
  const person = await haveAccount(site);
  await askReset(page, person.email);
  const link = await resetLinkTo(site, person);
  for (const method of ["HEAD", "GET", "GET", "GET", "HEAD"]) {
    const answer = await fetch(link, { method, headers: { "user-agent": "scanner", accept: "text/html" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("set-cookie")).toBeNull();
  }
  for (let times = 0; times < 5; times++) await page.goto(link);
  const other = await elsewhere();
  await signIn(other, person);
  await expectAccount(other, person);
  await fillNewPassword(page, OTHER_PASSWORD);
  await press(page, "Change password");
  await expectChanged(page);
});

test("an address without an account looks like any other, and gets a letter that says so", async ({ page, site, elsewhere }) => {
  const person = await haveAccount(site);
  const stranger = somebody();
  const other = await elsewhere();
  await askReset(page, person.email);
  await askReset(other, stranger.email);
  const seen = async (at: Page, email: string) => (await at.getByRole("main").innerHTML()).replaceAll(email, "…");
  expect(await seen(other, stranger.email)).toBe(await seen(page, person.email));
  const letter = await letterTo(site, stranger);
  expect(letter.subject).toBe("There is no Vestibule account for this address");
  expect({ code: letter.code, link: letter.link }).toEqual({ code: null, link: null });

  for (const [at, code] of [[other, "123456"], [page, wrong(await resetCodeTo(site, person))]] as const) {
    await expectFaults(at, await enterResetCode(at, code, OTHER_PASSWORD), { code: WRONG_CODE });
  }
  expect(await seen(other, stranger.email)).toBe(await seen(page, person.email));
  expect(await seen(page, person.email)).not.toContain(nameOf(person));
});

test("whoever is signed in as somebody else is told, and stays so; the owner is signed out everywhere", async ({ page, site, elsewhere }) => {
  const me = await haveSignedIn(page, site);
  const owner = await haveAccount(site);
  const [first, second] = [await elsewhere(), await elsewhere()];
  for (const at of [first, second]) {
    await beSignedIn(at, site, owner);
    await at.goto("/account");
    await expectAccount(at, owner);
  }
  await askReset(first, owner.email);
  await page.goto(await resetLinkTo(site, owner));
  const main = page.getByRole("main");
  await expect(main).toContainText(`You are signed in as ${me.email}, and this link is for another account.`);
  await expect(main).toContainText(`${owner.email[0]}•••@e•••.com`);
  await fillNewPassword(page, OTHER_PASSWORD);
  await press(page, "Change password");
  await expect(page.getByRole("status")).toHaveText("The password of the other account has been changed. You are still signed in to this one.");
  await expectAccount(page, me);
  for (const at of [first, second]) await expectNobody(at);
});

test("the owner who is signed in is signed out too", async ({ page, site }) => {
  const owner = await haveSignedIn(page, site);
  await askReset(page, owner.email);
  await enterResetCode(page, await resetCodeTo(site, owner), OTHER_PASSWORD);
  await expectChanged(page);
  await expectNobody(page);
});
