// Takes pictures of the pages, to be looked at by people.
//
//   node screenshots.mjs FOLDER     every page at two widths, light and dark
//   node screenshots.mjs --readme   docs/picture-light.png and docs/picture-dark.png
//
// CHROMIUM and VESTIBULE_BIN as for the tests.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { launch } from "./browser.mjs";
import { startSite } from "./support/server.mjs";

/** @typedef {import("@playwright/test").Page} Page */

const PERSON = {
  "#email": "margaret@example.com",
  "#new-password": "seven purple otters dance",
  "#first-name": "Margaret",
  "#last-name": "O’Brien",
};

/** @param {Page} page @param {Record<string, string>} [changes] */
async function signUp(page, changes = {}) {
  await page.goto("/register");
  for (const [field, text] of Object.entries({ ...PERSON, ...changes })) await page.fill(field, text);
  // By key: no picture shall depend on where the button is.
  await page.press("#last-name", "Enter");
  await page.waitForURL((url) => url.pathname !== "/register" || Object.keys(changes).length > 0);
  await page.waitForLoadState();
}

/** @param {import("./support/server.mjs").Site} site @param {number} count of the letters that there are by then */
async function newestLetter(site, count = 1, to = PERSON["#email"]) {
  for (let tries = 0; tries < 200; tries++) {
    const letters = await site.letters(to);
    if (letters.length >= count) return letters[0];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("No letter came.");
}

/** Fills fields and sends their form by the Enter key in the last; over when another page is there.
 * @param {Page} page @param {Record<string, string>} fields */
async function send(page, fields) {
  for (const [field, text] of Object.entries(fields)) await page.fill(field, text);
  const last = Object.keys(fields).at(-1) ?? "";
  await Promise.all([page.waitForEvent("load"), page.press(last, "Enter")]);
}

/** @param {Page} page @param {string} name */
const press = (page, name) => Promise.all([page.waitForEvent("load"), page.getByRole("main").getByRole("button", { name }).click()]);

/** Password and devices of whoever is signed in on the page.
 * @param {Page} page @param {Page} other in another browser, signed out
 * @param {(name: string, page: Page) => Promise<unknown>} take */
async function security(page, other, take) {
  await page.goto("/account/password");
  await take("account-password", page);
  await send(page, { "#current-password": "not the one", "#new-password": "otters" });
  await take("account-password-faults", page);
  await page.goto("/account/sessions");
  await take("devices-one", page);
  await other.goto("/login");
  await send(other, { "#email": PERSON["#email"], "#current-password": PERSON["#new-password"] });
  await page.reload();
  await take("devices-two", page);
  await press(page, "Sign out Firefox on Windows");
  await take("devices-ended", page);
  await page.goto("/account/password");
  await send(page, { "#current-password": PERSON["#new-password"], "#new-password": "a quiet harbour at noon" });
  await take("account-password-changed", page);
}

/** A forgotten password.
 * @param {Page} page signed in, as somebody else @param {Page} other signed out
 * @param {import("./support/server.mjs").Site} site @param {number} letters that have come before
 * @param {(name: string, page: Page) => Promise<unknown>} take */
async function recovery(page, other, site, letters, take) {
  await other.context().clearCookies();
  await other.goto("/password/reset/confirm");
  await take("reset-start-again", other);
  await other.goto("/password/reset/confirm?token=nonsense");
  await take("reset-link-unknown", other);
  await other.goto("/password/reset");
  await take("reset", other);
  await send(other, { "#email": "margaret@" });
  await take("reset-fault", other);
  await send(other, { "#email": PERSON["#email"] });
  await other.locator("details summary").click();
  await take("reset-asked", other);
  await send(other, { "#new-password": "otters", "#code": "12" });
  await take("reset-asked-faults", other);
  const older = await newestLetter(site, letters + 1);
  await other.goto("/password/reset");
  await send(other, { "#email": PERSON["#email"] });
  const { link } = await newestLetter(site, letters + 2);
  await other.goto(older.link ?? "");
  await take("reset-link-expired", other);
  await page.goto(link ?? "");
  await take("reset-link-signed-in", page);
  await other.goto(link ?? "");
  await take("reset-link", other);
  await send(other, { "#new-password": "seven green otters dance" });
  await take("reset-done", other);
  await other.goto(link ?? "");
  await take("reset-link-used", other);
}

/** Somebody else, in no picture. @param {Page} page @param {import("./support/server.mjs").Site} site @param {string} email */
async function signUpAs(page, site, email) {
  await signUp(page, { "#email": email });
  const { code } = await newestLetter(site, 1, email);
  await page.goto("/verify-email");
  await send(page, { "#code": code ?? "" });
}

/** The pages of one width and colour scheme, each on a fresh site.
 * @param {import("@playwright/test").Browser} browser
 * @param {import("@playwright/test").BrowserContextOptions} options
 * @param {(name: string, page: Page) => Promise<unknown>} take */
async function tour(browser, options, take) {
  const site = await startSite();
  const context = await browser.newContext({ ...options, baseURL: site.url, reducedMotion: "reduce" });
  const userAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0";
  const elsewhere = await browser.newContext({ ...options, baseURL: site.url, reducedMotion: "reduce", userAgent });
  try {
    const page = await context.newPage();
    const plain = { home: "/", register: "/register", login: "/login", help: "/help", api: "/api/docs", "not-found": "/nowhere" };
    for (const [name, path] of Object.entries(plain)) {
      await page.goto(path);
      await take(name, page);
    }
    await signUp(page, { "#email": "margaret@", "#new-password": "otters", "#last-name": "" });
    await page.locator(".summary").waitFor();
    await take("register-faults", page);

    await page.goto("/login");
    await page.fill("#email", PERSON["#email"]);
    await page.fill("#current-password", "not the one");
    await page.press("#current-password", "Enter");
    await page.locator(".summary").waitFor();
    await take("login-fault", page);

    await signUp(page);
    await take("verify-email", page);
    const { code, link } = await newestLetter(site);
    await page.goto("/dev/mailbox");
    await take("mailbox", page);
    const other = await elsewhere.newPage();
    await other.goto(link ?? "");
    await other.locator("summary").click();
    await take("link-elsewhere", other);

    await page.goto("/verify-email");
    await page.fill("#code", code ?? "");
    await page.press("#code", "Enter");
    await page.waitForURL("/account");
    await take("account", page);

    await other.context().clearCookies();
    await security(page, other, take);
    // The letters so far: of the sign-up, and of the changed password.
    await page.context().clearCookies();
    await signUpAs(page, site, "frances@example.com");
    await recovery(page, other, site, 2, take);
  } finally {
    await context.close();
    await elsewhere.close();
    await site.stop();
  }
}

/** Where an address may be used before it is confirmed.
 * @param {import("@playwright/test").Browser} browser
 * @param {import("@playwright/test").BrowserContextOptions} options
 * @param {(name: string, page: Page) => Promise<unknown>} take */
async function unconfirmed(browser, options, take) {
  const site = await startSite({ VESTIBULE_EMAIL_VERIFICATION: "optional" });
  const context = await browser.newContext({ ...options, baseURL: site.url, reducedMotion: "reduce" });
  try {
    const page = await context.newPage();
    await signUp(page);
    await page.goto("/account");
    await take("account-unconfirmed", page);
    await page.goto("/verify-email");
    await take("verify-email-signed-in", page);
    const { link } = await newestLetter(site);
    await page.goto(link ?? "");
    await take("link-signed-in", page);
    await resetElsewhere(browser, options, site, take);
    await press(page, "Confirm email address");
    await take("account-confirmed", page);
  } finally {
    await context.close();
    await site.stop();
  }
}

/**
 * A reset link of an account that nobody confirmed, where nobody is signed in.
 * @param {import("@playwright/test").Browser} browser
 * @param {import("@playwright/test").BrowserContextOptions} options
 * @param {import("./support/server.mjs").Site} site
 * @param {(name: string, page: Page) => Promise<unknown>} take */
async function resetElsewhere(browser, options, site, take) {
  const context = await browser.newContext({ ...options, baseURL: site.url, reducedMotion: "reduce" });
  try {
    const page = await context.newPage();
    await page.goto("/password/reset");
    await page.getByLabel("Email address").fill(PERSON["#email"]);
    await press(page, "Send the code");
    const { link } = await newestLetter(site, 2);
    await page.goto(link ?? "");
    await take("reset-begins-anew", page);
  } finally {
    await context.close();
  }
}

/** @param {import("@playwright/test").Browser} browser @param {string} folder */
async function pictures(browser, folder) {
  await mkdir(folder, { recursive: true });
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    for (const width of [320, 1280]) {
      const options = { colorScheme, viewport: { width, height: 800 } };
      /** @param {string} name @param {Page} page */
      const take = (name, page) =>
        page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      await tour(browser, options, take);
      await unconfirmed(browser, options, take);
    }
  }
}

/** Sign-up with its faults beside the account. @param {import("@playwright/test").Browser} browser */
async function readmePicture(browser) {
  const docs = fileURLToPath(new URL("../docs", import.meta.url));
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    /** @type {Record<string, string>} */
    const taken = {};
    await tour(browser, { colorScheme, viewport: { width: 584, height: 860 } }, async (name, page) => {
      taken[name] = (await page.screenshot()).toString("base64");
    });
    const frame = await browser.newPage({ viewport: { width: 1200, height: 884 } });
    const image = (/** @type {string} */ name) => `<img src="data:image/png;base64,${taken[name]}">`;
    await frame.setContent(
      `<style>
        body { margin: 0; padding: 12px 11px; display: flex; gap: 10px; background: ${colorScheme === "light" ? "#d9d4c7" : "#000"} }
        img { width: 584px; height: 860px; border-radius: 8px }
      </style>${image("register-faults")}${image("account")}`,
    );
    await writeFile(join(docs, `picture-${colorScheme}.png`), await frame.screenshot());
    await frame.close();
  }
}

const [target] = process.argv.slice(2);
if (!target) {
  console.error("Usage: node screenshots.mjs FOLDER | --readme");
  process.exit(2);
}
const browser = await chromium.launch(launch);
try {
  await (target === "--readme" ? readmePicture(browser) : pictures(browser, target));
} finally {
  await browser.close();
}
