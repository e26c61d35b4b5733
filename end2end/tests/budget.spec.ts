// What a page weighs, as it is sent.

import { get, type IncomingHttpHeaders } from "node:http";
import { brotliCompressSync } from "node:zlib";
import { join } from "../support/acts.ts";
import { somebody } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const KB = 1000;
const HTML = 4 * KB;
/** One round trip: what a server may send before it hears back. */
const FIRST_SIGHT = 14 * KB;
const SCRIPT = 90 * KB;

const SIGNED_OUT = ["/", "/register", "/login", "/verify-email", "/logout", "/help", "/accessibility", "/nowhere"];
const WITHOUT_FORM = ["/", "/help", "/accessibility", "/logout", "/verify-email", "/nowhere"];

interface Sent {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** As a browser that takes Brotli gets it, still compressed. */
function sent(url: string): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { "accept-encoding": "br", accept: "text/html" } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(parts) }));
    });
    request.on("error", reject);
  });
}

async function weigh(url: string): Promise<number> {
  const { headers, body } = await sent(url);
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
  await join(page, site, somebody());
  page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.push(request.url());
  });
  for (const path of ["/account", "/", "/logout"]) await page.goto(path, { waitUntil: "networkidle" });
  await page.context().clearCookies();
  for (const path of WITHOUT_FORM) await page.goto(path, { waitUntil: "networkidle" });
  expect(scripts).toEqual([]);
});

test("assets are kept for ever, pages never", async ({ site }) => {
  const page = await sent(`${site.url}/register`);
  expect(page.headers["cache-control"]).toBe("no-store");
  const assets = [...page.body.toString().matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  expect(assets).toHaveLength(3);
  for (const path of assets) {
    const { headers } = await sent(site.url + path);
    expect(headers["cache-control"], path).toBe("public, max-age=31536000, immutable");
    expect(headers.vary, path).toBe("accept-encoding");
  }
});
