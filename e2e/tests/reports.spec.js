// A campaign's report, from the numbers down: it reads well in both widths and themes, and its tables can be had as files.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { base, sql } from '../support/server.js';
import { signIn } from '../support/people.js';

/** A campaign of two texts to 400 people, launched two days ago, with deliveries, failures and clicks. */
async function campaign() {
  const [{ id: tenant }] = await sql("select id from patchbay.tenants where slug = 'brightside'");
  const [{ id }] = await sql('select patchbay.uuid_v7() as id');
  const templates = await sql('select id from patchbay.templates where tenant_id = $1 and archived_at is null order by key limit 2', [tenant]);
  await sql(`insert into patchbay.campaigns (tenant_id, id, name, channel, status, template_ids, launched_at, snapshot_at, recipients, expanded, finished_at)
    values ($1, $2, 'Autumn service check', 'sms', 'finished', $3, now() - interval '2 days', now() - interval '2 days', 400, 400, now() - interval '1 day')`, [tenant, id, templates.map((template) => template.id)]);
  await sql(`insert into patchbay.messages (tenant_id, id, contact_id, campaign_id, template_id, direction, channel, kind, status, priority, dedupe_key, to_address, body, sender_id, segments, cost_micros, sent_at, delivered_at, error_code, gate)
    select $1, patchbay.uuid_v7(), c.id, $2::uuid, ($3::uuid[])[1 + n % 2], 'outbound', 'sms', 'campaign', case when n <= 370 then 'delivered' when n <= 385 then 'undelivered' else 'blocked' end, 2,
      'campaign:' || $2::uuid::text || ':' || n, '+6149157' || lpad(n::text, 4, '0'), 'Time for a service', s.id, 1, 51500,
      case when n <= 385 then now() - interval '2 days' + n * interval '4 minutes' end, case when n <= 370 then now() - interval '2 days' + n * interval '4 minutes' + interval '3 seconds' end,
      case when n between 371 and 380 then 30003 when n between 381 and 385 then 30007 end, case when n > 385 then 'do_not_contact' end
    from generate_series(1, 400) n, (select id from patchbay.contacts where tenant_id = $1 limit 1) c, (select id from patchbay.senders where tenant_id = $1 and channel = 'sms' limit 1) s`, [tenant, id, templates.map((template) => template.id)]);
  await sql(`with t as (insert into patchbay.link_targets (tenant_id, url) values ($1, 'https://example.com/' || $2::uuid::text) returning id),
      l as (insert into patchbay.short_links (tenant_id, token, target_id, contact_id, message_id, campaign_id, expires_at)
        select $1, m.id::text, t.id, m.contact_id, m.id, $2::uuid, now() + interval '60 days' from patchbay.messages m, t where m.tenant_id = $1 and m.campaign_id = $2::uuid and m.status = 'delivered' returning id, contact_id, message_id)
    insert into patchbay.link_clicks (tenant_id, short_link_id, contact_id, message_id, campaign_id, at, method, is_bot, classifier)
    select $1, l.id, l.contact_id, l.message_id, $2::uuid, m.sent_at + interval '50 minutes' * hit, 'GET', hit = 1, 1 from l join patchbay.messages m on m.tenant_id = $1 and m.id = l.message_id cross join generate_series(1, 2) hit
    where case when m.campaign_id = $2::uuid then right(m.to_address, 2)::int end < case when m.template_id = $3 then 48 else 12 end`, [tenant, id, templates[0].id]);
  return id;
}

test('a campaign is told by figures, charts, tables and files', async ({ browser }) => {
  test.setTimeout(120_000);
  const id = await campaign();
  for (const width of [1440, 390]) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({ baseURL: base, viewport: { width, height: 900 }, colorScheme });
      const page = await context.newPage();
      await signIn(page);
      await page.goto('/reports');
      await page.getByRole('link', { name: 'Autumn service check' }).first().click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Autumn service check');
      await expect(page.getByText('Totals balance')).toBeVisible();
      await expect(page.getByText(/gets more clicks than/)).toBeVisible();
      await expect(page.getByRole('img', { name: 'Clicks over time' })).toBeVisible();
      await page.getByText('As a table').click();
      await expect(page.getByRole('columnheader', { name: 'All clicks' })).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id: rule, nodes }) => `${rule}: ${nodes[0].html.slice(0, 200)}`)).toEqual([]);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/report-${width}-${colorScheme}.png`, fullPage: true });
      if (width === 1440 && colorScheme === 'light') {
        const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).first().click()]);
        expect(file.suggestedFilename()).toBe('funnel.csv');
      }
      if (process.env.SHOTS) {
        for (const path of ['reports', 'reports/senders', 'reports/spend']) {
          await page.goto(`/${path}`);
          await page.screenshot({ path: `${process.env.SHOTS}/${path.replace('/', '-')}-${width}-${colorScheme}.png`, fullPage: true });
        }
      }
      await context.close();
    }
  }
  expect(id).toBeTruthy();
});
