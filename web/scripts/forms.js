// Forms, on every page, with or without htmx: errors take the focus, unsaved work is not lost by
// accident, what destroys is asked about, dialogs open in browsers that cannot do it by markup.
const lost = new WeakSet();

function firstError(root = document) {
  const target = root.querySelector?.('[aria-invalid="true"]') ?? root.querySelector?.('.formerror');
  for (let shut = target?.closest('details:not([open])'); shut; shut = shut.parentElement.closest('details:not([open])')) shut.open = true;
  target?.scrollIntoView({ block: 'center' });
  target?.focus({ preventScroll: true });
  return Boolean(target);
}

firstError();
// A dialog that the server wants to be looked at.
document.querySelectorAll('dialog[data-open]').forEach((dialog) => dialog.showModal());
document.addEventListener('htmx:after:swap', ({ detail }) => {
  if (detail.ctx?.response?.status === 422) firstError();
});

// `data-guard`: a form with unsaved changes asks before the page is left.
document.addEventListener('input', ({ target }) => { if (target.form?.hasAttribute('data-guard')) lost.add(target.form); });
document.addEventListener('submit', ({ target }) => lost.delete(target));
addEventListener('beforeunload', (event) => {
  if ([...document.querySelectorAll('form[data-guard]')].some((form) => lost.has(form))) event.preventDefault();
});

// `data-clear`: empties itself once it was sent. `data-closes="id"`: that dialog has done its work then.
document.addEventListener('htmx:after:request', ({ target, detail }) => {
  if (!target.matches?.('form') || !(detail.ctx.response?.status < 400)) return;
  if (target.hasAttribute('data-clear')) target.reset();
  if (target.dataset.closes) document.getElementById(target.dataset.closes)?.close();
});

// `data-confirm="Archive Dana? She leaves all lists."`: asked in a dialog, in capture, before htmx hears it.
const confirmed = new WeakSet();
document.addEventListener('submit', (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset?.confirm;
  if (!question || confirmed.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(question, verb(event.submitter, question)).then((yes) => {
    if (!yes) return;
    confirmed.add(form);
    form.requestSubmit(event.submitter);
  });
}, true);

// What the button that was pressed says, else the word that the question begins with.
function verb(button, question) {
  const copy = button?.cloneNode(true);
  copy?.querySelectorAll('.sr, svg').forEach((hidden) => hidden.remove());
  return copy?.textContent.trim() || question.split(' ')[0];
}

/** Asks; the promise is true when the verb was chosen. The way out has the focus. */
export function ask(question, verb) {
  const dialog = document.createElement('dialog');
  dialog.className = 'dialog';
  dialog.setAttribute('aria-label', question);
  const body = Object.assign(document.createElement('div'), { className: 'body question' });
  body.append(Object.assign(document.createElement('p'), { textContent: question }));
  const acts = Object.assign(document.createElement('form'), { className: 'acts', method: 'dialog' });
  acts.append(
    Object.assign(document.createElement('button'), { className: 'btn', value: '', textContent: 'Cancel', autofocus: true }),
    Object.assign(document.createElement('button'), { className: 'btn primary danger', value: 'yes', textContent: verb }),
  );
  dialog.append(body, acts);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => { resolve(dialog.returnValue === 'yes'); dialog.remove(); });
  });
}

document.addEventListener('click', (event) => {
  // A click on the veil closes a dialog.
  if (event.target instanceof HTMLDialogElement && event.target.matches('.dialog, .palette')) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
  // Browsers without invoker commands.
  const invoker = 'commandForElement' in HTMLButtonElement.prototype ? null : event.target.closest('button[commandfor]');
  const dialog = invoker && document.getElementById(invoker.getAttribute('commandfor'));
  if (dialog) invoker.getAttribute('command') === 'close' ? dialog.close() : dialog.showModal();
});
