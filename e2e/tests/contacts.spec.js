import { expect, test } from '@playwright/test';
import { api, base, cli, number } from '../support/server.js';
import { signIn } from '../support/people.js';

const unique = (name) => `${name}${Date.now().toString(36)}`;

test('a lead that arrives by HTTP appears without a reload', async ({ page }) => {
  await signIn(page);
  const { key } = cli('api-key', 'create', '--tenant', 'brightside', '--name', 'Website', '--scope', 'ingest');
  await page.goto('/contacts');
  const name = unique('Nora');
  const response = await fetch(`${base}/functions/v1/ingest-lead`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ first_name: name, last_name: 'Field', phone: number(), source: 'Website', boiler: 'Rheem' }),
  });
  expect(response.ok, await response.clone().text()).toBeTruthy();
  await expect(page.getByRole('link', { name: `${name} Field` })).toBeVisible();
});

test('a contact is added, found, labelled, filtered, changed, archived, and back', async ({ page }) => {
  await signIn(page);
  const name = unique('Pia');
  const label = unique('label');
  await page.goto('/contacts/new');
  await page.getByLabel('First name').fill(name);
  await page.getByLabel('Phone').fill('12');
  await page.getByRole('button', { name: 'Add contact' }).click();
  await expect(page.locator('#phone-error')).toBeVisible();
  const phone = number();
  await page.getByLabel('Phone').fill(phone);
  await page.getByRole('button', { name: 'Add contact' }).click();
  await expect(page.getByRole('heading', { name })).toBeVisible();

  // The same number again leads to who has it.
  await page.goto('/contacts/new');
  await page.getByLabel('First name').fill('Somebody else');
  await page.getByLabel('Phone').fill(phone);
  await page.getByRole('button', { name: 'Add contact' }).click();
  await page.getByRole('link', { name }).click();
  await expect(page.getByRole('heading', { name })).toBeVisible();

  await page.getByLabel('Add a label').fill(label);
  await page.keyboard.press('Enter');
  await expect(page.locator('.labels .tag', { hasText: label })).toBeVisible();
  await page.getByLabel('Stage').selectOption({ label: 'Quoted' });
  await expect(page.locator('.trail-steps')).toContainText('to Quoted');
  await page.getByRole('textbox', { name: 'Note' }).fill('Rings on Mondays');
  await page.getByRole('button', { name: 'Add note' }).click();
  await expect(page.locator('.step-body.noted')).toHaveText('Rings on Mondays');

  await page.goto('/contacts');
  await page.getByRole('searchbox').fill(name.slice(0, 6));
  await expect(page).toHaveURL(/q=/);
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.locator('#facets summary', { hasText: 'Stage' }).click();
  await page.locator('#facets').getByLabel('Quoted').check();
  await expect(page).toHaveURL(/stage=Quoted/);
  await expect(page.locator('.contact-table tbody tr')).toHaveCount(1);
  await page.reload();
  await expect(page.locator('.chip')).toContainText('Quoted');
  await page.getByLabel(`Choose ${name}`).check();
  await page.getByRole('button', { name: 'Archive' }).click();
  await expect(page.getByText('Archived 1 contact')).toBeVisible();
  await expect(page.getByRole('link', { name })).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('link', { name })).toBeVisible();
});

test('two contacts are merged and separated again', async ({ page }) => {
  const name = unique('Mia');
  const kept = await api('POST', '/api/contacts', { first_name: name, last_name: 'Twice', phone: number(), source: 'Radio' });
  await api('POST', '/api/contacts', { first_name: name, last_name: 'Twice', phone: number(), source: 'Flyer' });
  await signIn(page);
  await page.goto(`/contacts/${kept.id}`);
  await page.getByRole('link', { name: `Compare with ${name} Twice` }).click();
  await page.getByLabel('Flyer').check();
  await page.getByRole('button', { name: 'Merge', exact: true }).click();
  await expect(page.locator('.contact-side')).toContainText('Flyer');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.locator('.contact-side')).toContainText('Radio');
});

test('the board works by keyboard', async ({ page }) => {
  const name = unique('Kay');
  const contact = await api('POST', '/api/contacts', { first_name: name, phone: number(), stage: 'New' });
  await signIn(page);
  await page.goto('/board');
  const card = page.locator(`[data-card="${contact.id}"]`);
  await card.focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  await expect.poll(async () => (await api('GET', `/api/contacts/${contact.id}`)).stage).toBe('Contacted');
  await page.reload();
  await expect(page.locator('.lane', { has: page.getByRole('heading', { name: 'Contacted' }) }).locator(`[data-card="${contact.id}"]`)).toBeVisible();
  await card.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name })).toBeVisible();
});

test('the list is exported as it is filtered', async ({ page }) => {
  const name = unique('Exa');
  await api('POST', '/api/contacts', { first_name: name, last_name: '=1+1', phone: number() });
  await signIn(page);
  await page.goto(`/contacts?q=${name}`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export' }).click()]);
  const text = await (await download.createReadStream()).toArray().then((parts) => Buffer.concat(parts).toString());
  expect(text.trim().split('\r\n')).toHaveLength(2);
  expect(text).toMatch(new RegExp(`${name},"'=1\\+1",\\+1[0-9]{10}`));
});
