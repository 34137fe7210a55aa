// A lead's quote page. Tells that a person has it on the screen: a link scanner fetches the page but does not look at
// it, so only a visible page counts, and only after a moment. Everything else here works without scripts.
const sheet = document.querySelector('[data-quote]');

if (sheet && !sheet.hasAttribute('data-closed')) {
  const tell = () => {
    if (document.visibilityState !== 'visible') return;
    document.removeEventListener('visibilitychange', wait);
    fetch(sheet.dataset.quote, { method: 'POST', keepalive: true }).catch(() => {});
  };
  const wait = () => { if (document.visibilityState === 'visible') setTimeout(tell, 800); };
  document.addEventListener('visibilitychange', wait);
  wait();
}

// The forms that slide up: Esc goes back, the first field takes the focus, an answer is sent once.
const opened = () => document.querySelector('.answer:target, .answer.open');
document.addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape' || !opened()) return;
  opened().classList.remove('open');
  location.hash = '#quote';
});
addEventListener('hashchange', () => {
  document.querySelectorAll('.answer.open').forEach((answer) => answer.classList.remove('open'));
  opened()?.querySelector('input:not([type="hidden"]), textarea')?.focus();
});
document.addEventListener('submit', ({ target }) => {
  target.querySelectorAll('button').forEach((button) => { button.disabled = true; });
});
addEventListener('pageshow', () => document.querySelectorAll('.answer button').forEach((button) => { button.disabled = false; }));

// On paper, or as a file.
const print = document.querySelector('[data-print]');
print?.removeAttribute('hidden');
print?.addEventListener('click', () => window.print());
