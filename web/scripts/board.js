// A board of cards. `[data-board="/path"]` holds lanes `[data-lane="stage id"]` with one list each;
// cards are `[data-card="contact id"]`. A card moves under the pointer, or by keyboard: Space lifts
// it, arrows carry it, Space puts it down, Escape sends it home. The move is posted as
// `card`, `lane`, `before` and `after` (the cards that it now stands between; empty where there is none).
import { stale } from './live.js';

const said = document.getElementById('said');
const token = document.querySelector('meta[name="csrf"]')?.content ?? '';
let held, home, ghost, start;

const lane = (card) => card.closest('[data-lane]');
const name = (card) => card.dataset.name || card.textContent.trim().split('\n')[0];
const say = (text) => { if (said) said.textContent = text; };

function lift(card) {
  held = card;
  home = { list: card.parentElement, next: card.nextElementSibling };
  card.classList.add('lifted');
  say(`Lifted ${name(card)}. Arrow keys carry, Space puts down, Escape sends home.`);
}

function send_home() {
  if (held) home.list.insertBefore(held, home.next);
  drop(false);
}

async function drop(save = true) {
  const card = held;
  if (!card) return;
  held = undefined;
  card.classList.remove('lifted');
  ghost?.remove();
  ghost = undefined;
  const moved = card.parentElement !== home.list || card.nextElementSibling !== home.next;
  if (!save || !moved) return;
  const to = lane(card);
  say(`${name(card)} is now in ${to.getAttribute('aria-label')}.`);
  const body = new URLSearchParams({ card: card.dataset.card, lane: to.dataset.lane, before: card.nextElementSibling?.dataset.card ?? '', after: card.previousElementSibling?.dataset.card ?? '' });
  const back = home;
  const response = await fetch(card.closest('[data-board]').dataset.board, { method: 'POST', body, headers: { 'X-CSRF-Token': token, 'HX-Request': 'true', 'HX-Request-Type': 'partial' } }).catch(() => null);
  if (response?.ok) { stale('contacts'); return; }
  back.list.insertBefore(card, back.next?.isConnected ? back.next : null);
  const text = response?.headers.get('Content-Type')?.startsWith('text/plain') ? await response.text() : 'The card could not be moved. It is back where it was.';
  document.dispatchEvent(new CustomEvent('toast', { detail: { text, tone: 'stop' } }));
}

// Where in a lane a card belongs at this height.
function settle_at(list, y) {
  const next = [...list.querySelectorAll('[data-card]')].find((card) => {
    const box = card.getBoundingClientRect();
    return card !== held && y < box.top + box.height / 2;
  });
  if (held.parentElement !== list || held.nextElementSibling !== (next ?? null)) list.insertBefore(held, next ?? null);
}

document.addEventListener('pointerdown', (event) => {
  const card = event.target.closest('[data-board] [data-card]');
  const grip = event.target.closest('[data-grip]');
  if (!card || event.button !== 0 || (event.pointerType === 'touch' && !grip)) return;
  start = { card, x: event.clientX, y: event.clientY };
});

document.addEventListener('pointermove', (event) => {
  if (start && !held && Math.hypot(event.clientX - start.x, event.clientY - start.y) > 6) {
    const box = start.card.getBoundingClientRect();
    lift(start.card);
    ghost = start.card.cloneNode(true);
    ghost.removeAttribute('id');
    ghost.className = `${start.card.className} ghost`;
    ghost.style.width = `${box.width}px`;
    start.dx = start.x - box.left;
    start.dy = start.y - box.top;
    document.body.append(ghost);
    getSelection()?.removeAllRanges();
  }
  if (!ghost) return;
  event.preventDefault();
  ghost.style.translate = `${event.clientX - start.dx}px ${event.clientY - start.dy}px`;
  const list = document.elementFromPoint(event.clientX, event.clientY)?.closest('[data-lane]')?.querySelector('ol, ul');
  if (list) settle_at(list, event.clientY);
}, { passive: false });

document.addEventListener('pointerup', () => {
  if (ghost) {
    // The click that ends a drag is not a click on the card.
    addEventListener('click', (event) => { event.preventDefault(); event.stopPropagation(); }, { capture: true, once: true });
    setTimeout(() => dispatchEvent(new Event('click')), 0);
    drop();
  }
  start = undefined;
});
document.addEventListener('pointercancel', () => { if (ghost) send_home(); start = undefined; });
document.addEventListener('dragstart', (event) => { if (event.target.closest?.('[data-board]')) event.preventDefault(); });

document.addEventListener('keydown', (event) => {
  if (held && event.key === 'Escape') { send_home(); say('Back where it was.'); return; }
  const card = event.target.closest?.('[data-board] [data-card]');
  if (!card || event.target !== card || event.ctrlKey || event.metaKey) return;
  if (event.key === 'Enter' && !held) { card.querySelector('a')?.click(); return; }
  if (event.key === ' ') {
    event.preventDefault();
    if (held) drop(); else lift(card);
    card.focus();
    return;
  }
  if (!event.key.startsWith('Arrow')) return;
  event.preventDefault();
  const lanes = [...card.closest('[data-board]').querySelectorAll('[data-lane]')];
  const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
  const along = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
  const target = lanes[lanes.indexOf(lane(card)) + across];
  if (held === card) carry(card, across ? target : null, along);
  else focus_near(card, across ? target : null, along);
  (held ?? document.activeElement).scrollIntoView({ block: 'nearest', inline: 'nearest' });
});

function carry(card, target, along) {
  if (target) target.querySelector('ol, ul').prepend(card);
  else if (along < 0) card.previousElementSibling?.before(card);
  else if (along > 0) card.nextElementSibling?.after(card);
  card.focus();
  say(`${lane(card).getAttribute('aria-label')}, position ${[...card.parentElement.children].indexOf(card) + 1} of ${card.parentElement.children.length}`);
}

function focus_near(card, target, along) {
  if (target) target.querySelector('[data-card]')?.focus();
  else (along < 0 ? card.previousElementSibling : along > 0 ? card.nextElementSibling : null)?.focus();
}

// What arrives while a card is in the hand waits until it is put down.
document.addEventListener('live:before', (event) => {
  if (held && event.target.closest('[data-board]')) event.preventDefault();
});
