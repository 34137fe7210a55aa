// Theme at once, remembered by the server. The form works without this.
document.addEventListener('submit', (event) => {
  const form = event.target.closest('[data-theme-form]');
  if (!form || !event.submitter) return;
  event.preventDefault();
  const theme = event.submitter.value;
  document.documentElement.dataset.theme = theme;
  for (const item of form.querySelectorAll('[name="theme"]')) {
    item.toggleAttribute('aria-current', item === event.submitter);
    if (item === event.submitter) item.setAttribute('aria-current', 'true');
  }
  const body = new URLSearchParams(new FormData(form, event.submitter));
  fetch(form.action, { method: 'POST', body, redirect: 'manual' });
});
