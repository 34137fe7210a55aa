// Entry for signed-in pages. Teaches htmx this house's rules: the token on every request, what an
// error answer means, what a morph must leave alone. Everything else finds its elements by data
// attributes, so that pages carry no script of their own.
import './forms.js';
import './menus.js';
import { toast } from './toasts.js';
import './theme.js';
import './tabs.js';
import './time.js';
import './keys.js';
import './palette.js';
import './live.js';
import './counts.js';
import './inbox.js';
import './composer.js';
import './board.js';
import './choose.js';
import './copy.js';
import './insert.js';
import './upload.js';

const token = document.querySelector('meta[name="csrf"]')?.content ?? '';

document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
  ctx.request.headers['X-CSRF-Token'] = token;
});

// 422 carries a form with its errors and is swapped. Any other refusal is one sentence of plain
// text: it is said, and the page stays as it was.
document.addEventListener('htmx:before:response', (event) => {
  const { raw } = event.detail.ctx.response;
  if (raw.status < 400 || raw.status === 422 || raw.headers.has('HX-Redirect')) return;
  event.preventDefault();
  event.target.dispatchEvent(new CustomEvent('refused', { bubbles: true, detail: { status: raw.status } }));
  const plain = raw.headers.get('Content-Type')?.startsWith('text/plain');
  (plain ? raw.text() : Promise.resolve('')).then((text) => {
    toast({ text: text.trim() || 'That did not work. Try again in a moment.', tone: 'stop' });
  });
});

document.addEventListener('htmx:error', (event) => {
  if (!event.detail.ctx) return;
  event.target.dispatchEvent(new CustomEvent('refused', { bubbles: true, detail: { status: 0 } }));
  toast({ text: 'No connection to the server. Nothing was lost.', tone: 'stop' });
});

// What a person opened stays open when fresh markup arrives.
htmx.registerExtension('patchbay', {
  htmx_before_morph_attr: (element, { attrName }) => !(attrName === 'open' && element.matches('details, dialog')),
  htmx_before_on_init: () => false,
});
