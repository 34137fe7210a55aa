// A segment becomes a campaign: described, checked by every gate, launched, paused, resumed, finished.
import { expect, test } from '@playwright/test';
import { api, number, sql } from '../support/server.js';
import { signIn } from '../support/people.js';

const people = 24;

test('a segment becomes a campaign that is checked, launched, paused, resumed and finished', async ({ page }) => {
  test.setTimeout(180_000);
  const mark = `Fair ${Date.now()}`;
  const before = await api('GET', '/api/settings');
  // Whatever hour it is here, and slowly enough to watch.
  await api('PATCH', '/api/settings', { quiet_hours: null, country_rules: false, rate_limit: { per_second: 2 }, budget: { daily_cents: null, monthly_cents: null } });
  try {
    for (let n = 0; n < people; n += 1) {
      await api('POST', '/api/contacts', { first_name: `Ada${n}`, phone: number(['212', '646', '917'][n % 3]), source: mark });
    }
    await sql("insert into patchbay.consents (tenant_id, channel, address, state, how) select tenant_id, 'sms', phone_e164, 'subscribed', 'form' from patchbay.contacts where source = $1 on conflict (tenant_id, channel, address) do update set state = 'subscribed'", [mark]);
    const template = await api('POST', '/api/templates', { name: mark, key: `fair_${Date.now()}`, channel: 'sms', content: 'Hello {{ first_name }}, thank you for your visit at the fair.' });

    await signIn(page);
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
    await live.getByRole('button', { name: 'Resume' }).click();
    // Without a reload: the page hears of it.
    await expect(live).toHaveAttribute('data-state', 'Finished', { timeout: 90_000 });
    await expect(live).toContainText(`${people} of ${people} settled`);
    await expect(live).toContainText('Totals balance');
    const sent = await sql("select count(*)::int as n, count(distinct contact_id)::int as people from patchbay.messages m join patchbay.campaigns c on c.tenant_id = m.tenant_id and c.id = m.campaign_id where c.name = $1", [mark]);
    expect(sent).toEqual([{ n: people, people }]);
  } finally {
    const { quiet_hours, country_rules, rate_limit, budget } = before;
    await api('PATCH', '/api/settings', { quiet_hours, country_rules, rate_limit, budget });
  }
});
