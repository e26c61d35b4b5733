// How the browser is started; for the tests and for the pictures.

/** @type {import("@playwright/test").LaunchOptions} */
export const launch = {
  executablePath: process.env.CHROMIUM,
  args: [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
  ],
};
