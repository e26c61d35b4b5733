// Mistakes are told, lead to their fields, and lose nothing that was typed.

import {
  codeField,
  codeTo,
  enterCode,
  expectAccount,
  fillSignIn,
  fillSignUp,
  heading,
  join,
  letterTo,
  linkTo,
  nameOf,
  press,
  signIn,
  signUp,
  wrong,
} from "../support/acts.ts";
import { expectFaults, expectNoSecrets, expectSummary } from "../support/faults.ts";
import { somebody, WRONG_PASSWORD } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const WRONG_CODE = "The code is not correct or has expired. Check it, or send a new code";
const TOO_MANY_CODES = "You have entered a wrong code too many times. Send a new code";
const WRONG_SIGN_IN = "Email address or password is not correct";
const ODD_EMAIL = "Enter an email address in the correct format, like name@example.com";
const EASY_PASSWORD = "This password is widely used or easy to guess. Choose a different one";

test("an empty sign-up is told field by field", async ({ page }) => {
  await page.goto("/register");
  await expectFaults(page, await press(page, "Create account"), {
    email: "Enter your email address",
    "new-password": "Enter a password",
    "first-name": "Enter your first name",
    "last-name": "Enter your last name",
  });
});

const MISTAKES: { mistake: string; fill: Record<string, string>; faults: Record<string, string> }[] = [
  { mistake: "an address without a domain", fill: { email: "margaret" }, faults: { email: ODD_EMAIL } },
  { mistake: "an address that is too long", fill: { email: `${"m".repeat(250)}@example.com` }, faults: { email: "Email address must be 254 characters or fewer" } },
  { mistake: "a short password", fill: { "new-password": "eleven char" }, faults: { "new-password": "Password must be 12 characters or more" } },
  { mistake: "a widely used password", fill: { "new-password": "password1234" }, faults: { "new-password": EASY_PASSWORD } },
  { mistake: "a telephone number that is none", fill: { phone: "call me" }, faults: { phone: "Enter a phone number in international format, like +44 20 7946 0018, with 15 digits or fewer" } },
  { mistake: "a telephone number without its country code", fill: { phone: "07946 123456" }, faults: { phone: "Start with + and the country code, like +44 20 7946 0018" } },
  { mistake: "an address with a character that nobody sees", fill: { email: "marga\u200bret@example.com" }, faults: { email: "Email address must not contain invisible characters. Type it, instead of pasting it" } },
  { mistake: "two mistakes at once", fill: { email: "@", "last-name": "" }, faults: { email: ODD_EMAIL, "last-name": "Enter your last name" } },
];

for (const { mistake, fill, faults } of MISTAKES) {
  test(`${mistake} at sign-up is told, and nothing typed is lost`, async ({ page, site }) => {
    const person = somebody();
    await page.goto("/register");
    await fillSignUp(page, person);
    await page.getByLabel("Host", { exact: true }).check();
    await page.getByLabel("Phone number (optional)", { exact: true }).fill("+44 20 7946 0018");
    for (const [id, text] of Object.entries(fill)) await page.locator(`[id="${id}"]`).fill(text);
    const answer = await press(page, "Create account");

    const typed = { email: person.email, "first-name": person.firstName, "last-name": person.lastName, phone: "+44 20 7946 0018", ...fill };
    for (const [id, text] of Object.entries(typed)) {
      if (id !== "new-password") await expect(page.locator(`[id="${id}"]`)).toHaveValue(text);
    }
    await expect(page.getByLabel("Host", { exact: true })).toBeChecked();
    await expectFaults(page, answer, faults);
    await expect(page.locator("[aria-invalid]")).toHaveCount(Object.keys(faults).length);
    expect(await site.letters(person.email)).toHaveLength(0);

    for (const id of Object.keys(faults)) await page.locator(`[id="${id}"]`).fill("");
    await fillSignUp(page, person);
    expect((await press(page, "Create account")).status(), "the corrected form").toBe(303);
    await expect(heading(page)).toHaveText("Check your email");
  });
}

test("an empty sign-in is told field by field", async ({ page }) => {
  await page.goto("/login");
  await expectFaults(page, await press(page, "Sign in"), {
    email: "Enter your email address",
    "current-password": "Enter your password",
  });
});

test("a wrong sign-in does not say which of the two is wrong", async ({ page, site }) => {
  const person = somebody();
  await join(page, site, person);
  await press(page, "Sign out");
  for (const email of [person.email, somebody().email]) {
    await page.getByLabel("Keep me signed in on this device").check();
    await fillSignIn(page, email, WRONG_PASSWORD);
    await expectSummary(page, await press(page, "Sign in"), [WRONG_SIGN_IN]);
    await expect(page.locator("[aria-invalid], .field.invalid")).toHaveCount(0);
    await expect(page.locator("#email")).toHaveValue(email);
    await expect(page.getByLabel("Keep me signed in on this device")).toBeChecked();
    await page.getByRole("link", { name: WRONG_SIGN_IN }).click();
    await expect(page.locator("#email")).toBeFocused();
  }
});

test("a code that is missing, no code or wrong is told, and the right one works afterwards", async ({ page, site }) => {
  const person = somebody();
  await signUp(page, person);
  const code = await codeTo(site, person);
  for (const [typed, sentence] of [
    ["", "Enter the 6-digit code"],
    ["12345", "Code must be 6 digits"],
    [wrong(code), WRONG_CODE],
  ]) {
    await expectFaults(page, await enterCode(page, typed), { code: sentence });
    if (typed) expect(await page.getByRole("main").innerHTML()).not.toContain(typed);
    await expect(page.getByRole("main")).toContainText(person.email);
  }
  const spaced = `${code.slice(0, 3)} ${code.slice(3)}`;
  expect((await enterCode(page, spaced)).status()).toBe(303);
  await expectAccount(page, person);
});

test("after five wrong codes a new one must be sent, and only the new one works", async ({ page, site }) => {
  const person = somebody();
  await signUp(page, person);
  const code = await codeTo(site, person);
  for (let tries = 1; tries < 5; tries++) {
    await expectFaults(page, await enterCode(page, wrong(code)), { code: WRONG_CODE });
  }
  await expectFaults(page, await enterCode(page, wrong(code)), { code: TOO_MANY_CODES });
  await expectFaults(page, await enterCode(page, code), { code: TOO_MANY_CODES });

  await page.getByText("Problems with the code?").click();
  await press(page, "Send a new code");
  await expect(page.getByRole("status")).toHaveText(`We sent a new code to ${person.email}. The old code no longer works.`);
  const newCode = await codeTo(site, person, 2);
  if (newCode !== code) await expectFaults(page, await enterCode(page, code), { code: WRONG_CODE });
  await enterCode(page, newCode);
  await expectAccount(page, person);
});

test("a newer letter ends the link of an older one", async ({ page, site }) => {
  const person = somebody();
  await signUp(page, person);
  const link = await linkTo(site, person);
  await page.getByText("Problems with the code?").click();
  await press(page, "Send a new code");
  await letterTo(site, person, 2);
  await page.goto(link);
  await expect(heading(page)).toHaveText("This link has expired");
  await expect(page.getByRole("main")).toContainText("when we sent a newer email");
});

test("a link that was used says so, before and after the press", async ({ page, site, elsewhere }) => {
  const person = somebody();
  await signUp(page, person);
  const link = await linkTo(site, person);
  const other = await elsewhere();
  await other.goto(link);
  await page.goto(link);
  await press(page, "Confirm email address");
  await expectAccount(page, person);

  await page.goto(link);
  await expect(heading(page)).toHaveText("This link has already been used");

  // The page that was open all the time.
  await other.getByLabel("Password chosen at sign-up", { exact: true }).fill(person.password);
  await press(other, "Confirm email address");
  await expect(other).toHaveURL("/login");
  await expect(other.getByRole("status")).toHaveText("Your email address was already confirmed. Sign in to continue.");
});

test("a link that was cut off says so, and offers another letter", async ({ page, site }) => {
  const person = somebody();
  await signUp(page, person);
  const link = await linkTo(site, person);
  for (const address of [link.slice(0, -5), "/verify-email?token=nonsense", "/verify-email?token="]) {
    await page.goto(address);
    await expect(heading(page)).toHaveText("This link does not work");
  }
  await page.getByLabel("Email address", { exact: true }).fill(person.email);
  await press(page, "Send a new code");
  await letterTo(site, person, 2);
});

test("looking at a link, however often and by whatever, changes nothing", async ({ page, site, elsewhere }) => {
  const person = somebody();
  await signUp(page, person);
  const link = await linkTo(site, person);
  for (const method of ["HEAD", "GET", "GET", "GET", "HEAD"]) {
    const answer = await fetch(link, { method, headers: { "user-agent": "scanner", accept: "text/html" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("set-cookie")).toBeNull();
  }
  const other = await elsewhere();
  await other.goto(link);
  await other.reload();
  expect((await signIn(other, person)).headers().location, "still to be confirmed").toBe("/verify-email");
  await page.goto(link);
  await press(page, "Confirm email address");
  await expectAccount(page, person);
});

test("without a sign-up to finish, the code page says how to start", async ({ page }) => {
  await page.goto("/verify-email");
  await expect(heading(page)).toHaveText("Start again");
  await expectFaults(page, await press(page, "Send a new code"), { email: "Enter your email address" });
  await page.getByLabel("Email address", { exact: true }).fill("margaret");
  await expectFaults(page, await press(page, "Send a new code"), { email: ODD_EMAIL });
  await expect(page.locator("#email")).toHaveValue("margaret");
  await page.getByLabel("Email address", { exact: true }).fill(somebody().email);
  await press(page, "Send a new code");
  await expect(page.getByRole("status")).toContainText("If that address has an account that is not confirmed");
});

test("a different address can be used, and nothing else is asked again but the password", async ({ page, site }) => {
  const person = somebody();
  await signUp(page, person);
  await letterTo(site, person);
  await page.getByText("Problems with the code?").click();
  await page.getByRole("link", { name: "Use a different email address" }).click();
  await expect(page.locator("#email")).toHaveValue(person.email);
  await expect(page.locator("#first-name")).toHaveValue(person.firstName);
  await expect(page.locator("#last-name")).toHaveValue(person.lastName);
  await expectNoSecrets(page);
  const corrected = { ...person, email: somebody().email };
  await page.locator("#email").fill(corrected.email);
  await page.locator("#new-password").fill(corrected.password);
  await press(page, "Create account");
  await enterCode(page, await codeTo(site, corrected));
  await expectAccount(page, corrected);
});

test("a taken address looks like a free one, and only its owner is told", async ({ page, site, elsewhere }) => {
  const owner = somebody();
  await join(page, site, owner);
  const stranger = { ...somebody(), email: owner.email };
  const free = somebody();
  const [other, another] = [await elsewhere(), await elsewhere()];
  await signUp(other, stranger);
  await signUp(another, free);
  const seen = async (at: typeof other, email: string) => (await at.getByRole("main").innerHTML()).replaceAll(email, "…");
  expect(await seen(other, owner.email)).toBe(await seen(another, free.email));

  // Two letters to one address within a minute would be one too many; to ask for one is something else.
  for (const at of [other, another]) {
    await at.getByText("Problems with the code?").click();
    await press(at, "Send a new code");
  }
  expect(await seen(other, owner.email)).toBe(await seen(another, free.email));

  const letter = await letterTo(site, owner, 2);
  expect(letter.subject).toContain("already have an account");
  expect({ code: letter.code, link: letter.link }).toEqual({ code: null, link: null });
  await expectFaults(other, await enterCode(other, "123456"), { code: WRONG_CODE });
  expect(await seen(other, owner.email)).not.toContain(nameOf(owner));
});

test("whoever has not confirmed is sent to do so, after the right password only", async ({ page, site, elsewhere }) => {
  const person = somebody();
  await signUp(page, person);
  const code = await codeTo(site, person);
  const other = await elsewhere();
  await expectSummary(other, await signIn(other, person, WRONG_PASSWORD), [WRONG_SIGN_IN]);
  expect((await signIn(other, person)).status()).toBe(303);
  await expect(heading(other)).toHaveText("Check your email");
  await expect(other.getByRole("main")).toContainText(person.email);
  // The sign-up was a moment ago: its letter is still the newest, so its code is the one that works.
  await codeField(other).fill(code);
  await press(other, "Confirm email address");
  await expectAccount(other, person);
});
