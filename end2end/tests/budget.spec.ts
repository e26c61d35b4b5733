// What a page weighs, as it is sent.

import { get, type IncomingHttpHeaders } from "node:http";
import { brotliCompressSync } from "node:zlib";
import { haveSignedIn } from "../support/acts.ts";
import { expect, test } from "../support/test.ts";

const KB = 1000;
const HTML = 4 * KB;
/** One round trip: what a server may send before it hears back. */
const FIRST_SIGHT = 14 * KB;
const SCRIPT = 90 * KB;

/** HTML and style of an account page. */
const ACCOUNT = 20 * KB;

const START_AGAIN = "/password/reset/confirm";
const WITHOUT_FORM = ["/", "/help", "/accessibility", "/logout", "/verify-email", START_AGAIN, "/nowhere"];
const SIGNED_OUT = ["/register", "/login", "/password/reset", ...WITHOUT_FORM];
const SIGNED_IN = ["/account", "/account/password", "/account/sessions"];

interface Sent {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** As a browser that takes Brotli gets it, still compressed. */
function sent(url: string, cookie = ""): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { "accept-encoding": "br", accept: "text/html", cookie } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(parts) }));
    });
    request.on("error", reject);
  });
}

async function weigh(url: string, cookie = ""): Promise<number> {
  const { headers, body } = await sent(url, cookie);
  return headers["content-encoding"] === "br" ? body.length : brotliCompressSync(body).length;
}

test("what is seen first fits one round trip", async ({ site }) => {
  const page = (await sent(`${site.url}/register`)).body.toString();
  const linked = [...page.matchAll(/<link [^>]*href="([^"]+)"/g)].map(([, path]) => path);
  expect(linked).toHaveLength(2);
  const extras = await Promise.all(linked.map((path) => weigh(site.url + path)));
  const weights = await Promise.all(SIGNED_OUT.map((path) => weigh(site.url + path)));
  const sum = extras.reduce((sum, weight) => sum + weight, 0);
  linked.forEach((path, at) => console.log(`${path}: ${extras[at]} bytes`));
  SIGNED_OUT.forEach((path, at) => console.log(`${path}: ${weights[at]} bytes, with style and icon ${weights[at] + sum}`));
  for (const [at, weight] of weights.entries()) {
    expect.soft(weight, `HTML of ${SIGNED_OUT[at]}`).toBeLessThanOrEqual(HTML);
    expect.soft(weight + sum, `HTML, style and icon of ${SIGNED_OUT[at]}`).toBeLessThanOrEqual(FIRST_SIGHT);
  }
});

test("account pages are light", async ({ page, site }) => {
  await haveSignedIn(page, site);
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const style = (await sent(`${site.url}/account`, cookie)).body.toString().match(/\/assets\/[^"]+\.css/)?.[0];
  const sum = await weigh(`${site.url}${style}`);
  for (const path of SIGNED_IN) {
    const weight = await weigh(site.url + path, cookie);
    console.log(`${path}: ${weight} bytes, with style ${weight + sum}`);
    expect.soft(weight, path).toBeGreaterThan(500);
    expect.soft(weight + sum, path).toBeLessThanOrEqual(ACCOUNT);
  }
});

test("the reading of the API is within one round trip, style and all", async ({ site }) => {
  const page = await weigh(`${site.url}/api/docs`);
  const style = (await sent(`${site.url}/api/docs`)).body.toString().match(/\/assets\/[^"]+\.css/)?.[0];
  const sum = page + (await weigh(`${site.url}${style}`));
  console.log(`/api/docs: ${page} bytes, with style ${sum}`);
  expect(sum).toBeLessThanOrEqual(FIRST_SIGHT);
});

test("script is small, comes late, and is kept for ever", async ({ page, site }) => {
  const scripts = new Set<string>();
  page.on("request", (request) => {
    if (request.resourceType() === "script" || request.url().endsWith(".wasm")) scripts.add(request.url());
  });
  await page.goto("/register");
  await expect(page.locator("html[data-islands=awake]")).toBeAttached();
  let sum = 0;
  for (const url of scripts) {
    const { headers, body } = await sent(url);
    console.log(`${new URL(url).pathname}: ${body.length} bytes`);
    expect(headers["content-encoding"], url).toBe("br");
    sum += body.length;
  }
  console.log(`script and WebAssembly: ${sum} bytes`);
  expect(scripts.size).toBe(3);
  expect(sum).toBeLessThanOrEqual(SCRIPT);
});

test("a page without a form loads no script", async ({ page, site }) => {
  const scripts: string[] = [];
  await haveSignedIn(page, site);
  page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.push(request.url());
  });
  for (const path of ["/account", "/account/sessions", "/api/docs", "/", "/logout"]) await page.goto(path, { waitUntil: "networkidle" });
  await page.context().clearCookies();
  for (const path of WITHOUT_FORM) await page.goto(path, { waitUntil: "networkidle" });
  expect(scripts).toEqual([]);
});

test("assets are kept for ever, pages not without asking", async ({ site }) => {
  const page = await sent(`${site.url}/register`);
  expect(page.headers["cache-control"]).toBe("private, no-cache");
  const assets = [...page.body.toString().matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  expect(assets).toHaveLength(3);
  for (const path of assets) {
    const { headers } = await sent(site.url + path);
    expect(headers["cache-control"], path).toBe("public, max-age=31536000, immutable");
    expect(headers.vary, path).toBe("accept-encoding");
  }
});
