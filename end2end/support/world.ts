// What a state is made in, and the two ways into one that all share.

import type { Page } from "@playwright/test";
import type { Site } from "./server.mjs";

export interface World {
  page: Page;
  site: Site;
  siteWith: (settings: Record<string, string>) => Promise<Site>;
  elsewhere: (site?: Site, userAgent?: string) => Promise<Page>;
}

/** Brings the page into the state; gives another page where the state is in another browser. */
export type Open = (world: World) => Promise<Page | void>;

export const at =
  (path: string): Open =>
  async ({ page }) => {
    await page.goto(path);
  };

export async function openDetails(page: Page) {
  for (const details of await page.locator("details").all()) {
    if ((await details.getAttribute("open")) === null) await details.locator("summary").click();
  }
}
