// What must not happen in any test, whatever it is about.

import { type BrowserContext, expect } from "@playwright/test";
import type { Site } from "./server.mjs";
import { SECRETS } from "./people.ts";

/** Chromium's own words on a page that answers with a refusal. Everything else on the console is a fault. */
const REFUSAL = /^Failed to load resource: the server responded with a status of (404|422|429) /;

/** Playwright looks into frames by script, which the frame of a letter refuses to everybody. */
const SANDBOX = /^Blocked script execution in '[^']*\/dev\/mailbox\/[^']*\.html'/;

/** Said when a test types into a page before the browser has moved the focus; a person in such a hurry is right. */
const HURRY = "Autofocus processing was blocked because a document already has a focused element.";

export class Watch {
  private sites: Site[] = [];
  private faults: string[] = [];

  allow(site: Site) {
    this.sites.push(site);
  }

  over(context: BrowserContext) {
    context.on("console", (message) => {
      const { url } = message.location();
      const isOfPage = REFUSAL.test(message.text()) && !url.includes("/assets/");
      const isOfTest = SANDBOX.test(message.text()) || message.text() === HURRY;
      if (!isOfPage && !isOfTest) this.faults.push(`console: ${message.type()}: ${message.text()} (${url})`);
    });
    context.on("weberror", (error) => this.faults.push(`page error: ${error.error().message}`));
    context.on("request", (request) => this.judge(request.url()));
    context.on("page", (page) => page.on("framenavigated", (frame) => this.judge(frame.url())));
  }

  /** No other origin is asked for anything, and nothing that was typed is in an address. */
  private judge(address: string) {
    const { protocol, origin, href } = new URL(address);
    if (!protocol.startsWith("http")) return;
    if (!this.sites.some((site) => site.url === origin)) this.faults.push(`a request to another origin: ${address}`);
    const words = decodeURIComponent(href.replaceAll("+", " "));
    if (["@", "code=", "password=", ...SECRETS].some((secret) => words.includes(secret))) {
      this.faults.push(`something typed is in an address: ${address}`);
    }
  }

  end() {
    expect([...this.faults, ...this.sites.flatMap((site) => site.errors())], "console, page errors, requests, log").toEqual([]);
  }
}
