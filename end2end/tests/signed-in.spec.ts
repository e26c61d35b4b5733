// Who is signed in, until when, and where that leads.

import { expectAccount, expectNobody, fillSignIn, heading, join, press, signIn, signOut } from "../support/acts.ts";
import { somebody } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const ACCESS = "vestibule_access";

test("whoever is asked to sign in comes to what was asked for", async ({ page, site }) => {
  const person = somebody();
  await join(page, site, person);
  await signOut(page);
  await page.goto("/account?tab=1&x=a%20b");
  await expect(page).toHaveURL("/login?next=%2Faccount%3Ftab%3D1%26x%3Da%2520b");
  await fillSignIn(page, person.email, "nonsense");
  await press(page, "Sign in");
  await fillSignIn(page, person.email, person.password);
  await press(page, "Sign in");
  await expect(page).toHaveURL("/account?tab=1&x=a%20b");
});

for (const next of ["//evil.test", "/\\evil.test", "https://evil.test", "/\t/evil.test", "javascript:alert(1)"]) {
  test(`nobody is sent to ${JSON.stringify(next)}`, async ({ page, site }) => {
    const person = somebody();
    await join(page, site, person);
    await signOut(page);
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await fillSignIn(page, person.email, person.password);
    expect((await press(page, "Sign in")).headers().location).toBe("/account");
    await expectAccount(page, person);
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await expectAccount(page, person);
  });
}

test("looking at the sign-out page ends nothing; its button does", async ({ page, site }) => {
  const person = somebody();
  await join(page, site, person);
  await page.goto("/logout");
  await expect(page.getByRole("main")).toContainText(person.email);
  await page.goto("/account");
  await expectAccount(page, person);
  await page.goto("/logout");
  await signOut(page);
  await page.goBack();
  await page.reload();
  await expect(page.getByRole("main")).toContainText("You are not signed in.");
  await expectNobody(page);
});

test("after sign-out the way back shows nothing of the account", async ({ page, site }) => {
  const person = somebody();
  await join(page, site, person);
  const cookies = await page.context().cookies();
  await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await expect(heading(page)).toHaveText("Sign in");
  await page.goBack();
  await expect(page.getByRole("main")).not.toContainText(person.email);
  await expect(page).toHaveURL("/login?next=%2Faccount");
  await page.reload();
  await expect(heading(page)).toHaveText("Sign in");

  // Kept cookies are worth nothing: the session ended on the server.
  await page.context().addCookies(cookies);
  await expectNobody(page);
});

test("sign-in and sign-up lead the signed-in to their account", async ({ page, site }) => {
  const person = somebody();
  await join(page, site, person);
  for (const path of ["/login", "/register"]) {
    await page.goto(path);
    await expectAccount(page, person);
  }
});

test("an access cookie that ran out is renewed in passing", async ({ page, site }) => {
  const person = somebody();
  await join(page, site, person);
  await page.context().clearCookies({ name: ACCESS });
  await page.goto("/account");
  await expectAccount(page, person);
  expect((await page.context().cookies()).map((cookie) => cookie.name)).toContain(ACCESS);
  await page.reload();
  await expectAccount(page, person);
});

test("two tabs may renew at the same time", async ({ page, site, context }) => {
  const person = somebody();
  await join(page, site, person);
  const tabs = [page, await context.newPage()];
  for (let round = 0; round < 3; round++) {
    await context.clearCookies({ name: ACCESS });
    await Promise.all(tabs.map((tab) => tab.goto("/account")));
    for (const tab of tabs) await expectAccount(tab, person);
  }
  for (const tab of tabs) {
    await tab.reload();
    await expectAccount(tab, person);
  }
});

test("a session is kept beyond the browser's only when asked for", async ({ page, site }) => {
  const person = somebody();
  await join(page, site, person);
  const lives = async () => (await page.context().cookies()).find((cookie) => cookie.name === "vestibule_refresh")?.expires;
  expect(await lives()).toBe(-1);
  await signOut(page);
  await fillSignIn(page, person.email, person.password);
  await page.getByLabel("Keep me signed in on this device").check();
  await press(page, "Sign in");
  expect(await lives()).toBeGreaterThan(Date.now() / 1000 + 86_400);
});

test("no cookie can be read by scripts or sent from other sites", async ({ page, site }) => {
  await join(page, site, somebody());
  const cookies = await page.context().cookies();
  expect(cookies.length).toBeGreaterThanOrEqual(2);
  for (const { name, httpOnly, sameSite, path } of cookies) {
    expect({ name, httpOnly, sameSite, path }).toEqual({ name, httpOnly: true, sameSite: "Lax", path: "/" });
  }
});

test("another browser can sign in beside the first", async ({ page, site, elsewhere }) => {
  const person = somebody();
  await join(page, site, person);
  const other = await elsewhere();
  await signIn(other, person);
  await expectAccount(other, person);
  await signOut(other);
  await page.reload();
  await expectAccount(page, person);
});
