// What password managers go by.

import { expect, type Page } from "@playwright/test";

/** Stable ids with the right tokens, and nothing that stops a paste or a long password. */
export async function expectHints(page: Page, tokens: Record<string, string>) {
  for (const [id, token] of Object.entries(tokens)) {
    const field = page.locator(`#${id}`);
    await expect(field).toHaveAttribute("autocomplete", token);
    await expect(field).not.toHaveAttribute("maxlength");
    await expect(field).not.toHaveAttribute("pattern");
    await expect(field).not.toHaveAttribute("required");
  }
}

/** Whose password is asked: there for managers, out of the way of people. */
export async function expectCompanion(page: Page, email: string) {
  const companion = page.locator("form:has(#new-password) input[name=username]");
  await expect(companion).toHaveValue(email);
  for (const [name, value] of Object.entries({ type: "email", autocomplete: "username", readonly: "", tabindex: "-1", "aria-hidden": "true" })) {
    await expect(companion).toHaveAttribute(name, value);
  }
  // Managers skip what is not rendered at all.
  await expect(companion).not.toHaveCSS("display", "none");
  await expect(companion).not.toHaveCSS("visibility", "hidden");
}
