// The test function of this suite: with a site to test, and under watch.

import { test as base, type Page } from "@playwright/test";
import { startSite, type Site } from "./server.mjs";
import { Watch } from "./watch.ts";

interface OfWorker {
  /** The site with default settings, but without rate limits. */
  site: Site;
}

interface OfTest {
  watch: Watch;
  /** Starts a site with other settings, for this test only. */
  siteWith: (settings: Record<string, string>) => Promise<Site>;
  /** A page of another browser: nothing that this one did is known there. */
  elsewhere: (site?: Site, userAgent?: string) => Promise<Page>;
}

export const test = base.extend<OfTest, OfWorker>({
  site: [
    async ({}, use) => {
      const site = await startSite();
      await use(site);
      await site.stop();
    },
    { scope: "worker" },
  ],
  baseURL: ({ site }, use) => use(site.url),
  watch: async ({ site }, use) => {
    const watch = new Watch();
    watch.allow(site);
    await use(watch);
    watch.end();
  },
  context: async ({ context, watch }, use) => {
    watch.over(context);
    await use(context);
  },
  siteWith: async ({ watch }, use) => {
    const sites: Site[] = [];
    await use(async (settings) => {
      const site = await startSite(settings);
      sites.push(site);
      watch.allow(site);
      return site;
    });
    await Promise.all(sites.map((site) => site.stop()));
  },
  elsewhere: async ({ browser, site, watch }, use) => {
    const contexts: Awaited<ReturnType<typeof browser.newContext>>[] = [];
    await use(async (there = site, userAgent) => {
      // Playwright gives it the options of the project.
      const context = await browser.newContext({ baseURL: there.url, ...(userAgent && { userAgent }) });
      contexts.push(context);
      watch.over(context);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

export { expect } from "@playwright/test";
