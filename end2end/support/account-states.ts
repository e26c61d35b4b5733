// The states of the pages about passwords and devices.

import {
  askReset,
  beSignedIn,
  changePassword,
  enterResetCode,
  expectExpired,
  fillNewPassword,
  haveAccount,
  haveSignedIn,
  press,
  resetCodeTo,
  resetLinkTo,
  wrong,
} from "./acts.ts";
import { FIREFOX, OTHER_PASSWORD, type Person, somebody, WRONG_PASSWORD } from "./people.ts";
import { at, type Open, openDetails, type World } from "./world.ts";

/** Somebody with an account, in another browser, who has asked for a new password there. */
async function forgetful({ site, elsewhere }: World) {
  const person = await haveAccount(site);
  const other = await elsewhere(site);
  await askReset(other, person.email);
  return { person, other };
}

/** The page of the letter's link, in a browser that knows nothing. */
async function byLink(world: World): Promise<{ person: Person; link: string }> {
  const { person } = await forgetful(world);
  const link = await resetLinkTo(world.site, person);
  await world.page.goto(link);
  return { person, link };
}

/** Signed in, and in one other browser too. */
async function withTwoDevices({ page, site, elsewhere }: World) {
  const person = await haveSignedIn(page, site);
  await beSignedIn(await elsewhere(site, FIREFOX), site, person);
  await page.goto("/account/sessions");
}

const atPassword =
  (current: string, fresh: string): Open =>
  async ({ page, site }) => {
    await haveSignedIn(page, site);
    await page.goto("/account/password");
    await changePassword(page, current, fresh);
  };

export const ACCOUNT_STATES: Record<string, Open> = {
  reset: at("/password/reset"),
  "reset, nothing filled": async ({ page }) => {
    await page.goto("/password/reset");
    await press(page, "Send the code");
  },
  "reset asked": async ({ page }) => {
    await askReset(page, somebody().email);
    await openDetails(page);
  },
  "reset asked, with a long address": async ({ page }) => {
    await askReset(page, `${"margaret-".repeat(7)}x@${"example".repeat(8)}.example.com`);
  },
  "reset by code, all faults": async ({ page }) => {
    await askReset(page, somebody().email);
    await enterResetCode(page, "12", "otters");
  },
  "reset by code, wrong code": async (world) => {
    const { person, other } = await forgetful(world);
    await enterResetCode(other, wrong(await resetCodeTo(world.site, person)), OTHER_PASSWORD);
    return other;
  },
  "reset by link": async (world) => {
    await byLink(world);
  },
  "reset by link, nothing filled": async (world) => {
    await byLink(world);
    await press(world.page, "Change password");
  },
  "reset by link, signed in as somebody else": async (world) => {
    await haveSignedIn(world.page, world.site);
    await byLink(world);
  },
  "reset by link, done": async (world) => {
    await byLink(world);
    await fillNewPassword(world.page, OTHER_PASSWORD);
    await press(world.page, "Change password");
  },
  "reset by link, done for another account": async (world) => {
    await haveSignedIn(world.page, world.site);
    await byLink(world);
    await fillNewPassword(world.page, OTHER_PASSWORD);
    await press(world.page, "Change password");
  },
  "reset link, used": async (world) => {
    const { link } = await byLink(world);
    await fillNewPassword(world.page, OTHER_PASSWORD);
    await press(world.page, "Change password");
    await world.page.goto(link);
  },
  "reset link, expired": async ({ siteWith, elsewhere }) => {
    const site = await siteWith({ VESTIBULE_RESET_TTL: "1s" });
    const { person, other } = await forgetful({ site, elsewhere } as World);
    await expectExpired(other, await resetLinkTo(site, person));
    return other;
  },
  "reset link, replaced by a newer one": async (world) => {
    const { person, link } = await byLink(world);
    await askReset(world.page, person.email);
    await world.page.goto(link);
  },
  "reset link, unknown": at("/password/reset/confirm?token=nonsense"),
  "reset, start again": at("/password/reset/confirm"),
  "password change": async ({ page, site }) => {
    await haveSignedIn(page, site);
    await page.goto("/account/password");
  },
  "password change, nothing filled": atPassword("", ""),
  "password change, wrong password": atPassword(WRONG_PASSWORD, OTHER_PASSWORD),
  "password changed": async ({ page, site }) => {
    const person = await haveSignedIn(page, site);
    await page.goto("/account/password");
    await changePassword(page, person.password, OTHER_PASSWORD);
  },
  "devices, only this one": async ({ page, site }) => {
    await haveSignedIn(page, site);
    await page.goto("/account/sessions");
  },
  "devices, two": withTwoDevices,
  "devices, one ended": async (world) => {
    await withTwoDevices(world);
    await press(world.page, "Sign out Firefox on Windows");
  },
  "devices, one that had ended": async (world) => {
    await withTwoDevices(world);
    const tab = await world.page.context().newPage();
    await tab.goto("/account/sessions");
    await press(tab, "Sign out Firefox on Windows");
    await tab.goto("/");
    await press(world.page, "Sign out Firefox on Windows");
  },
  "devices, all others ended": async (world) => {
    await withTwoDevices(world);
    await press(world.page, "Sign out all other devices");
  },
  "the API": at("/api/docs"),
};
