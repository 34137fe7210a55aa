// Every page there is, both themes, both widths: it renders, nothing is wider than the screen, axe finds nothing serious.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import known from '../support/pages.json' with { type: 'json' };
import { base, sql } from '../support/server.js';
import { signIn } from '../support/people.js';

/** What else a page can look like. */
const variants = [
  '/inbox?view=done',
  '/contacts?archived=true',
  '/contacts?stage=New&status=lead',
  '/contacts/{id}/merge?with={other}',
  '/nowhere',
];

/** Something to show on the page of one thing: the word in front of its id tells which. */
async function things() {
  const one = async (query, values) => Object.values((await sql(query, values))[0] ?? {})[0];
  const tenant = await one("select id from patchbay.tenants where slug = 'brightside'");
  const contact = await one('select contact_id from patchbay.conversations where tenant_id = $1 order by last_message_at desc limit 1', [tenant]);
  const newest = (table, where) => one(`select id from patchbay.${table} where tenant_id = $1 and ${where} order by id desc limit 1`, [tenant]);
  return {
    contacts: contact,
    conversations: contact,
    other: await newest('contacts', `merged_into is null and archived_at is null and id <> '${contact}'`),
    campaigns: await newest('campaigns', "status = 'finished'"),
    draft: await newest('campaigns', "status = 'draft'"),
    import: await newest('imports', 'true'),
    messages: await newest('messages', "direction = 'outbound'"),
    quotes: await newest('quotes', "status = 'sent'"),
    senders: await newest('senders', 'disabled_at is null'),
    segments: await newest('segments', 'true'),
    templates: await newest('templates', 'archived_at is null'),
    q: await one("select token from patchbay.quotes where tenant_id = $1 and status = 'viewed' limit 1", [tenant]),
    u: 'nobody',
    'sign-in': 'no-such-link',
  };
}

function address(path, of) {
  const named = path.split('/').at(path.startsWith('/contacts/import/') ? 2 : 1);
  const key = path === '/campaigns/{id}/edit' ? 'draft' : path.startsWith('/settings/') ? path.split('/')[2] : named;
  return path.replace(/{(id|token)}/, of[key]).replace('{other}', of.other);
}

const isOpen = (path) => /^\/(sign-in|q|u)(\/|$)/.test(path);

for (const width of [1440, 390]) {
  test(`pages at ${width} px`, async ({ browser }) => {
    test.setTimeout(480_000);
    const viewport = { width, height: 900 };
    const stranger = await (await browser.newContext({ baseURL: base, viewport })).newPage();
    const member = await (await browser.newContext({ baseURL: base, viewport })).newPage();
    await signIn(member);
    const complaints = [];
    for (const page of [stranger, member]) {
      page.on('console', (message) => message.type() === 'error' && !/404|403|410/.test(message.text()) && complaints.push(`${page.url()}: ${message.text()}`));
      page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
    }
    const of = await things();
    for (const path of [...known.pages, ...variants].map((path) => address(path, of))) {
      const page = isOpen(path) ? stranger : member;
      await page.emulateMedia({ colorScheme: 'light' });
      const response = await page.goto(path);
      expect.soft(response.status(), path).toBeLessThan(500);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect.soft(wide, `${path} is wider than the screen`).toBeLessThanOrEqual(0);
      const found = [await new AxeBuilder({ page }).analyze()];
      // Only colours differ in the dark.
      await page.emulateMedia({ colorScheme: 'dark' });
      found.push(await new AxeBuilder({ page }).withRules('color-contrast').analyze());
      const serious = found.flatMap(({ violations }) => violations).filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect.soft(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`), path).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await stranger.context().close();
    await member.context().close();
  });
}

test('nobody is lost where nothing is', async ({ page }) => {
  await signIn(page);
  for (const path of ['/nowhere', '/quotes/00000000-0000-7000-8000-000000000000']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { name: 'Nothing is here' })).toBeVisible();
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
  }
});
