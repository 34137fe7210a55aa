// What waits, beside the rooms' names and in the title. The server renders the counts once into a
// hidden element that lives; from there they spread to every `[data-count]`.
function spread() {
  const counts = document.getElementById('counts')?.dataset;
  if (!counts) return;
  for (const place of document.querySelectorAll('[data-count]')) {
    const waiting = Number(counts[place.dataset.count] ?? 0);
    place.textContent = waiting > 999 ? '999+' : waiting || '';
    place.hidden = !waiting;
  }
}

document.addEventListener('live:after', ({ target }) => { if (target.id === 'counts') spread(); });
