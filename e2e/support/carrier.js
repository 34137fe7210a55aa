// The simulator of Twilio, and a business that has its numbers there.
import { spawn } from 'node:child_process';
import { expect } from '@playwright/test';
import { api, base, binary, carrier, cli, sql } from './server.js';

export const account = `AC${'1'.repeat(32)}`;
export const token = 'f'.repeat(32);

export const business = { slug: 'quayside', owner: 'ada@quayside.example', number: '+12125550100' };

/** Starts the simulator; answers what ends it. */
export async function startCarrier(...options) {
  const simulator = spawn(binary, ['carrier', '--listen', carrier, '--auth-token', token, '--inbound-url', `${base}/webhooks/twilio`, ...options], { stdio: 'ignore' });
  await expect.poll(() => fetch(`http://${carrier}/health`).then((answer) => answer.ok, () => false)).toBe(true);
  return () => simulator.kill('SIGTERM');
}

/** Opens the business, once. */
export async function openBusiness() {
  if ((await sql('select 1 from patchbay.tenants where slug = $1', [business.slug])).length > 0) return;
  cli('tenant', 'create', '--name', 'Quayside Plumbing', '--slug', business.slug, '--timezone', 'America/New_York', '--country', 'US');
  cli('user', 'add', '--tenant', business.slug, '--email', business.owner, '--role', 'owner');
  const { id } = await api('POST', '/api/provider-accounts', { provider: 'twilio', account_sid: account, auth_token: token }, business.slug);
  await api('POST', '/api/senders', { channel: 'sms', address: business.number, provider: 'twilio', account_id: id }, business.slug);
}

/** Has somebody text the business. */
export async function hear(from, body) {
  const response = await fetch(`http://${carrier}/inbound`, { method: 'POST', body: JSON.stringify({ from, to: business.number, body, account_sid: account }) });
  const answer = await response.json();
  if (!response.ok || answer.status !== 200) throw new Error(`the webhook answered ${answer.status ?? response.status}`);
}
