// `data-copy="text"`: puts the text on the clipboard and says so. `data-select`: a read-only field that selects itself.
import { toast } from './toasts.js';

document.addEventListener('click', async ({ target }) => {
  const button = target.closest?.('[data-copy]');
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    toast({ text: 'Copied' });
  } catch {
    const field = button.parentElement.querySelector('[data-select]');
    field?.select();
    toast({ text: 'Press Ctrl+C to copy the marked text.' });
  }
});
document.addEventListener('focusin', ({ target }) => { if (target.matches?.('[data-select]')) target.select(); });
