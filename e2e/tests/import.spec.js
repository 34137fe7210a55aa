// A list on its way in: brought, checked, imported, mended, taken back.
import { expect, test } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';
import { api, sql } from '../support/server.js';
import { signIn } from '../support/people.js';

const list = `First,Mobile,Mail,Opted in
Ines,(872) 555-0161,ines@example.com,yes
Ivo,(872) 555-0162,,yes
Ivo again,+1 872 555 0162,,yes
Ida,1.3125E+10,,no
Ike,(872) 555-0164,,yes
`;

async function calm(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id }) => id)).toEqual([]);
}

test('a list is checked, imported and undone', async ({ page }) => {
  await api('POST', '/api/do-not-contact', { phone: '+18725550164', reason: 'Asked by phone' }).catch(() => {});
  await signIn(page);
  await page.goto('/contacts/import');
  await calm(page);
  await page.setInputFiles('#file', { name: 'fair.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });
  await expect(page.getByRole('heading', { name: 'Where does each column go?' })).toBeVisible();
  await calm(page);

  // Guessed, and corrected.
  await expect(page.getByLabel('Where Mobile goes')).toHaveValue('phone');
  await expect(page.getByLabel('Where Opted in goes')).toHaveValue('consent.sms');
  await page.getByLabel('Labels for everybody').fill('Fair');
  await page.getByLabel('Where they agreed').fill('Home show');
  await page.getByRole('button', { name: 'Check the file' }).click();
  await expect(page.getByText('Confirm that these people agreed')).toBeVisible();
  await page.getByLabel('I have their agreement').check();
  await page.getByRole('button', { name: 'Check the file' }).click();

  // Nothing has changed yet.
  await expect(page.getByRole('heading', { name: 'What would happen' })).toBeVisible();
  await calm(page);
  await expect(page.getByText('5 rows')).toBeVisible();
  await expect(page.getByText('A spreadsheet has rounded this number')).toBeVisible();
  expect((await api('GET', '/api/contacts?q=8725550161')).data).toHaveLength(0);
  const [rejected] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download rejected rows' }).click(),
  ]);
  expect(rejected.suggestedFilename()).toContain('rejected');

  await page.getByRole('button', { name: 'Import now' }).click();
  await expect(page.getByRole('heading', { name: 'What came of it' })).toBeVisible();
  const { data: [ines] } = await api('GET', '/api/contacts?q=8725550161');
  expect(ines).toMatchObject({ first_name: 'Ines', labels: ['Fair'], consent: { sms: 'subscribed' } });
  const { data: [ike] } = await api('GET', '/api/contacts?q=8725550164');
  expect(ike.consent.sms).toBe('unknown');

  await page.getByRole('button', { name: 'Undo the import' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo the import' }).click();
  await expect(page.getByText('This import was undone')).toBeVisible();
  expect((await api('GET', '/api/contacts?q=8725550161')).data).toHaveLength(0);
});

test('a list of numbers goes on the do-not-contact list', async ({ page }) => {
  await signIn(page);
  await page.goto('/contacts/import');
  await page.setInputFiles('#file', { name: 'stop.csv', mimeType: 'text/csv', buffer: Buffer.from('Number,Why\n(872) 555-0171,Complained\n') });
  await page.getByLabel('Where Number goes').selectOption('do_not_contact');
  await page.getByLabel('Where Why goes').selectOption('reason');
  await page.getByRole('button', { name: 'Check the file' }).click();
  await page.getByRole('button', { name: 'Import now' }).click();
  await page.getByRole('link', { name: 'See the list' }).click();
  await expect(page.getByRole('cell', { name: 'Complained' })).toBeVisible();
  await calm(page);

  await page.getByText('Add a number').click();
  await page.getByLabel('Phone number').fill('(872) 555-0172');
  await page.locator('#reason').fill('Asked on the phone');
  await page.getByRole('button', { name: 'Add to the list' }).click();
  await expect(page.getByRole('cell', { name: 'Asked on the phone' })).toBeVisible();
  const rows = await sql("select source from patchbay.do_not_contact where phone_e164 = '+18725550172'");
  expect(rows[0].source).toBe('person');
});

test('a file that is no list is told', async ({ page }) => {
  await signIn(page);
  await page.goto('/contacts/import');
  await page.setInputFiles('#file', { name: 'brochure.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 brochure') });
  await expect(page.getByText('This is a PDF.')).toBeVisible();
});
