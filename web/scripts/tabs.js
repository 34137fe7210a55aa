// A row of tabs that is wider than the screen shows the one that is open.
for (const tab of document.querySelectorAll('.sidetabs [aria-current], .tabs [aria-current]')) {
  const row = tab.parentElement;
  if (row.scrollWidth > row.clientWidth) row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}
