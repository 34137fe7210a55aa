// Keeps relative times honest: `<time datetime data-ago>`. Under a day they count; older ones keep
// the text the server gave them. When the date changes, what is on the screen counts as stale.
import { stale } from './live.js';

const minute = 60_000;
let today = new Date().toDateString();

/** "now", "5 min", "2 h"; nothing for what lies in the future or more than a day back. */
export function ago(then, now = Date.now()) {
  const minutes = Math.floor((now - then) / minute);
  if (minutes < 0 || minutes >= 24 * 60) return '';
  if (minutes < 1) return 'now';
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

function freshen() {
  for (const element of document.querySelectorAll('time[data-ago]')) {
    const text = ago(Date.parse(element.dateTime));
    if (text && text !== element.textContent) element.textContent = text;
  }
  if (today !== new Date().toDateString()) {
    today = new Date().toDateString();
    stale('*');
  }
}

freshen();
setInterval(freshen, minute / 2);
for (const type of ['htmx:after:swap', 'live:after']) document.addEventListener(type, freshen);
