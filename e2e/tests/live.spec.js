// Pages stay true: also about what happened between their making and their first word with the server.
import { expect, test } from '@playwright/test';
import { api } from '../support/server.js';
import { signIn } from '../support/people.js';

/** Holds the page's stream back until it is let go. */
async function hold(page) {
  let release;
  const gate = new Promise((resolve) => { release = resolve; });
  await page.route('**/events?*', async (route) => { await gate; await route.continue(); });
  return release;
}

test('what happened while a page was on its way is told, in the first tab and in others', async ({ page, context }) => {
  await signIn(page);
  const mark = `Way${Date.now()}`;
  const release = await hold(page);
  await page.goto('/contacts');
  await expect(page.locator('#results')).toBeVisible();
  await api('POST', '/api/contacts', { first_name: mark, last_name: 'First' });
  await page.waitForTimeout(300);
  await expect(page.getByText(`${mark} First`)).toHaveCount(0);
  release();
  await expect(page.getByText(`${mark} First`).first()).toBeVisible();

  // A second tab listens through the first; its page is older than its script by one contact.
  const second = await context.newPage();
  await second.route('**/scripts/app.js', async (route) => {
    await api('POST', '/api/contacts', { first_name: mark, last_name: 'Second' });
    await route.continue();
  });
  await second.goto('/contacts');
  await expect(second.getByText(`${mark} Second`).first()).toBeVisible();
  await expect(page.getByText(`${mark} Second`).first()).toBeVisible();
});
