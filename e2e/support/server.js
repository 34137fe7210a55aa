// The demo under test: where it listens, where it keeps its data, and how to ask it things on the command line.
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

export const binary = process.env.PATCHBAY_BIN ?? new URL('../../target/debug/patchbay', import.meta.url).pathname;
export const listen = process.env.PATCHBAY_E2E_LISTEN ?? '127.0.0.1:4173';
export const base = `http://${listen}`;
/** Where the simulator of Twilio listens, for tests that start it. */
export const carrier = process.env.PATCHBAY_E2E_CARRIER ?? '127.0.0.1:4174';
export const dataDir = process.env.PATCHBAY_E2E_DATA ?? join(tmpdir(), `patchbay-e2e-${process.getuid?.() ?? 0}`);

// The demo has a database of its own, whatever the environment of the tests names.
export const environment = {
  ...process.env,
  DATABASE_URL: '',
  PATCHBAY_PUBLIC_URL: base,
  PATCHBAY_SHORT_DOMAIN: base.replace('127.0.0.1', 'localhost'),
  TWILIO_API_BASE: `http://${carrier}`,
};

/** Runs a command of the binary and answers its JSON. */
export function cli(...args) {
  const text = execFileSync(binary, ['--data-dir', dataDir, '--json', ...args], { env: environment, encoding: 'utf8' });
  return JSON.parse(text.trim().split('\n').at(-1));
}

const keys = {};
/** Calls the API of a business with a key of scope `full`. */
export async function api(method, path, body, tenant = 'brightside') {
  keys[tenant] ??= cli('api-key', 'create', '--tenant', tenant, '--name', 'Browser tests').key;
  const response = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${keys[tenant]}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** Runs plain SQL, the way a website's backend would. */
export async function sql(text, values = []) {
  const url = new URL(cli('database-url').url);
  const client = new pg.Client({
    host: url.searchParams.get('host') ?? url.hostname,
    port: Number(url.searchParams.get('port') ?? (url.port || 5432)),
    user: decodeURIComponent(url.searchParams.get('user') ?? url.username),
    database: url.pathname.slice(1),
  });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

// Fiction numbers: 555-0100 to 555-0199 of an area code. All are Central time, and no two areas end alike, since numbers
// with nine equal digits are taken for one person's.
const areas = [205, 210, 214, 217, 218, 224, 225, 228, 251, 254, 256, 262, 281];
let next = Date.now() % (areas.length * 100);
/** A number nobody has. */
export function number() {
  const nth = next++ % (areas.length * 100);
  return `+1${areas[Math.floor(nth / 100)]}5550${100 + (nth % 100)}`;
}
