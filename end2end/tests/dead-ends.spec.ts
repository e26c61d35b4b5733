// Letters about a new password that no longer lead anywhere, and how to go on.

import {
  askReset,
  codeField,
  enterResetCode,
  expectExpired,
  haveAccount,
  heading,
  press,
  resetLetterTo,
  resetLinkTo,
  signIn,
} from "../support/acts.ts";
import { expectFaults } from "../support/faults.ts";
import { OTHER_PASSWORD } from "../support/people.ts";
import { expect, test } from "../support/test.ts";

const WRONG_CODE = "The code is not correct or has expired. Check it, or send a new code";

test("a newer letter ends an older one", async ({ page, site }) => {
  const person = await haveAccount(site);
  await askReset(page, person.email);
  const older = await resetLetterTo(site, person);
  await askReset(page, person.email);
  const newer = await resetLetterTo(site, person, 3);
  if (older.code !== newer.code) {
    await expectFaults(page, await enterResetCode(page, older.code ?? "", OTHER_PASSWORD), { code: WRONG_CODE });
  }
  await page.goto(older.link ?? "");
  await expect(heading(page)).toHaveText("This link has expired");
  await page.goto(newer.link ?? "");
  await expect(heading(page)).toHaveText("Choose a new password");
});

test("a link that is too old says until when it worked, and offers another letter", async ({ siteWith, elsewhere }) => {
  const site = await siteWith({ VESTIBULE_RESET_TTL: "1s" });
  const page = await elsewhere(site);
  const person = await haveAccount(site);
  await askReset(page, person.email);
  const { link, code } = await resetLetterTo(site, person);
  await expectExpired(page, link ?? "");
  await expect(page.getByRole("main").getByText(/^This link worked until /)).toBeVisible();
  await page.getByLabel("Email address", { exact: true }).fill(person.email);
  await press(page, "Send a new code");
  await expect(heading(page)).toHaveText("Check your email");
  await resetLetterTo(site, person, 3);
  await expectFaults(page, await enterResetCode(page, code ?? "", OTHER_PASSWORD), { code: WRONG_CODE });
  expect((await signIn(page, person)).status(), "the old password").toBe(303);
});

test("a link that was cut off, or a page without a beginning, says how to go on", async ({ page, site }) => {
  const person = await haveAccount(site);
  await page.goto("/password/reset/confirm");
  await expect(heading(page)).toHaveText("Start again");
  await expectFaults(page, await press(page, "Send the code"), { email: "Enter your email address" });
  await page.getByLabel("Email address", { exact: true }).fill("margaret");
  const odd = "Enter an email address in the correct format, like name@example.com";
  await expectFaults(page, await press(page, "Send the code"), { email: odd });
  await expect(page.locator("#email")).toHaveValue("margaret");
  await askReset(page, person.email);
  const link = await resetLinkTo(site, person);
  for (const address of [link.slice(0, -5), "/password/reset/confirm?token=nonsense", "/password/reset/confirm?token="]) {
    await page.goto(address);
    await expect(heading(page)).toHaveText("This link does not work");
  }
  await page.getByLabel("Email address", { exact: true }).fill(person.email);
  await press(page, "Send a new code");
  await expect(codeField(page)).toBeVisible();
  await resetLinkTo(site, person, 3);
});
