// The pages of the signed-in: the way between them, and the devices.

import type { Page } from "@playwright/test";
import {
  beSignedIn,
  expectAccount,
  expectSentOut,
  haveAccount,
  haveSignedIn,
  heading,
  press,
} from "../support/acts.ts";
import { FIREFOX } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const nav = (page: Page) => page.getByRole("navigation", { name: "Account" });
const rows = (page: Page) => page.getByRole("main").getByRole("listitem");

test("from the account every setting is one press away, and the place is marked", async ({ page, site }) => {
  const person = await haveSignedIn(page, site);
  for (const [label, path, title] of [
    ["Password", "/account/password", "Change your password"],
    ["Devices", "/account/sessions", "Your devices"],
  ]) {
    await page.goto("/account");
    await expect(nav(page).getByRole("link")).toHaveText(["Overview", "Password", "Devices"]);
    await expect(nav(page).getByRole("link", { name: "Overview" })).toHaveAttribute("aria-current", "page");
    await nav(page).getByRole("link", { name: label }).click();
    await expect(page).toHaveURL(path);
    await expect(page).toHaveTitle(`${title} - Vestibule`);
    await expect(heading(page)).toHaveText(title);
    await expect(nav(page).locator("[aria-current]")).toHaveText(label);
    await page.goto("/account");
    await page.getByRole("definition").getByRole("link", { name: new RegExp(`${label.toLowerCase()}$`) }).click();
    await expect(page).toHaveURL(path);
  }
  await nav(page).getByRole("link", { name: "Overview" }).click();
  await expectAccount(page, person);
});

test("the pages of an account are for the signed-in", async ({ page }) => {
  for (const path of ["/account", "/account/password", "/account/sessions"]) {
    await page.goto(path);
    await expect(page).toHaveURL(`/login?next=${encodeURIComponent(path)}`);
  }
});

test("devices have names in words, and are signed out one by one", async ({ page, site, elsewhere, context }) => {
  const person = await haveSignedIn(page, site);
  await page.goto("/account/sessions");
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByRole("main")).toContainText("You are signed in on this device only.");
  await expect(page.getByRole("main").getByRole("button")).toHaveCount(0);

  const other = await elsewhere(site, FIREFOX);
  await beSignedIn(other, site, person);
  await other.goto("/account");
  await page.reload();
  await expect(rows(page)).toContainText(["Chrome on Linux", "Firefox on Windows"]);
  await expect(rows(page).nth(0)).toContainText("This device");
  await expect(rows(page).nth(1)).not.toContainText("This device");
  await expect(page.getByRole("main")).not.toContainText("Mozilla");
  await expect(rows(page).nth(1).locator("time")).toHaveText([/UTC$/, /UTC$/]);
  const late = await context.newPage();
  await late.goto("/account/sessions");

  expect((await press(page, "Sign out Firefox on Windows")).status()).toBe(303);
  await expect(page).toHaveURL("/account/sessions");
  await expect(page.getByRole("status")).toHaveText("Signed out Firefox on Windows.");
  await expect(rows(page)).toHaveCount(1);
  await expectSentOut(other);

  // The page that was open all the time.
  await press(late, "Sign out Firefox on Windows");
  await expect(late.getByRole("status")).toHaveText("That device was signed out already.");
  await page.goto("/account");
  await expectAccount(page, person);
});

test("all other devices are signed out at once", async ({ page, site, elsewhere }) => {
  const person = await haveSignedIn(page, site);
  const others = [await elsewhere(site, FIREFOX), await elsewhere()];
  for (const other of others) {
    await beSignedIn(other, site, person);
    await other.goto("/account");
  }
  await page.goto("/account/sessions");
  await expect(rows(page)).toHaveCount(3);
  await press(page, "Sign out all other devices");
  await expect(page.getByRole("status")).toHaveText("All other devices are signed out.");
  await expect(rows(page)).toHaveCount(1);
  for (const other of others) await expectSentOut(other);
  await page.goto("/account");
  await expectAccount(page, person);
});

test("devices of somebody else are out of reach", async ({ page, site, elsewhere }) => {
  const [me, victim] = [await haveSignedIn(page, site), await haveAccount(site)];
  const [hers, herOther, mine] = [await elsewhere(), await elsewhere(), await elsewhere()];
  for (const [at, person] of [[hers, victim], [herOther, victim], [mine, me]] as const) await beSignedIn(at, site, person);
  await hers.goto("/account/sessions");
  const id = await hers.locator("input[name=id]").inputValue();
  await page.goto("/account/sessions");
  // As by somebody who has got hold of the number.
  await page.locator("input[name=id]").evaluate((input, id) => input.setAttribute("value", id), id);
  await press(page, "Sign out Chrome on Linux");
  await expect(page.getByRole("status")).toHaveText("That device was signed out already.");
  await herOther.goto("/account");
  await expectAccount(herOther, victim);
});
