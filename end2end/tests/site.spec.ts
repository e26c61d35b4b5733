// What operators set, what is not there, too much of something, and colours.

import {
  codeTo,
  enterCode,
  fillSignIn,
  fillSignUp,
  heading,
  join,
  press,
  signOut,
} from "../support/acts.ts";
import { expectFaults, expectSummary } from "../support/faults.ts";
import { somebody, WRONG_PASSWORD } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

test("where sign-ups are closed the page says so, and sign-in is offered", async ({ page, siteWith }) => {
  const { url } = await siteWith({ VESTIBULE_REGISTRATION: "closed" });
  expect((await page.goto(`${url}/register`))?.status()).toBe(200);
  await expect(heading(page)).toHaveText("Sign-ups are closed");
  await expect(page.getByRole("main").locator("form")).toHaveCount(0);
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  await expect(heading(page)).toHaveText("Sign in");
  for (const path of ["/", "/login"]) {
    await page.goto(url + path);
    await expect(page.getByRole("link", { name: "Create an account" }), `on ${path}`).toHaveCount(0);
    await expect(page.getByRole("banner").getByRole("link", { name: "Create account" }), `in the header of ${path}`).toHaveCount(0);
  }
});

test("terms with a version must be agreed to", async ({ page, siteWith }) => {
  const site = await siteWith({
    VESTIBULE_TERMS_VERSION: "2026-11",
    VESTIBULE_TERMS_URL: "https://example.com/terms",
    VESTIBULE_PRIVACY_URL: "https://example.com/privacy",
  });
  const person = somebody();
  await page.goto(`${site.url}/register`);
  await expect(page.getByRole("main").getByRole("link", { name: "terms" })).toHaveAttribute("href", "https://example.com/terms");
  await expect(page.getByRole("contentinfo").getByRole("link", { name: "Privacy" })).toHaveAttribute("href", "https://example.com/privacy");
  await fillSignUp(page, person);
  await expectFaults(page, await press(page, "Create account"), {
    terms: "Select that you agree to the terms to create an account",
  });
  await page.getByRole("checkbox", { name: "I agree to the terms" }).check();
  // Ticked, but the password is gone: the tick stays while the other fault is mended.
  await expectFaults(page, await press(page, "Create account"), { "new-password": "Enter a password" });
  await expect(page.getByRole("checkbox", { name: "I agree to the terms" })).toBeChecked();
  await page.locator("#new-password").fill(person.password);
  await press(page, "Create account");
  await enterCode(page, await codeTo(site, person));
  await expect(page).toHaveURL(`${site.url}/account`);
});

test("an address with nothing behind it leads back", async ({ page }) => {
  expect((await page.goto("/nowhere"))?.status()).toBe(404);
  await expect(page).toHaveTitle("Page not found - Vestibule");
  await expect(heading(page)).toHaveText("Page not found");
  await page.getByRole("link", { name: "Go to the front page" }).click();
  await expect(page).toHaveURL("/");
});

test("the signed-in stay so on a page that is not there", async ({ page, site }) => {
  await join(page, site, somebody());
  await page.goto("/nowhere");
  await expect(page.getByRole("banner").getByRole("button", { name: "Sign out" })).toBeVisible();
});

test("the sixth sign-up within a minute has to wait, and loses nothing", async ({ page, siteWith }) => {
  const { url } = await siteWith({ VESTIBULE_RATE_LIMITS: "on" });
  for (let taken = 0; taken < 5; taken++) {
    await page.goto(`${url}/register`);
    await fillSignUp(page, somebody());
    expect((await press(page, "Create account")).status()).toBe(303);
  }
  const person = somebody();
  await page.goto(`${url}/register`);
  await fillSignUp(page, person);
  const answer = await press(page, "Create account");
  await expectSummary(page, answer, [/^You have tried too many times\. Wait \d+ seconds?, then try again$/], 429);
  expect(Number(answer.headers()["retry-after"])).toBeGreaterThan(0);
  await expect(page.locator("#email")).toHaveValue(person.email);
  await expect(page.locator("#first-name")).toHaveValue(person.firstName);
});

test("too many wrong sign-ins have to wait, with an account and without", async ({ page, siteWith }) => {
  const { url } = await siteWith({ VESTIBULE_RATE_LIMITS: "on" });
  const person = somebody();
  await page.goto(`${url}/login`);
  for (let tries = 0; tries < 5; tries++) {
    await fillSignIn(page, person.email, WRONG_PASSWORD);
    expect((await press(page, "Sign in")).status()).toBe(422);
  }
  await fillSignIn(page, person.email, WRONG_PASSWORD);
  const answer = await press(page, "Sign in");
  await expectSummary(page, answer, [/^You have tried too many times\. Wait /], 429);
  expect(Number(answer.headers()["retry-after"])).toBeGreaterThan(0);
});

test("colours can be chosen, and stay chosen", async ({ page, site }) => {
  const colours = page.getByRole("contentinfo");
  const ground = () => page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/login");
  await expect(page.locator("html")).not.toHaveAttribute("data-theme");
  const light = await ground();

  await colours.getByRole("button", { name: "Dark" }).click();
  await expect(page).toHaveURL("/login");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(colours.getByRole("button", { name: "Dark" })).toHaveAttribute("aria-pressed", "true");
  expect(await ground()).not.toBe(light);
  await join(page, site, somebody());
  await signOut(page);
  await page.goto("/nowhere");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");

  await page.goto("/");
  await colours.getByRole("button", { name: "Light" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await ground()).toBe(light);
  await colours.getByRole("button", { name: "System" }).click();
  await expect(page.locator("html")).not.toHaveAttribute("data-theme");
  expect(await ground()).not.toBe(light);
});

test("colours can be chosen on a page that a form led to", async ({ page }) => {
  await page.goto("/verify-email");
  await expectFaults(page, await press(page, "Send a new code"), { email: "Enter your email address" });
  await page.getByRole("contentinfo").getByRole("button", { name: "Dark" }).click();
  await expect(heading(page)).toHaveText("Start again");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("help and accessibility are on every page, at the same place", async ({ page }) => {
  for (const path of ["/", "/register", "/login", "/verify-email", "/nowhere"]) {
    await page.goto(path);
    await expect(page.getByRole("contentinfo").getByRole("link")).toHaveText(["Help signing in", "Accessibility"]);
  }
  await page.getByRole("link", { name: "Help signing in" }).click();
  await page.getByText("No code arrived").click();
  await page.getByRole("link", { name: "Ask for a new code" }).click();
  await expect(page).toHaveURL("/verify-email");
});

test("the built-in mailbox shows a letter with its code and link", async ({ page, site, siteWith }) => {
  const own = await siteWith({});
  const person = somebody();
  await page.goto(`${own.url}/register`);
  await fillSignUp(page, person);
  await press(page, "Create account");
  const code = await codeTo(own, person);
  await page.getByRole("link", { name: "Open the mailbox" }).click();
  await expect(page.getByRole("article")).toHaveCount(1);
  await expect(page.getByRole("article")).toContainText(person.email);
  await expect(page.locator(".letter-code")).toHaveText(code);
  await page.getByText("As sent, in HTML").click();
  await expect(page.frameLocator("iframe").locator("body")).toContainText(code);
  await page.getByRole("link", { name: "Open the link" }).click();
  await press(page, "Confirm email address");
  await expect(page).toHaveURL(`${own.url}/account`);
  expect(await site.letters(person.email)).toHaveLength(0);
});
