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

/** @param {import("./support/server.mjs").Site} site */
async function newestLetter(site) {
  for (let tries = 0; tries < 200; tries++) {
    const [letter] = await site.letters(PERSON["#email"]);
    if (letter) return letter;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("No letter came.");
}

/** The pages of one width and colour scheme, each on a fresh site.
 * @param {import("@playwright/test").Browser} browser
 * @param {import("@playwright/test").BrowserContextOptions} options
 * @param {(name: string, page: Page) => Promise<unknown>} take */
async function tour(browser, options, take) {
  const site = await startSite();
  const context = await browser.newContext({ ...options, baseURL: site.url, reducedMotion: "reduce" });
  const elsewhere = await browser.newContext({ ...options, baseURL: site.url, reducedMotion: "reduce" });
  try {
    const page = await context.newPage();
    for (const [name, path] of Object.entries({ home: "/", register: "/register", login: "/login", help: "/help", "not-found": "/nowhere" })) {
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
  } finally {
    await context.close();
    await elsewhere.close();
    await site.stop();
  }
}

/** @param {import("@playwright/test").Browser} browser @param {string} folder */
async function pictures(browser, folder) {
  await mkdir(folder, { recursive: true });
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    for (const width of [320, 1280]) {
      await tour(browser, { colorScheme, viewport: { width, height: 800 } }, (name, page) =>
        page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true }),
      );
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
