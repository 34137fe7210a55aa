// `data-insert="{{first_name}}" data-into="content"`: puts a text where the caret stands in the field of that id, in a
// way that Ctrl+Z takes back; or in the field `[data-inserts]` of the same form that was written in last.
let last;
document.addEventListener('focusin', ({ target }) => {
  if (target.matches?.('input:not([type="radio"], [type="search"]), textarea, select')) last = target.matches('[data-inserts]') ? target : undefined;
});
document.addEventListener('click', ({ target }) => {
  const button = target.closest?.('[data-insert]');
  const field = last?.isConnected && last.form === button?.form ? last : button && document.getElementById(button.dataset.into);
  if (!field) return;
  field.focus();
  // Deprecated, and the only way that keeps the field's history.
  if (!document.execCommand('insertText', false, button.dataset.insert)) {
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, 'end');
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
});
