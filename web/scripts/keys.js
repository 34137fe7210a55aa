// The keyboard. Any link, button or field with `data-key="c"` is a command: the key activates it
// (or focuses it), and `?` lists it under its label. Lists that carry `data-rows` move with j and k.
const typing = 'input:not([type=radio], [type=checkbox], [type=button], [type=submit]), textarea, select, [contenteditable=true]';
let prefix = 0;

function visible(element) {
  return element.checkVisibility?.({ visibilityProperty: true }) ?? element.offsetParent !== null;
}

/** What a command is called: its `data-label`, its accessible name, or its text. */
export function label(element) {
  const text = element.dataset.label || element.getAttribute('aria-label') || element.title.replace(/ \([^)]*\)$/, '') || element.labels?.[0]?.textContent || element.textContent;
  return text.replace(/\s+/g, ' ').trim();
}

/** Every command of this page, in the order of the page, once per key. */
export function commands() {
  const seen = new Set();
  return [...document.querySelectorAll('[data-key]')].filter((element) => {
    const hidden = !visible(element) && !element.closest('[popover]') && !element.matches('input[type=radio]');
    if (hidden || element.disabled || seen.has(element.dataset.key)) return false;
    return seen.add(element.dataset.key);
  });
}

/** Does what the command stands for: fields take the focus, everything else is clicked. */
export function run(element) {
  if (element.matches(typing)) {
    const radio = element.closest('.composer')?.querySelector('#channel-note:checked');
    if (radio) element.closest('.composer').querySelector('[name=channel]:not(#channel-note)')?.click();
    element.focus();
    if (element.type === 'search') element.select?.();
  } else {
    element.click();
  }
}

let rest;
function move(by) {
  const list = document.querySelector('[data-rows]');
  if (!list) return;
  const rows = [...list.querySelectorAll('[data-row]')].map((row) => (row.matches('a') ? row : row.querySelector('a'))).filter(Boolean);
  const focused = rows.indexOf(document.activeElement);
  const current = rows.findIndex((row) => row.hasAttribute('aria-current') || row.closest('[aria-current]'));
  const from = focused >= 0 ? focused : current;
  const next = rows[Math.max(0, Math.min(rows.length - 1, from + by))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  clearTimeout(rest);
  // In the inbox the conversation follows the selection once it rests.
  if (list.dataset.rows === 'follow' && innerWidth > 760 && next && !next.hasAttribute('aria-current')) rest = setTimeout(() => next.click(), 130);
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const mod = event.ctrlKey || event.metaKey;
  if (event.key === 'Escape' && event.target.matches(typing) && !event.target.closest('dialog, [popover]')) {
    event.target.blur();
    return;
  }
  if (mod || event.altKey || event.target.matches(typing) || document.querySelector('dialog[open]')) return;
  if (event.target.closest('[popover]:popover-open') && event.key.length > 1) return;
  if (Date.now() - prefix < 1500) {
    prefix = 0;
    const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (place) { event.preventDefault(); place.click(); }
    return;
  }
  if (event.key === 'g') { prefix = Date.now(); return; }
  if (event.key === '?') { event.preventDefault(); overlay(); return; }
  if (event.key === 'j' || event.key === 'k') { event.preventDefault(); move(event.key === 'j' ? 1 : -1); return; }
  const command = commands().find((element) => element.dataset.key === event.key);
  if (command) { event.preventDefault(); run(command); }
});

function overlay() {
  document.getElementById('keys')?.showModal();
}

const row = (keys, name) => {
  const line = document.createElement('div');
  const term = Object.assign(document.createElement('dt'), { textContent: name });
  const what = document.createElement('dd');
  what.append(...keys.map((key) => Object.assign(document.createElement('kbd'), { textContent: key })));
  line.append(term, what);
  return line;
};

// Filled each time it opens, because commands come and go with what is on the page.
document.getElementById('keys')?.addEventListener('beforetoggle', ({ newState, target }) => {
  if (newState === 'open') fill(target);
});
function fill(dialog) {
  const list = dialog.querySelector('[data-keys]');
  const apple = /Mac|iPhone|iPad/.test(navigator.platform);
  const everywhere = [row([apple ? '⌘' : 'Ctrl', 'K'], 'Find and go'), row(['/'], 'Search'), row(['j'], 'Next in the list'), row(['k'], 'Previous in the list'), row(['Enter'], 'Open'), row(['Esc'], 'Close, leave the field'), row(['?'], 'This list')];
  const here = commands().filter((element) => element.dataset.key !== '/').map((element) => row([element.dataset.key], label(element)));
  const go = [...document.querySelectorAll('.nav [data-go]')].map((place) => row(['g', place.dataset.go], place.title.replace(/ \([^)]*\)$/, '')));
  list.replaceChildren(group('Everywhere', everywhere), group('Go to', go), ...(here.length ? [group('On this page', here)] : []));
}
function group(heading, rows) {
  const made = document.createElement('section');
  const names = document.createElement('dl');
  names.append(...rows);
  made.append(Object.assign(document.createElement('h3'), { textContent: heading }), names);
  return made;
}
