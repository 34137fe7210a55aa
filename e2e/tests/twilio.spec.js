// The official helper library takes the simulator for Twilio: send, fetch, list.
import { expect, test } from '@playwright/test';
import twilio from 'twilio';
import { account, startCarrier, token } from '../support/carrier.js';
import { carrier } from '../support/server.js';

let stopCarrier;
test.beforeAll(async () => {
  stopCarrier = await startCarrier();
});
test.afterAll(() => stopCarrier());

test('the helper library for Node sends, fetches and lists', async () => {
  const client = twilio(account, token);
  // Only the host differs.
  const request = client.httpClient.request.bind(client.httpClient);
  client.httpClient.request = (options) => request({ ...options, uri: options.uri.replace('https://api.twilio.com', `http://${carrier}`) });
  const sent = await client.messages.create({ to: '+13125550123', from: '+15005550006', body: 'Hello from the library' });
  expect(sent.sid).toMatch(/^SM[0-9a-f]{32}$/);
  const fetched = await client.messages(sent.sid).fetch();
  expect(fetched.body).toBe('Hello from the library');
  const listed = await client.messages.list({ to: '+13125550123', limit: 5 });
  expect(listed.map((message) => message.sid)).toContain(sent.sid);
  await expect(client.messages.create({ to: '+15005550001', from: '+15005550006', body: 'x' })).rejects.toMatchObject({ code: 21211 });
});
