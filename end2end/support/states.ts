// Every page in every state it can be seen in. The tests about looks and access go through all of them.

import type { Page } from "@playwright/test";
import { ACCOUNT_STATES } from "./account-states.ts";
import { enterCode, fillSignIn, fillSignUp, join, letterTo, linkTo, press, signUp, wrong } from "./acts.ts";
import { somebody, WRONG_PASSWORD } from "./people.ts";
import { at, type Open, openDetails, type World } from "./world.ts";

/** A person of whom a letter has arrived, and the link in it. */
async function signedUp({ page, site }: World) {
  const person = somebody();
  await signUp(page, person);
  return { person, link: await linkTo(site, person) };
}

async function sendSignUps(page: Page, url: string, count: number) {
  for (let sent = 0; sent < count; sent++) {
    await page.goto(`${url}/register`);
    await fillSignUp(page, somebody());
    await press(page, "Create account");
  }
}

export const STATES: Record<string, Open> = {
  "the front page": at("/"),
  "the front page, signed in": async ({ page, site }) => {
    await join(page, site, somebody());
    await page.goto("/");
  },
  "sign-up": at("/register"),
  "sign-up with all faults": async ({ page }) => {
    await page.goto("/register");
    await page.getByLabel("Phone number (optional)", { exact: true }).fill("call me");
    await page.getByLabel("Email address", { exact: true }).fill("m".repeat(60));
    await page.getByLabel("First name", { exact: true }).focus();
    await press(page, "Create account");
  },
  "sign-up, closed": async ({ page, siteWith }) => {
    const { url } = await siteWith({ VESTIBULE_REGISTRATION: "closed" });
    await page.goto(`${url}/register`);
  },
  "sign-up with terms, not agreed to": async ({ page, siteWith }) => {
    const { url } = await siteWith({
      VESTIBULE_TERMS_VERSION: "2026-11",
      VESTIBULE_TERMS_URL: "https://example.com/terms",
      VESTIBULE_PRIVACY_URL: "https://example.com/privacy",
    });
    await page.goto(`${url}/register`);
    await press(page, "Create account");
  },
  "sign-up, too many times": async ({ page, siteWith }) => {
    const { url } = await siteWith({ VESTIBULE_RATE_LIMITS: "on" });
    await sendSignUps(page, url, 6);
  },
  "check your email": async (world) => {
    await signedUp(world);
    await openDetails(world.page);
  },
  "check your email, with a long address": async ({ page }) => {
    const email = `${"margaret-".repeat(7)}x@${"example".repeat(8)}.example.com`;
    await signUp(page, { ...somebody(), email });
  },
  "check your email, wrong code": async (world) => {
    const { person } = await signedUp(world);
    const { code } = await letterTo(world.site, person);
    await enterCode(world.page, wrong(code ?? ""));
  },
  "check your email, new code sent": async (world) => {
    await signedUp(world);
    await openDetails(world.page);
    await press(world.page, "Send a new code");
  },
  "start again": at("/verify-email"),
  "start again, no address given": async ({ page }) => {
    await page.goto("/verify-email");
    await press(page, "Send a new code");
  },
  "the link": async (world) => {
    const { link } = await signedUp(world);
    await world.page.goto(link);
  },
  "the link in another browser": async (world) => {
    const { link } = await signedUp(world);
    const other = await world.elsewhere();
    await other.goto(link);
    await openDetails(other);
    return other;
  },
  "the link in another browser, wrong password": async (world) => {
    const { link } = await signedUp(world);
    const other = await world.elsewhere();
    await other.goto(link);
    await other.getByLabel("Password chosen at sign-up", { exact: true }).fill(WRONG_PASSWORD);
    await press(other, "Confirm email address");
    return other;
  },
  "the link in another browser, no new password": async (world) => {
    const { link } = await signedUp(world);
    const other = await world.elsewhere();
    await other.goto(link);
    await openDetails(other);
    await press(other, "Confirm and set this password");
    return other;
  },
  "the link, used": async (world) => {
    const { link } = await signedUp(world);
    await world.page.goto(link);
    await press(world.page, "Confirm email address");
    await world.page.goto(link);
  },
  "the link, replaced by a newer one": async (world) => {
    const { link } = await signedUp(world);
    await openDetails(world.page);
    await press(world.page, "Send a new code");
    await world.page.goto(link);
  },
  "the link, unknown": at("/verify-email?token=nonsense"),
  "sign-in": at("/login"),
  "sign-in, nothing filled": async ({ page }) => {
    await page.goto("/login");
    await press(page, "Sign in");
  },
  "sign-in, wrong": async ({ page }) => {
    await page.goto("/login");
    await fillSignIn(page, somebody().email, WRONG_PASSWORD);
    await press(page, "Sign in");
  },
  "sign-out": async ({ page, site }) => {
    await join(page, site, somebody());
    await page.goto("/logout");
  },
  "sign-out, signed out": at("/logout"),
  "signed out": async ({ page, site }) => {
    await join(page, site, somebody());
    await press(page, "Sign out");
  },
  "the account": ({ page, site }) => join(page, site, somebody()),
  "the account of a person with a long name": ({ page, site }) =>
    join(page, site, { ...somebody(), firstName: "Wolfe­schlegel".repeat(6).replaceAll("­", ""), lastName: "Maria ".repeat(16).trim() }),
  help: async ({ page }) => {
    await page.goto("/help");
    await openDetails(page);
  },
  "the accessibility page": at("/accessibility"),
  "the mailbox, empty": async ({ page, siteWith }) => {
    const { url } = await siteWith({});
    await page.goto(`${url}/dev/mailbox`);
  },
  "the mailbox": async ({ page, siteWith }) => {
    const site = await siteWith({});
    const person = somebody();
    await page.goto(`${site.url}/register`);
    await fillSignUp(page, person);
    await press(page, "Create account");
    await letterTo(site, person);
    await page.goto(`${site.url}/dev/mailbox`);
    await openDetails(page);
  },
  "page not found": at("/nowhere"),
  ...ACCOUNT_STATES,
};
