// Ctrl K: one field that finds people, quotes, places and what can be done on this page.
// GET /palette?q= answers [{label, hint, href, icon}].
import { commands, label, run } from './keys.js';

const dialog = document.getElementById('palette');
const input = dialog?.querySelector('input');
const list = document.getElementById('palette-list');
let options = [], chosen = 0, abort, timer;

function local(wanted) {
  const fits = (text) => text.toLowerCase().includes(wanted);
  const here = commands().filter((element) => element.dataset.key !== '/').map((element) => ({ label: label(element), icon: element.querySelector('use')?.href.baseVal.split('#')[1] ?? 'zap', hint: element.dataset.key, act: () => run(element) }));
  const places = [...document.querySelectorAll('.nav [data-go]')].map((place) => ({ label: place.title.replace(/ \([^)]*\)$/, ''), icon: place.querySelector('use').href.baseVal.split('#')[1], hint: `g ${place.dataset.go}`, href: place.href }));
  const extra = [{ label: 'Keyboard', icon: 'command', hint: '?', act: () => document.getElementById('keys').showModal() }];
  return { here: here.filter((item) => fits(item.label)), go: [...places, ...extra].filter((item) => fits(item.label)) };
}

function draw(found, wanted) {
  const { here, go } = local(wanted);
  options = [];
  list.replaceChildren();
  for (const [caption, items] of [['Found', found], ['On this page', here], ['Go to', go]]) {
    if (!items.length) continue;
    list.append(Object.assign(document.createElement('div'), { className: 'caption', textContent: caption, role: 'presentation' }));
    for (const item of items) list.append(option(item));
  }
  if (!options.length) list.append(Object.assign(document.createElement('p'), { className: 'none', textContent: `Nothing called “${input.value}”.` }));
  choose(0);
}

function option(item) {
  const element = document.createElement('div');
  element.id = `palette-${options.length}`;
  element.setAttribute('role', 'option');
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  icon.setAttribute('class', 'icon');
  icon.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `/assets/icons.svg#${item.icon || 'arrow-right'}`);
  icon.append(use);
  const hint = Object.assign(document.createElement('span'), { className: 'hint', textContent: item.hint ?? '' });
  element.append(icon, Object.assign(document.createElement('span'), { className: 'clip', textContent: item.label }), hint);
  const at = options.push({ element, item }) - 1;
  element.addEventListener('pointermove', () => choose(at));
  element.addEventListener('click', () => take(at));
  return element;
}

function choose(at) {
  if (!options.length) return input.removeAttribute('aria-activedescendant');
  options[chosen]?.element.setAttribute('aria-selected', 'false');
  chosen = (at + options.length) % options.length;
  const { element } = options[chosen];
  element.setAttribute('aria-selected', 'true');
  input.setAttribute('aria-activedescendant', element.id);
  element.scrollIntoView({ block: 'nearest' });
}

function take(at) {
  const { item } = options[at] ?? {};
  if (!item) return;
  dialog.close();
  if (item.act) item.act();
  else location.assign(item.href);
}

async function find(wanted) {
  abort?.abort();
  abort = new AbortController();
  try {
    const response = await fetch(`/palette?q=${encodeURIComponent(wanted)}`, { headers: { Accept: 'application/json' }, signal: abort.signal });
    if (response.ok) draw(await response.json(), wanted.toLowerCase());
  } catch (error) {
    if (error.name !== 'AbortError') draw([], wanted.toLowerCase());
  }
}

export function open() {
  if (!dialog || dialog.open) return dialog?.close();
  for (const other of document.querySelectorAll('dialog[open]')) other.close();
  input.value = '';
  draw([], '');
  dialog.showModal();
  input.focus();
}

if (dialog) {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      open();
    }
  });
  input.addEventListener('input', () => {
    const wanted = input.value.trim();
    draw([], wanted.toLowerCase());
    clearTimeout(timer);
    abort?.abort();
    if (wanted) timer = setTimeout(() => find(wanted), 120);
  });
  input.addEventListener('keydown', (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { event.preventDefault(); choose(chosen + by); }
    if (event.key === 'Enter') { event.preventDefault(); take(chosen); }
  });
}
