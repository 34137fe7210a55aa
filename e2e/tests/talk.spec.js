import { expect, test } from '@playwright/test';
import { api, base, cli, number, sql } from '../support/server.js';
import { openConversation, owner, signIn, viewer } from '../support/people.js';

test('the sign-in page asks for an address and tells nobody whether it is known', async ({ page }) => {
  await page.goto('/inbox');
  await expect(page).toHaveURL(/\/sign-in/);
  await page.getByLabel(/e-?mail/i).fill('nobody@nowhere.example');
  await page.getByRole('button').first().click();
  await expect(page.locator('body')).toContainText(/check your (mail|e-mail|inbox)|on its way|sent/i);
});

test('a link opens straight into the inbox, and works once', async ({ page, browser }) => {
  const { url } = cli('login-link', '--email', owner);
  const path = new URL(url).pathname;
  await page.request.get(path); // what a mail scanner does changes nothing
  await page.request.get(path);
  await page.goto(path);
  await expect(page).toHaveURL(/\/inbox/);
  await expect(page.locator('.conv').first()).toBeVisible();
  const other = await (await browser.newContext({ baseURL: base })).newPage();
  await other.goto(path);
  await expect(other.locator('body')).toContainText('no longer works');
  await other.context().close();
});

test('a message is sent, the lead replies, and two browsers see it', async ({ page, browser }) => {
  const contact = await api('POST', '/api/contacts', { first_name: 'Ada', last_name: 'Quick', phone: number() });
  await signIn(page);
  const second = await (await browser.newContext({ baseURL: base, viewport: { width: 390, height: 844 } })).newPage();
  await signIn(second);
  await openConversation(page, contact.id);
  await openConversation(second, contact.id);
  await page.locator('#compose').fill('Hi Ada, can we come on Thursday?');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(page.locator('.talk')).toContainText('can we come on Thursday?');
  await expect(second.locator('.talk')).toContainText('can we come on Thursday?');
  await expect(page.locator('#estimate')).toContainText('0 / 160');
  for (const one of [page, second]) {
    await expect(one.locator('.talk .msg:not(.out)')).toHaveCount(1, { timeout: 20_000 });
  }
  await second.context().close();
});

test('a quote by plain SQL is texted, opened on a phone and accepted', async ({ page, browser }) => {
  const contact = await api('POST', '/api/contacts', { first_name: 'Lee', last_name: 'Marsh', phone: number() });
  const [tenant] = await sql("select id from patchbay.tenants where slug = 'brightside'");
  await signIn(page);
  await openConversation(page, contact.id);
  const [quote] = await sql('insert into api.quotes (tenant_id, lead_id, data, total_cents) values ($1, $2, $3, 128400) returning number, token', [
    tenant.id,
    contact.id,
    JSON.stringify({ items: [{ name: 'Water heater', unit_cents: 128400 }] }),
  ]);
  await expect(page.locator('.talk')).toContainText(`/q/${quote.token}`, { timeout: 20_000 });
  const phone = await (await browser.newContext({ baseURL: base, viewport: { width: 390, height: 844 } })).newPage();
  await phone.goto(`/q/${quote.token}`);
  await expect(phone.locator('body')).toContainText('1,284.00');
  await phone.getByRole('link', { name: 'Accept quote' }).click();
  await phone.getByRole('button', { name: /^Accept for/ }).click();
  await expect(phone.locator('body')).toContainText(/accepted/i);
  await expect(page.locator('#conversation')).toContainText(/accepted/i, { timeout: 20_000 });
  const messages = await api('GET', `/api/messages?contact_id=${contact.id}`);
  expect(messages.data.filter((message) => message.kind === 'quote')).toHaveLength(1);
  await phone.context().close();
});

test('Done moves on with the focus, Undo leads back, and nothing breaks the content policy', async ({ page }) => {
  const refused = [];
  page.on('console', (message) => { if (message.text().includes('Content Security Policy')) refused.push(message.text()); });
  const contact = await api('POST', '/api/contacts', { first_name: 'Dora', last_name: 'Done', phone: number() });
  await api('POST', '/api/messages/send', { contact_id: contact.id, body: 'Shall we come on Friday?' });
  await signIn(page);
  await openConversation(page, contact.id);
  await page.getByRole('button', { name: 'More', exact: true }).first().click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Done', exact: true }).click();
  await expect(page.locator('#conversation')).not.toHaveAttribute('data-conversation', contact.id);
  await expect(page.locator('.conv a:focus')).toHaveCount(1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.locator('#conversation')).toHaveAttribute('data-conversation', contact.id);
  await expect(page).toHaveURL(new RegExp(`/conversations/${contact.id}`));
  await expect(page.locator('.thread-head a:focus')).toHaveCount(1);
  expect(refused).toEqual([]);
});

test('a viewer reads, and cannot send', async ({ page }) => {
  const contact = await api('POST', '/api/contacts', { first_name: 'Vic', last_name: 'Viewed', phone: number() });
  await api('POST', '/api/messages/send', { contact_id: contact.id, body: 'For your eyes' });
  await signIn(page, viewer);
  await openConversation(page, contact.id);
  await expect(page.locator('.talk')).toContainText('For your eyes');
  await expect(page.locator('#compose')).toHaveCount(0);
  const status = await page.evaluate(async (id) => {
    const token = document.querySelector('meta[name="csrf"]').content;
    const body = new URLSearchParams({ csrf: token, body: 'x', channel: 'sms' });
    return (await fetch(`/conversations/${id}/messages`, { method: 'POST', body })).status;
  }, contact.id);
  expect(status).toBe(403);
});
