// Every page, both themes, both widths: it renders, nothing is wider than the screen, axe finds nothing serious.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { base, sql } from '../support/server.js';
import { signIn } from '../support/people.js';

const pages = [
  '/inbox',
  '/inbox?view=done',
  '/contacts',
  '/contacts?archived=true',
  '/contacts?stage=New&status=lead',
  '/contacts/new',
  '/contacts/duplicates',
  '/board',
  '/quotes',
  '/quotes/new',
  '/campaigns',
  '/campaigns/new',
  '/segments',
  '/segments/new',
  '/templates',
  '/templates/new',
  '/dashboard',
  '/reports',
  '/reports/senders',
  '/reports/spend',
  '/settings',
  '/settings/sending',
  '/settings/members',
  '/settings/api-keys',
  '/settings/labels',
  '/settings/stages',
  '/settings/custom-fields',
  '/settings/notifications',
  '/settings/events',
  '/settings/audit',
  '/account',
  '/nowhere',
  '/api/docs',
];

for (const width of [1440, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`pages at ${width} px, ${colorScheme}`, async ({ browser }) => {
      test.setTimeout(240_000);
      const context = await browser.newContext({ baseURL: base, viewport: { width, height: 900 }, colorScheme });
      const page = await context.newPage();
      const complaints = [];
      page.on('console', (message) => message.type() === 'error' && !/404|403/.test(message.text()) && complaints.push(`${page.url()}: ${message.text()}`));
      page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
      await signIn(page);
      const [talk] = await sql("select contact_id from patchbay.conversations v join patchbay.tenants t on t.id = v.tenant_id where t.slug = 'brightside' order by last_message_at desc limit 1");
      const [other] = await sql('select c.id from patchbay.contacts c join patchbay.contacts d on d.tenant_id = c.tenant_id where d.id = $1 and c.id <> $1 and c.merged_into is null limit 1', [talk.contact_id]);
      const [quote] = await sql("select id, token from patchbay.quotes q where status = 'viewed' limit 1");
      for (const path of [...pages, `/conversations/${talk.contact_id}`, `/contacts/${talk.contact_id}`, `/contacts/${talk.contact_id}/edit`, `/contacts/${talk.contact_id}/merge`, `/contacts/${talk.contact_id}/merge?with=${other.id}`, `/quotes/${quote.id}`, `/q/${quote.token}`]) {
        const response = await page.goto(path);
        expect.soft(response.status(), path).toBeLessThan(500);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect.soft(wide, `${path} is wider than the screen`).toBeLessThanOrEqual(0);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect.soft(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`), path).toEqual([]);
      }
      expect(complaints).toEqual([]);
      await context.close();
    });
  }
}

test('nobody is lost where nothing is', async ({ page }) => {
  await signIn(page);
  for (const path of ['/nowhere', '/quotes/00000000-0000-7000-8000-000000000000']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { name: 'Nothing is here' })).toBeVisible();
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
  }
});
