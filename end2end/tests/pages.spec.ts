// What holds for every page in every state: no barrier that a program can find, no sideways scrolling, nothing too
// small to hit.

import axe from "axe-core";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";
import { STATES } from "../support/states.ts";

/** WCAG 2.2, 2.5.8 (level AA). */
const SMALLEST_TARGET = 24;
/** 2.5.5 (level AAA): what is below is noted, not refused. */
const GOOD_TARGET = 44;

const OPTIONS: axe.RunOptions = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations"],
  rules: { "color-contrast-enhanced": { enabled: true }, "target-size": { enabled: true } },
};

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate((options) => (window as unknown as { axe: typeof axe }).axe.run(document, options), OPTIONS);
  return found.violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html}`));
}

/** What the page is wider than the window by. */
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Styles as a reader may set them. Put in as an object: the content security policy takes no others. */
const restyle = (page: Page, css: string) =>
  page.evaluate((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [sheet];
  }, css);

/** WCAG 1.4.12. */
const WIDE_TEXT = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-block-end: 2em !important }";
const LARGE_TEXT = ":root { font-size: 200% }";

/** Everything that can be pressed outside of running text, with the size of what can be hit. */
const targets = (page: Page) =>
  page.evaluate(() => {
    const isInSentence = (element: Element) => {
      const around = element.closest("p, li, dd, label");
      return element.matches("a") && !!around && around.textContent?.trim() !== element.textContent?.trim();
    };
    const isForScreenReaders = (element: Element) => !!element.closest(".vh, .skip");
    return [...document.querySelectorAll("a, button, input, select, textarea, summary")]
      .filter((element) => element.checkVisibility() && element.getClientRects().length > 0)
      .filter((element) => !isInSentence(element) && !isForScreenReaders(element))
      .map((element) => {
        // A label belongs to what its box or button can be hit by.
        const box = (element.matches("[type=radio], [type=checkbox]") ? element.closest("label") : null) ?? element;
        const { width, height } = box.getBoundingClientRect();
        return { what: element.outerHTML.slice(0, 120), width, height };
      });
  });

for (const [name, open] of Object.entries(STATES)) {
  test(name, async ({ page: first, site, siteWith, elsewhere, javaScriptEnabled, viewport }) => {
    const page = (await open({ page: first, site, siteWith, elsewhere })) ?? first;
    if (javaScriptEnabled) {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect.soft(await violations(page), `axe, ${colorScheme}`).toEqual([]);
      }
    }

    const found = await targets(page);
    const isBelow = (side: number) => (target: { width: number; height: number }) => Math.min(target.width, target.height) < side;
    expect.soft(found.filter(isBelow(SMALLEST_TARGET)), "targets too small").toEqual([]);
    for (const { what, width, height } of found.filter(isBelow(GOOD_TARGET))) {
      test.info().annotations.push({ type: `below ${GOOD_TARGET} px`, description: `${width} × ${height}: ${what}` });
    }

    expect.soft(await overflow(page), "wider than the window").toBe(0);
    if (viewport?.width === 320) {
      await restyle(page, WIDE_TEXT);
      expect.soft(await overflow(page), "wider than the window, with wide text").toBe(0);
      await restyle(page, LARGE_TEXT);
      expect.soft(await overflow(page), "wider than the window, with large text").toBe(0);
    }
  });
}
