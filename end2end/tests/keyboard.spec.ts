// By keyboard alone: every stop is seen, and they come in the order of the page.

import type { Page } from "@playwright/test";
import { beSignedIn, codeField, codeTo, expectAccount, haveSignedIn, press, signUp, tabTo } from "../support/acts.ts";
import { somebody } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

/** Every stop of the page, by the Tab key. */
async function expectStopsInOrder(page: Page) {
  // Numbered in the order of the page. Of radio buttons only the chosen one is a stop.
  const stops = await page.evaluate(() => {
    const all = [...document.querySelectorAll<HTMLElement>("a[href], button, input:not([type=hidden]), summary")];
    const stops = all.filter((element) => {
      const isPassed = element.matches("[type=radio]:not(:checked)") || element.tabIndex < 0;
      return element.checkVisibility() && !isPassed;
    });
    stops.forEach((element, at) => element.setAttribute("data-stop", String(at)));
    return stops.length;
  });
  expect(stops).toBeGreaterThan(5);
  for (let at = 0; at < stops; at++) {
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    await expect(focused).toHaveAttribute("data-stop", String(at));
    await expect(focused).toBeInViewport({ ratio: 0.99 });
    const outline = await focused.evaluate((element) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
    });
    expect(outline, `outline of stop ${at}`).toBeGreaterThanOrEqual(2);
    if (at === 0) await expect(focused).toHaveText("Skip to main content");
  }
}

for (const path of ["/", "/register", "/login", "/password/reset", "/help"]) {
  test(`the Tab key goes through ${path} in order`, async ({ page }) => {
    await page.goto(path);
    await expectStopsInOrder(page);
  });
}

test("the Tab key goes through the account in order", async ({ page, site, elsewhere }) => {
  const person = await haveSignedIn(page, site);
  await beSignedIn(await elsewhere(), site, person);
  for (const path of ["/account", "/account/password", "/account/sessions"]) {
    await page.goto(path);
    await expectStopsInOrder(page);
  }
});

test("the skip link leads past the header", async ({ page }) => {
  await page.goto("/login");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/login#main");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("main").getByRole("link").first()).toBeFocused();
});

test("an account can be made without a pointer", async ({ page, site }) => {
  const person = somebody();
  await page.goto("/register");
  await page.locator("#email").focus();
  for (const [id, text] of [
    ["email", person.email],
    ["new-password", person.password],
    ["first-name", person.firstName],
    ["last-name", person.lastName],
  ]) {
    await tabTo(page, id);
    await page.keyboard.insertText(text);
  }
  await tabTo(page, "user-type");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByLabel("Host", { exact: true })).toBeChecked();
  await tabTo(page, "phone");
  await page.keyboard.press("Enter");
  await expect(codeField(page)).toBeFocused();
  await page.keyboard.insertText(await codeTo(site, person));
  await page.keyboard.press("Enter");
  await expectAccount(page, person);
});

test("the letter's answer is one key away: the code field has the focus", async ({ page }) => {
  await signUp(page, somebody());
  await expect(codeField(page)).toBeFocused();
  const answer = await press(page, "Confirm email address");
  expect(answer.status()).toBe(422);
  await expect(codeField(page), "the summary has it now").not.toBeFocused();
});
