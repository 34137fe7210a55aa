// Choosing rows of a list: the head's box chooses all, Shift chooses a stretch, x the row in focus, Escape none; on a
// phone "Choose" shows the boxes. The bar with what can be done shows itself by style alone; this keeps its count, and lets go once something was done.
import { stale } from './live.js';

const boxes = () => [...document.querySelectorAll('#results [name="ids"]')];
let last;

function tell() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const count = document.querySelector('[data-chosen]');
  if (count) count.textContent = `${chosen} chosen`;
  const head = document.querySelector('[data-choose-all]');
  if (!head) return;
  head.checked = chosen > 0 && chosen === all.length;
  head.indeterminate = chosen > 0 && chosen < all.length;
}

function choose(list, on) {
  for (const box of list) box.checked = on;
  tell();
}

document.addEventListener('click', (event) => {
  if (event.target.matches('[data-choose-all]')) return choose(boxes(), event.target.checked);
  if (event.target.closest('[data-choose-none]') || event.target.matches('[data-choosing]:not(:checked)')) return choose(boxes(), false);
  if (!event.target.matches('[name="ids"]')) return;
  const all = boxes();
  if (event.shiftKey && last?.isConnected) {
    const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
    choose(all.slice(from, to + 1), event.target.checked);
  }
  last = event.target;
  tell();
});

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open], [popover]:popover-open')) return;
  if (event.target.matches('input:not([type=checkbox]), textarea, select')) return;
  if (event.key === 'Escape' && boxes().some((box) => box.checked)) choose(boxes(), false);
  const box = event.key === 'x' && event.target.closest('[data-row]')?.querySelector('[name="ids"]');
  if (box) { box.checked = !box.checked; last = box; tell(); }
});

document.addEventListener('htmx:after:request', ({ target, detail }) => {
  if (target.id !== 'bulk' || detail.ctx.response?.status >= 400) return;
  choose(boxes(), false);
  stale('contacts');
});

// A label that is not there yet: Enter makes it.
document.addEventListener('keydown', (event) => {
  const { make } = event.target.dataset ?? {};
  if (event.key !== 'Enter' || !make || !event.target.value.trim()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const wanted = event.target.value.trim().toLowerCase();
  const items = [...document.querySelectorAll(event.target.dataset.filter)];
  const known = items.find((item) => item.textContent.trim().toLowerCase() === wanted);
  const made = known ?? Object.assign(document.createElement('button'), { name: make, value: event.target.value.trim(), hidden: true });
  if (!known) event.target.form.append(made);
  event.target.closest('[popover]')?.hidePopover();
  event.target.form.requestSubmit(made);
  if (!known) made.remove();
  event.target.value = '';
}, true);

// The export follows the filters, which change without a new page.
function follow() {
  const { exportHref } = document.getElementById('results')?.dataset ?? {};
  if (exportHref) for (const link of document.querySelectorAll('[data-export]')) link.href = exportHref;
}
document.addEventListener('htmx:after:swap', () => { follow(); tell(); });
document.addEventListener('live:after', tell);
