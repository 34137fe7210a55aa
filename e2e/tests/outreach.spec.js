// From a list to a report: people are imported, become a segment, get a campaign that every gate checks; it is paused, somebody
// says STOP meanwhile, it goes on and finishes, somebody follows the link, and the report tells.
import { expect, test } from '@playwright/test';
import { business, hear, openBusiness, startCarrier } from '../support/carrier.js';
import { api as call, base, number, sql } from '../support/server.js';
import { openConversation, signIn } from '../support/people.js';

const people = 24;
const api = (method, path, body) => call(method, path, body, business.slug);

let stopCarrier;
test.beforeAll(async () => {
  stopCarrier = await startCarrier();
  await openBusiness();
});
test.afterAll(() => stopCarrier());

test('a list becomes a campaign that is checked, launched, paused, resumed, and told of', async ({ page, browser }) => {
  test.setTimeout(240_000);
  const mark = `Fair ${Date.now()}`;
  // Whatever hour it is here, and slowly enough to watch.
  await api('PATCH', '/api/settings', { quiet_hours: null, country_rules: false, rate_limit: { per_second: 2 } });
  const phones = Array.from({ length: people }, () => number());
  const list = ['First name,Mobile,Source,Opted in', ...phones.map((phone, n) => `Ada${n},${phone},${mark},yes`), `Adamant,not a number,${mark},yes`].join('\n');
  const template = await api('POST', '/api/templates', { name: mark, key: `fair_${Date.now()}`, channel: 'sms', content: `Hello {{ first_name }}, thank you for your visit at the fair. More on ${base}/sign-in?fair` });

  await signIn(page, business.owner);
  await page.goto('/contacts/import');
  await page.setInputFiles('#file', { name: 'fair.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });
  await page.getByLabel('Where they agreed').fill('Stand at the fair');
  await page.getByLabel('I have their agreement').check();
  await page.getByRole('button', { name: 'Check the file' }).click();
  await expect(page.getByRole('heading', { name: 'What would happen' })).toBeVisible();
  expect((await api('GET', `/api/contacts?source=${encodeURIComponent(mark)}`)).data).toHaveLength(0);
  await page.getByRole('button', { name: 'Import now' }).click();
  await expect(page.getByRole('heading', { name: 'What came of it' })).toBeVisible();

  await page.goto('/segments/new');
  await page.getByLabel('Name').fill(mark);
  await page.getByLabel('What').selectOption('source');
  await page.locator('input[aria-label=Value]').fill(mark);
  await expect(page.locator('#count')).toContainText(`${people} people`);
  // Changing the shape keeps what was typed.
  await page.getByRole('button', { name: 'Condition', exact: true }).click();
  await expect(page.locator('.segment-row')).toHaveCount(2);
  await expect(page.getByLabel('Value').first()).toHaveValue(mark);
  await page.getByRole('button', { name: 'Remove condition' }).last().click();
  await expect(page.locator('.segment-row')).toHaveCount(1);
  await page.getByRole('button', { name: 'Save segment' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(mark);

  await page.goto('/campaigns/new');
  await page.getByRole('button', { name: 'Save and check' }).click();
  await expect(page.getByText('Give the campaign a name.')).toBeVisible();
  await page.getByRole('textbox', { name: 'Name' }).fill(mark);
  await page.getByRole('combobox', { name: 'Segment' }).selectOption({ label: mark });
  await expect(page.locator('#audience')).toContainText(`${people} people`);
  await page.locator(`input[name=template_ids][value="${template.id}"]`).check();
  await page.getByRole('button', { name: 'Save and check' }).click();

  const checks = page.locator('#checks');
  await expect(checks.locator('.figure').first()).toHaveText(String(people));
  await expect(checks).toContainText('Totals balance');
  await expect(page.locator('.template-bubble')).toContainText('thank you for your visit');
  await checks.getByRole('link', { name: /Goes at once|Later/ }).first().click();
  await expect(page.getByRole('row')).not.toHaveCount(0);
  await page.goBack();

  // As one of them would get it.
  await page.getByText('Look for somebody in particular').click();
  await page.getByPlaceholder('Find a contact').fill('Ada7');
  await page.locator('#look-people').getByText('Ada7').click();
  await expect(page.locator('.template-bubble')).toContainText('Hello Ada7,');

  await page.getByRole('button', { name: 'Launch …' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('It costs about');
  await dialog.getByRole('button', { name: 'Launch' }).click();

  const live = page.locator('#campaign-live');
  await expect(live).toHaveAttribute('data-state', 'Running');
  await expect(page.locator('#campaign-pace')).toContainText('in the last hour');
  await live.getByRole('button', { name: 'Pause' }).click();
  await expect(live).toHaveAttribute('data-state', 'Paused');
  await expect(live).toContainText('Paused by');

  // Somebody has enough, while it stands still.
  const [{ phone: quitter, contact }] = await sql("select m.to_address as phone, m.contact_id as contact from patchbay.messages m join patchbay.campaigns c on c.tenant_id = m.tenant_id and c.id = m.campaign_id where c.name = $1 and m.status = 'queued' order by m.id desc limit 1", [mark]);
  await hear(quitter, 'STOP');
  await expect.poll(async () => (await api('GET', `/api/do-not-contact?phone=${encodeURIComponent(quitter)}`)).data.length).toBe(1);

  await live.getByRole('button', { name: 'Resume' }).click();
  // Without a reload: the page hears of it.
  await expect(live).toHaveAttribute('data-state', 'Finished', { timeout: 90_000 });
  await expect(live).toContainText(`${people} of ${people} settled`);
  await expect(live).toContainText('Totals balance');
  const sent = await sql("select count(*)::int as n, count(distinct contact_id)::int as people, count(*) filter (where m.sent_at is not null)::int as left from patchbay.messages m join patchbay.campaigns c on c.tenant_id = m.tenant_id and c.id = m.campaign_id where c.name = $1", [mark]);
  expect(sent).toEqual([{ n: people, people, left: people - 1 }]);
  const { data: talk } = await api('GET', `/api/messages?contact_id=${contact}`);
  expect(talk.map(({ kind, status }) => [kind, status])).toContainEqual(['campaign', 'blocked']);

  // Somebody else is curious.
  const [{ body }] = await sql("select m.body from patchbay.messages m join patchbay.campaigns c on c.tenant_id = m.tenant_id and c.id = m.campaign_id where c.name = $1 and m.status = 'delivered' limit 1", [mark]);
  const [short] = body.match(/http:\/\/localhost:\d+\/\S+/);
  const phone = await (await browser.newContext({ baseURL: base, viewport: { width: 390, height: 844 } })).newPage();
  await phone.goto(short);
  await expect(phone).toHaveURL(/sign-in\?fair$/);
  await phone.context().close();
  await expect.poll(() => sql('select count(*)::int as n from patchbay.link_clicks k join patchbay.campaigns c on c.tenant_id = k.tenant_id and c.id = k.campaign_id where c.name = $1', [mark])).toEqual([{ n: 1 }]);

  await page.getByRole('link', { name: 'Report' }).last().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(mark);
  await expect(page.getByText('Totals balance')).toBeVisible();
  await page.getByText('As a table').click();
  await expect(page.getByRole('img', { name: 'Clicks over time' })).toBeVisible();
  await expect(page.locator('.report-time tbody tr').last().locator('td').last()).toHaveText('1');
});

test('STOP shows without a reload, blocks, and the composer says why', async ({ page }) => {
  const phone = number();
  const contact = await api('POST', '/api/contacts', { first_name: 'Stan', last_name: 'Stopper', phone });
  await signIn(page, business.owner);
  await openConversation(page, contact.id);
  await expect(page.locator('#compose')).toBeVisible();
  await hear(phone, 'Stop.');
  await expect(page.locator('#conversation')).toContainText(/unsubscribed/i);
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toHaveCount(0);
  await expect.poll(async () => (await api('GET', `/api/do-not-contact?phone=${encodeURIComponent(phone)}`)).data.length).toBe(1);
  const message = await api('POST', '/api/messages/send', { contact_id: contact.id, body: 'Hello?' });
  await expect.poll(async () => (await api('GET', `/api/messages/${message.id}`)).status).toBe('blocked');
  await expect(page.locator('.talk')).toContainText(/blocked/i);
});
