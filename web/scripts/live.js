// Keeps what is on the screen true. An element that declares `data-live="topic topic"` and
// `data-live-src="/path"` is fetched again when one of its topics changes, and morphed in place:
// scroll position, focus and typed text stay. The answer's root is the element itself.
//
// One connection serves all tabs of a tenant (browsers allow six to a host): the tab that holds the
// lock listens to GET /events and tells the others. A page says what it is as new as, so that it hears
// what happened while it was on its way: from the server, or from the tab that listens. After a gap
// everything counts as stale, because nobody knows what was missed.
const tenant = document.querySelector('meta[name="tenant"]')?.content ?? '';
const room = `patchbay-live-${tenant}`;
const sign = document.getElementById('offline');
const silence = 45_000; // the server says something every 20 s
const since = document.querySelector('meta[name="as-of"]')?.content ?? '0';

let source, watchdog, retry = 0, release, greeted = false, away;
const channel = new BroadcastChannel(room);
channel.onmessage = ({ data }) => (data.since ? recall(data.since) : hear(data));

function tell(news) {
  channel.postMessage(news);
  hear(news);
}

// What the tab that listens heard, for tabs that were opened meanwhile: [the transaction that made it, its topics].
const heard = [];
let forgotten = since, deaf = -Infinity;
const journey = 60_000; // no page takes longer from the server to here
const older = (a, b) => a.length < b.length || (a.length === b.length && a < b); // 64 bits do not fit into a number

function keep(maker, topics) {
  if (topics === '*') deaf = performance.now();
  heard.push([maker, topics]);
  if (heard.length > 500) [forgotten] = heard.shift();
}

function recall(asked) {
  if (!release) return;
  const missed = older(asked, forgotten) || performance.now() - deaf < journey;
  const topics = missed ? ['*'] : heard.filter(([maker]) => !older(maker, asked)).map(([, names]) => names);
  if (topics.length) tell({ topics: topics.join(' ') });
}

function hear({ topics, up }) {
  if (up === false) away ??= setTimeout(() => sign?.removeAttribute('hidden'), 3000);
  if (up === true) {
    clearTimeout(away);
    away = undefined;
    sign?.setAttribute('hidden', '');
  }
  if (topics) stale(topics);
}

function listen() {
  const from = greeted ? '' : `&since=${since}`;
  source = new EventSource(`/events?tenant=${encodeURIComponent(tenant)}${from}`);
  alive();
  source.addEventListener('hello', () => {
    alive();
    retry = 0;
    tell({ up: true, topics: greeted ? '*' : undefined });
    if (greeted) deaf = performance.now();
    greeted = true;
  });
  source.addEventListener('beat', alive);
  source.addEventListener('change', ({ data, lastEventId }) => { alive(); keep(lastEventId, data); tell({ topics: data }); });
  source.onerror = () => { tell({ up: false }); if (source.readyState === EventSource.CLOSED) again(); };
}

// A connection can be dead without anybody having said so.
function alive() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => { tell({ up: false }); again(); }, silence);
}

function again() {
  source?.close();
  clearTimeout(watchdog);
  const wait = Math.min(30_000, 1000 * 2 ** retry++) * (0.5 + Math.random() / 2);
  watchdog = setTimeout(() => release && listen(), wait);
}

function lead() {
  navigator.locks.request(room, () => new Promise((resolve) => { release = resolve; listen(); }));
}

function step_down() {
  clearTimeout(watchdog);
  source?.close();
  release?.();
  release = undefined;
}

const waiting = new Map();
const running = new WeakMap();

/** Marks every element of these topics (separated by spaces) and refreshes it soon. "*" and the server's "refresh" mean all. */
export function stale(topics) {
  const names = new Set(topics.split(' '));
  const all = names.has('*') || names.has('refresh');
  for (const element of document.querySelectorAll('[data-live][data-live-src]')) {
    if (all || element.dataset.live.split(' ').some((name) => names.has(name))) soon(element);
  }
}

function soon(element) {
  const entry = waiting.get(element) ?? {};
  waiting.set(element, entry);
  if (document.hidden || entry.timer) return; // a hidden tab catches up when it is looked at
  entry.timer = setTimeout(() => { waiting.delete(element); refresh(element); }, 60);
}

async function refresh(element) {
  if (!element.isConnected || !element.dataset.liveSrc) return; // a morph may have made it something else
  running.get(element)?.abort(); // an older answer must not arrive after a newer one
  const abort = new AbortController();
  running.set(element, abort);
  const url = new URL(element.dataset.liveSrc, location.href);
  const { liveCount } = element.dataset;
  const shown = liveCount ? element.querySelectorAll(liveCount).length : 0;
  if (shown > 50) url.searchParams.set('limit', shown);
  try {
    const headers = { Accept: 'text/html', 'HX-Request': 'true', 'HX-Request-Type': 'partial' };
    const response = await fetch(url, { headers, signal: abort.signal });
    if (!response.ok || response.redirected) return;
    const text = await response.text();
    // Somebody may have moved on while the answer travelled.
    if (!element.isConnected || !element.dataset.liveSrc || !url.href.startsWith(new URL(element.dataset.liveSrc, location.href).href)) return;
    if (!element.dispatchEvent(new CustomEvent('live:before', { bubbles: true, cancelable: true }))) return;
    await htmx.swap({ sourceElement: element, target: element, swap: 'outerMorph', text });
    const now = element.id ? document.getElementById(element.id) : element;
    now?.dispatchEvent(new CustomEvent('live:after', { bubbles: true }));
  } catch (error) {
    if (error.name !== 'AbortError') waiting.set(element, {}); // tried again after the reconnect
  }
}

document.addEventListener('live:stale', ({ detail }) => stale(detail));
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) for (const element of [...waiting.keys()]) soon(element);
});
addEventListener('online', () => release && again());
addEventListener('pagehide', step_down);
addEventListener('pageshow', ({ persisted }) => { if (persisted) { greeted = true; lead(); stale('*'); } });
if (document.querySelector('[data-live]')) {
  lead();
  channel.postMessage({ since });
}
