// A file that was chosen or dropped is on its way at once; without this the button sends it.
document.addEventListener('change', ({ target }) => {
  if (!target.matches('input[type="file"][data-sends]') || !target.files.length) return;
  target.form.setAttribute('data-js-sending', '');
  const name = target.form.querySelector('.ask strong');
  if (name) name.textContent = `Uploading ${target.files[0].name} …`;
  target.form.requestSubmit();
});
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('[data-js-sending]')) form.removeAttribute('data-js-sending');
});
