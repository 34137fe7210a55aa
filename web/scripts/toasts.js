// What was done, said at the foot of the page for a while, with a way back where there is one.
// Server: `HX-Trigger: {"toast": {"text": "…", "undo": "/path to post to"}}`, or `shell.notice`.
const shelf = document.getElementById('toasts');
const lifetime = { plain: 5000, undo: 9000, stop: 9000 };

/** Shows a toast. `undo` is a path that is posted to; `tone` "stop" is announced at once. */
export function toast({ text, undo = '', tone = '' }) {
  if (!shelf || !text) return;
  const item = document.createElement('div');
  item.className = 'toast';
  if (tone === 'stop') item.setAttribute('role', 'alert');
  item.append(Object.assign(document.createElement('span'), { textContent: text }));
  if (undo) item.dataset.undo = undo;
  shelf.append(item);
  dress(item, tone);
  while (shelf.children.length > 3) shelf.firstElementChild.remove();
}

function dress(item, tone = '') {
  const { undo } = item.dataset;
  if (undo) item.append(button('Undo', 'undo', () => takeBack(undo, item)));
  item.append(button('×', 'shut', () => item.remove(), 'Dismiss'));
  // The clock stands still while somebody reads: under the pointer or in focus.
  let timer;
  const start = () => { timer = setTimeout(() => item.remove(), lifetime[undo ? 'undo' : tone || 'plain']); };
  const stop = () => clearTimeout(timer);
  for (const type of ['pointerenter', 'focusin']) item.addEventListener(type, stop);
  for (const type of ['pointerleave', 'focusout']) item.addEventListener(type, () => { stop(); start(); });
  start();
}

function button(label, kind, act, name = '') {
  const made = Object.assign(document.createElement('button'), { type: 'button', className: kind, textContent: label });
  if (name) made.setAttribute('aria-label', name);
  made.addEventListener('click', act);
  return made;
}

async function takeBack(path, item) {
  item.remove();
  const token = document.querySelector('meta[name="csrf"]')?.content ?? '';
  // What stands behind the question mark is the form of the way back.
  const body = new URLSearchParams(path.split('?')[1] ?? '');
  try {
    const response = await fetch(path, { method: 'POST', body, headers: { 'X-CSRF-Token': token, 'HX-Request': 'true', 'HX-Request-Type': 'partial' } });
    if (!response.ok) throw new Error(response.statusText);
    document.dispatchEvent(new CustomEvent('live:stale', { detail: '*' }));
    document.dispatchEvent(new CustomEvent('undone', { detail: path }));
  } catch {
    toast({ text: 'That could not be undone.', tone: 'stop' });
  }
}

document.addEventListener('toast', ({ detail }) => toast(detail));
for (const item of document.querySelectorAll('[data-toast]')) dress(item);
