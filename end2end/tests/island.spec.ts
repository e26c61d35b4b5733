// What script adds to the forms. Without it nothing is missing but comfort.

import type { Page } from "@playwright/test";
import { fillSignIn, fillSignUp, heading, press } from "../support/acts.ts";
import { expectFaults } from "../support/faults.ts";
import { PASSWORD, somebody } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const ODD_EMAIL = "Enter an email address in the correct format, like name@example.com";

test.describe("with script", { tag: "@with-script" }, () => {
  async function openAwake(page: Page, path: string) {
    await page.goto(path);
    await expect(page.locator("html[data-islands=awake]")).toBeAttached();
  }

  test("a fault is told on leaving the field, not while it is typed, and goes when it is mended", async ({ page }) => {
    await openAwake(page, "/register");
    const email = page.locator("#email");
    await email.pressSequentially("margaret");
    await expect(page.locator(".error-msg")).toHaveCount(0);
    await email.press("Tab");
    await expect(page.locator("#email-error")).toContainText(ODD_EMAIL);
    await expect(email).toHaveAttribute("aria-invalid", "true");
    await expect(email).toHaveAttribute("aria-describedby", "email-hint email-error");

    await email.fill("margaret@example.com");
    await email.press("Tab");
    await expect(page.locator("#email-error")).toHaveCount(0);
    await expect(email).not.toHaveAttribute("aria-invalid");
    await expect(email).toHaveAttribute("aria-describedby", "email-hint");
  });

  test("a field that is only passed through is not scolded", async ({ page }) => {
    await openAwake(page, "/register");
    await page.locator("#email").focus();
    for (let stop = 0; stop < 6; stop++) await page.keyboard.press("Tab");
    await expect(page.locator(".error-msg")).toHaveCount(0);
  });

  test("the message is the one the server gives", async ({ page }) => {
    for (const [id, typed] of [
      ["email", "margaret"],
      ["new-password", "eleven char"],
      ["phone", "call me"],
    ]) {
      await openAwake(page, "/register");
      await page.locator(`#${id}`).fill(typed);
      await page.locator(`#${id}`).press("Tab");
      const message = page.locator(`#${id}-error`);
      await expect(message).toBeVisible();
      const said = await message.textContent();
      await page.locator("#first-name").focus();
      await press(page, "Create account");
      await expect(message).toHaveText(said ?? "");
    }
  });

  test("a message of the server goes as well when the field is mended", async ({ page }) => {
    await openAwake(page, "/login");
    await expectFaults(page, await press(page, "Sign in"), {
      email: "Enter your email address",
      "current-password": "Enter your password",
    });
    await expect(page.locator("html[data-islands=awake]")).toBeAttached();
    await page.locator("#email").fill("margaret@example.com");
    await page.locator("#email").press("Tab");
    await expect(page.locator("#email-error")).toHaveCount(0);
    await expect(page.locator("#current-password-error")).toHaveCount(1);
  });

  test("a message that appears does not take the button from under the pointer", async ({ page }) => {
    await openAwake(page, "/register");
    await fillSignUp(page, somebody());
    const email = page.locator("#email");
    await email.fill("margaret");
    const button = page.getByRole("main").getByRole("button", { name: "Create account" });
    await button.scrollIntoViewIfNeeded();
    const box = await button.boundingBox();
    const answered = page.waitForEvent("response", { predicate: (response) => response.request().method() === "POST", timeout: 5000 });
    await page.mouse.click((box?.x ?? 0) + 20, (box?.y ?? 0) + 20);
    expect((await answered).status()).toBe(422);
  });

  test("a password can be shown and hidden", async ({ page }) => {
    await openAwake(page, "/register");
    const password = page.locator("#new-password");
    await password.fill(PASSWORD);
    await page.getByRole("button", { name: "Show password" }).click();
    await expect(password).toHaveAttribute("type", "text");
    await expect(password).toHaveValue(PASSWORD);
    await page.getByRole("button", { name: "Hide password" }).click();
    await expect(password).toHaveAttribute("type", "password");
  });

  test("while a form is on its way its button says so, and the password is hidden", async ({ page }) => {
    await openAwake(page, "/login");
    await fillSignIn(page, somebody().email, PASSWORD);
    await page.getByRole("button", { name: "Show password" }).click();
    await expect(page.locator("#current-password")).toHaveAttribute("type", "text");
    // Pressed and looked at in one go: a moment later the next page is there.
    const meanwhile = await page.evaluate(() => {
      const button = document.querySelector<HTMLButtonElement>("#sign-in button[type=submit]");
      button?.click();
      const password = document.querySelector("#current-password");
      return [button?.textContent, button?.ariaDisabled, password?.getAttribute("type")];
    });
    expect(meanwhile).toEqual(["Signing in…", "true", "password"]);
    await expect(page.getByRole("alert")).toContainText("Email address or password is not correct");
    await expect(page.getByRole("main").getByRole("button", { name: "Sign in" })).not.toHaveAttribute("aria-disabled");
  });

  test("the Enter key sends a form, also with a fault in it", async ({ page }) => {
    await openAwake(page, "/register");
    await fillSignUp(page, { ...somebody(), email: "margaret" });
    await page.locator("#email").press("Enter");
    await expect(page.getByRole("alert")).toContainText(ODD_EMAIL);
  });
});

test("without script there is no button that needs it", { tag: "@without-script" }, async ({ page }) => {
  for (const path of ["/register", "/login", "/password/reset"]) {
    await page.goto(path);
    await expect(heading(page)).toBeVisible();
    await expect(page.locator("button[type=button]:visible")).toHaveCount(0);
  }
});
