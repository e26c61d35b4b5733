// How a page tells that a form was not taken.

import { expect, type Page, type Response } from "@playwright/test";
import { SECRETS } from "./people.ts";

/**
 * The page after a mistake: status 422, title, focus on the summary, and for each line of the summary a field that
 * says the same. `faults`: from the id of an input to the sentence.
 */
export async function expectFaults(page: Page, answer: Response, faults: Record<string, string>) {
  await expectSummary(page, answer, Object.values(faults));
  for (const [id, sentence] of Object.entries(faults)) {
    const link = page.locator(".summary").getByRole("link", { name: sentence, exact: true });
    await expect(link).toHaveAttribute("href", `#${id}`);
    const input = page.locator(`[id="${id}"]`);
    await expect(input).toHaveAttribute("aria-invalid", "true");
    await expectDescribed(page, id, sentence);
    await link.click();
    await expect(input).toBeFocused();
  }
}

/** The part that is the same for mistakes no single field is to blame for. */
export async function expectSummary(page: Page, answer: Response, sentences: (string | RegExp)[], status = 422) {
  expect(answer.status()).toBe(status);
  await expect(page).toHaveTitle(/^Error: /);
  await expect(page.locator(":focus")).toHaveClass("summary");
  await expect(page.getByRole("alert").getByRole("heading")).toHaveText("There is a problem");
  await expect(page.getByRole("alert").getByRole("listitem")).toHaveText(sentences);
  await expectNoSecrets(page);
}

/** The message beside a field, as screen readers tie it to the input: hint first, fault last. */
export async function expectDescribed(page: Page, id: string, sentence: string) {
  const describedBy = await page.locator(`[id="${id}"]`).getAttribute("aria-describedby");
  const message = page.locator(`[id="${describedBy?.split(" ").at(-1)}"]`);
  await expect(message).toBeVisible();
  await expect(message).toHaveText(`Error: ${sentence}`);
}

/** Neither a password nor a typed code comes back from the server. */
export async function expectNoSecrets(page: Page) {
  const html = await page.content();
  for (const secret of SECRETS) expect(html).not.toContain(secret);
  for (const field of await page.locator("input[type=password], input[autocomplete=one-time-code]").all()) {
    await expect(field).toHaveValue("");
  }
}
