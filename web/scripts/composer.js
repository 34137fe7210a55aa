// Writing: the estimate as one types, Enter to send, templates, drafts that survive a detour, and a
// bubble that stands at once while the real one is on its way.
const pointer = matchMedia('(pointer: fine)');
const token = document.querySelector('meta[name="csrf"]')?.content ?? '';
const composer = () => document.querySelector('form[data-composer]');
const field = (form) => form.querySelector('#compose');
const channel = (form) => form.querySelector('[name="channel"]:checked')?.value ?? '';
let timer, abort, sent;

function estimate(form, delay = 160) {
  clearTimeout(timer);
  abort?.abort();
  if (channel(form) === 'note') return;
  timer = setTimeout(async () => {
    abort = new AbortController();
    const body = new URLSearchParams({ body: field(form).value, channel: channel(form), conversation_id: form.dataset.composer });
    try {
      const response = await fetch('/compose/estimate', { method: 'POST', body, headers: { 'X-CSRF-Token': token, Accept: 'application/json' }, signal: abort.signal });
      if (!response.ok) return;
      const { text, encoding, segments } = await response.json();
      const output = form.querySelector('#estimate');
      if (form.querySelector('[name="template_id"]').value && form.dataset.jsTemplate) return;
      output.textContent = text;
      output.title = encoding === 'UCS-2' ? 'With emoji or letters such as ś a text holds 70 characters instead of 160' : '';
      output.classList.toggle('wait', encoding === 'UCS-2' || segments > 3);
    } catch { /* an estimate that never arrives is not worth a word */ }
  }, delay);
}

// Drafts: kept for this tab, per conversation.
const key = (form) => `draft:${form.dataset.composer}`;
function keep(form) {
  const draft = { body: field(form).value, subject: form.elements.subject?.value ?? '', channel: channel(form) };
  if (draft.body || draft.subject) sessionStorage.setItem(key(form), JSON.stringify(draft));
  else sessionStorage.removeItem(key(form));
}
function restore(form) {
  if (!form || form.dataset.jsReady) return;
  form.dataset.jsReady = 'true';
  const draft = JSON.parse(sessionStorage.getItem(key(form)) ?? 'null');
  if (draft && !field(form).value) {
    field(form).value = draft.body;
    if (form.elements.subject) form.elements.subject.value = draft.subject;
    const radio = form.querySelector(`#channel-${CSS.escape(draft.channel)}`);
    if (radio) radio.checked = true;
    estimate(form, 0);
  }
  voice(form);
  grow(form);
}
function voice(form) {
  const radio = form.querySelector('[name="channel"]:checked');
  if (radio) field(form).placeholder = radio.dataset.placeholder;
}
// Browsers that cannot size a field by its content.
function grow(form) {
  if (CSS.supports('field-sizing: content')) return;
  field(form).style.height = 'auto';
  field(form).style.height = `${field(form).scrollHeight}px`;
}

document.addEventListener('input', ({ target }) => {
  const form = target.closest?.('form[data-composer]');
  if (!form || !target.matches('#compose, #compose-subject')) return;
  if (!form.dataset.jsTemplate) form.elements.template_id.value = '';
  keep(form);
  grow(form);
  estimate(form);
});
document.addEventListener('change', ({ target }) => {
  const form = target.closest?.('form[data-composer]');
  if (!form || target.name !== 'channel') return;
  letGo(form);
  voice(form);
  keep(form);
  estimate(form, 0);
  field(form).focus();
});
document.addEventListener('keydown', (event) => {
  const form = event.target.closest?.('form[data-composer]');
  if (!form || event.key !== 'Enter' || event.isComposing || !event.target.matches('#compose, #compose-subject')) return;
  const chat = ['sms', 'whatsapp'].includes(channel(form)) && event.target.id === 'compose';
  if (event.ctrlKey || event.metaKey || (chat && pointer.matches && !event.shiftKey && !event.altKey)) {
    event.preventDefault();
    form.querySelector(channel(form) === 'note' ? '.bar .for-note' : '.bar .for-message[type=submit]')?.click();
  } else if (event.target.id === 'compose-subject') {
    event.preventDefault();
    field(form).focus();
  }
});

// A template becomes text to edit; one approved by WhatsApp travels unchanged.
document.addEventListener('click', ({ target }) => {
  const choice = target.closest('[data-template]');
  const form = choice && composer();
  if (!form) return;
  const radio = form.querySelector(`#channel-${CSS.escape(choice.dataset.channel)}`);
  if (radio) radio.checked = true;
  letGo(form);
  field(form).value = choice.dataset.body;
  if (form.elements.subject && choice.dataset.subject) form.elements.subject.value = choice.dataset.subject;
  form.elements.template_id.value = choice.dataset.template;
  if (choice.hasAttribute('data-approved')) {
    form.dataset.jsTemplate = choice.dataset.template;
    field(form).readOnly = true;
    form.querySelector('#estimate').textContent = 'Approved template, sent as it is';
  }
  voice(form);
  keep(form);
  grow(form);
  estimate(form, 0);
  field(form).focus();
});
function letGo(form) {
  if (form.dataset.jsTemplate) field(form).value = '';
  delete form.dataset.jsTemplate;
  form.elements.template_id.value = '';
  field(form).readOnly = false;
}

// Sending: nothing empty leaves; the field is free again at once; a refusal gives everything back.
const owner = (element) => element.closest?.('form[data-composer]');
document.addEventListener('htmx:config:request', (event) => {
  const form = owner(event.target);
  if (!form) return;
  const { body, submitter } = event.detail.ctx.request;
  if (!field(form).value.trim()) { event.preventDefault(); field(form).focus(); return; }
  sent = { body: field(form).value, subject: form.elements.subject?.value ?? '' };
  const note = event.detail.ctx.request.action.endsWith('/notes');
  const later = body.has('send_at') || submitter?.name === 'later';
  bubble(sent.body, note, later);
});
document.addEventListener('htmx:before:request', ({ target, detail }) => {
  const form = owner(target);
  if (!form || detail.ctx.request.method !== 'POST') return;
  for (const menu of form.querySelectorAll('[popover]:popover-open')) menu.hidePopover();
  letGo(form);
  field(form).value = '';
  if (form.elements.subject) form.elements.subject.value = '';
  form.elements.nonce.value = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  sessionStorage.removeItem(key(form));
  grow(form);
  estimate(form, 0);
});
document.addEventListener('refused', ({ target }) => {
  const form = owner(target);
  if (!form || !sent) return;
  document.querySelector('#talk .pending')?.remove();
  if (!field(form).value) field(form).value = sent.body;
  if (form.elements.subject) form.elements.subject.value ||= sent.subject;
  keep(form);
  grow(form);
  estimate(form, 0);
});
function bubble(text, note, later) {
  const made = document.createElement('article');
  made.className = note ? 'note pending' : `msg out pending${later ? ' held' : ''}`;
  made.append(Object.assign(document.createElement('p'), { className: 'text', textContent: text }));
  document.getElementById('talk')?.append(made);
  document.querySelector('.talk')?.scrollTo({ top: 0 });
}

for (const type of ['htmx:after:swap', 'live:after']) {
  document.addEventListener(type, () => {
    const form = composer();
    if (!form) return;
    restore(form);
    voice(form);
    field(form).readOnly = Boolean(form.dataset.jsTemplate);
  });
}
restore(composer());
