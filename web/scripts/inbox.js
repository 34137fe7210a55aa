// The inbox: what is chosen looks chosen at once, what is looked at counts as read, what is done
// makes way for the next.
import { stale } from './live.js';

const list = () => document.getElementById('list');
const conversation = () => document.getElementById('conversation');
const token = document.querySelector('meta[name="csrf"]')?.content ?? '';
let known = new Set();

function choose(id) {
  for (const link of list()?.querySelectorAll('[data-open]') ?? []) {
    const own = link.dataset.open === id;
    if (own) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}

document.addEventListener('htmx:before:request', ({ target }) => {
  const link = target.closest?.('[data-open]');
  if (link) choose(link.dataset.open);
});

// After any arrival: the list agrees with what is open, the title too, and what is seen is read.
function settle() {
  const open = conversation()?.dataset.conversation;
  if (!list() || !open) return;
  choose(open);
  document.title = conversation().dataset.title;
  read();
}

async function read() {
  const thread = document.getElementById('thread');
  const path = thread?.dataset.unread;
  if (!path || document.hidden || thread.dataset.jsRead === path) return;
  thread.dataset.jsRead = path;
  document.getElementById(`conv-${conversation().dataset.conversation}`)?.classList.remove('unread');
  const response = await fetch(path, { method: 'POST', headers: { 'X-CSRF-Token': token } }).catch(() => null);
  delete thread.dataset.jsRead;
  if (response?.ok) delete thread.dataset.unread; // comes back with the next message
}

for (const type of ['htmx:after:swap', 'live:after']) document.addEventListener(type, settle);
document.addEventListener('visibilitychange', read);
settle();

// Opening on a narrow screen moves on to the conversation; on a wide one the list keeps the focus.
document.addEventListener('htmx:after:swap', ({ detail }) => {
  if (!detail.ctx?.sourceElement?.closest?.('[data-open], #conversation') || innerWidth > 760) return;
  if (detail.ctx.swap === 'outerHTML') document.querySelector('.thread-head a')?.focus({ preventScroll: true });
});

// A note that is saved is read again, not edited further.
document.addEventListener('htmx:before:request', ({ target }) => { target.closest?.('.note .edit')?.removeAttribute('open'); });

// `data-advance`: done, snoozed, unread again: the next conversation opens, or the list on a phone.
document.addEventListener('htmx:after:request', ({ target, detail }) => {
  if (!target.matches?.('form[data-advance]') || !(detail.ctx.response?.status < 400)) return;
  const rows = [...(list()?.querySelectorAll('[data-open]') ?? [])];
  const at = rows.findIndex((row) => row.hasAttribute('aria-current'));
  const next = rows[at + 1] ?? rows[at - 1];
  stale('inbox');
  if (next && innerWidth > 760) {
    next.focus({ preventScroll: true });
    next.click();
  } else location.assign(document.querySelector('.thread-head a')?.href ?? '/inbox');
});

// Undone: back to the conversation that had made way.
document.addEventListener('undone', ({ detail }) => {
  const [, id] = detail.match(/^\/conversations\/([^/]+)\/reopen/) ?? [];
  if (!id) return;
  const path = `/conversations/${id}${location.search}`;
  if (!conversation() || innerWidth <= 760) { location.assign(path); return; }
  htmx.ajax('GET', path, { target: '#conversation', swap: 'outerHTML' }).then(() => {
    history.pushState({ htmx: true }, '', path);
    settle();
    document.querySelector('.thread-head h2 a')?.focus({ preventScroll: true });
  });
});

// A message that arrives while one looks slides in and is said aloud.
const bubbles = () => [...document.querySelectorAll('#talk .msg[id]')];
document.addEventListener('live:before', () => { known = new Set(bubbles().map((bubble) => bubble.id)); });
document.addEventListener('live:after', ({ target }) => {
  if (target.id !== 'conversation' || !known.size) return;
  for (const bubble of bubbles()) {
    if (known.has(bubble.id) || bubble.classList.contains('out')) continue;
    bubble.classList.add('arrived');
    bubble.addEventListener('animationend', () => bubble.classList.remove('arrived'), { once: true });
  }
});
