// Every page, both themes, both widths: it renders, nothing is wider than the screen, axe finds nothing serious.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { base, sql } from '../support/server.js';
import { signIn } from '../support/people.js';

const pages = [
  '/inbox', '/inbox?view=done', '/contacts', '/contacts/new', '/board', '/quotes', '/quotes/new', '/segments', '/segments/new', '/campaigns', '/campaigns/new', '/templates', '/templates/new', '/dashboard',
  '/settings', '/settings/sending', '/settings/members', '/settings/keys', '/settings/labels', '/settings/stages', '/settings/fields',
  '/settings/notifications', '/settings/events', '/settings/audit', '/account', '/nowhere', '/api/docs',
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
      const [quote] = await sql("select id, token from patchbay.quotes q where status = 'viewed' limit 1");
      for (const path of [...pages, `/conversations/${talk.contact_id}`, `/contacts/${talk.contact_id}`, `/quotes/${quote.id}`, `/q/${quote.token}`]) {
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
