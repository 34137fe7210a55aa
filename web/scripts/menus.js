// Popover menus: the browser opens and closes them; this adds arrow keys, and places them where the
// browser cannot yet anchor by itself.
const anchored = CSS.supports('position-area: bottom');

document.addEventListener('toggle', (event) => {
  const menu = event.target;
  if (!(menu instanceof HTMLElement) || !menu.matches('.menu[popover]')) return;
  const opener = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]:is(:focus, :hover)`) ?? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
  for (const button of document.querySelectorAll(`[popovertarget="${CSS.escape(menu.id)}"]`)) button.setAttribute('aria-expanded', String(event.newState === 'open'));
  if (event.newState !== 'open') return;
  if (!anchored && opener && innerWidth > 760) place(menu, opener);
  if (!menu.contains(document.activeElement)) items(menu)[0]?.focus({ preventScroll: true });
}, true);

function items(menu) {
  return [...menu.querySelectorAll('.item, .search input')].filter((item) => !item.disabled && item.offsetParent !== null);
}

function place(menu, opener) {
  const at = opener.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + height + 8 < innerHeight;
  const left = menu.classList.contains('to-left') ? at.right - width : at.left;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${below ? at.bottom : Math.max(8, at.top - height - 8)}px`;
}

document.addEventListener('keydown', (event) => {
  const menu = event.target.closest?.('.menu[popover]');
  if (!menu || !['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(event.key)) return;
  if (event.target.matches('input') && ['Home', 'End'].includes(event.key)) return;
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  event.preventDefault();
  all[(to + all.length) % all.length]?.focus();
});

// A choice closes its menu; a link to another menu closes this one first.
document.addEventListener('click', (event) => {
  const item = event.target.closest('.menu[popover] .item');
  const menu = item?.closest('.menu');
  if (!menu?.matches(':popover-open')) return;
  const next = item.getAttribute('popovertarget');
  if (next) {
    event.preventDefault();
    menu.hidePopover();
    document.getElementById(next)?.showPopover();
  } else if (!item.hasAttribute('data-stay')) {
    queueMicrotask(() => menu.hidePopover());
  }
});

// `data-filter="#menu .item"`: typing narrows the list; Enter takes the first that is left.
document.addEventListener('input', ({ target }) => {
  if (!target.dataset?.filter) return;
  const wanted = target.value.trim().toLowerCase();
  for (const item of document.querySelectorAll(target.dataset.filter)) item.hidden = !item.textContent.toLowerCase().includes(wanted);
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !event.target.dataset?.filter) return;
  event.preventDefault();
  [...document.querySelectorAll(event.target.dataset.filter)].find((item) => !item.hidden)?.click();
});
