import { defineConfig } from "@playwright/test";
import { launch } from "./browser.mjs";

const sizes = [
  { width: 320, height: 640 },
  { width: 1280, height: 800 },
];

// Says what a plain HTTP client sees as well, so one browser is enough.
const once = "budget.spec.ts";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  forbidOnly: !!process.env.CI,
  fullyParallel: true,
  workers: 2,
  retries: 0,
  timeout: 20_000,
  reporter: "list",
  use: {
    browserName: "chromium",
    launchOptions: launch,
    screenshot: "only-on-failure",
    locale: "en-GB",
    // Pages fade into each other, and a colour that is still on its way has a contrast of its own.
    contextOptions: { reducedMotion: "reduce" },
  },
  projects: [
    ...[true, false].flatMap((javaScriptEnabled) =>
      sizes.map((viewport) => ({
        name: `${javaScriptEnabled ? "with" : "without"}-script-${viewport.width}`,
        testIgnore: once,
        // What script brings, and what stands in its place.
        grepInvert: javaScriptEnabled ? /@without-script/ : /@with-script/,
        use: { javaScriptEnabled, viewport },
      })),
    ),
    { name: "budget", testMatch: once },
  ],
});
