// Says what was clicked before the server has been reached, and opens by key what has no key of
// its own. What it says is taken away as soon as the server has taken the click up; if that does
// not happen, it says so: nothing here claims that anything was done.

const LATE_MS = 6000;
const TYPING = 'input, textarea, select, [contenteditable=true]';

const keyOf = (target) => {
  const button = target instanceof Element && target.closest('button');
  if (!button || button.disabled) return '';
  const holder = button.closest('[class*="st-key-"]');
  const name = holder && [...holder.classList].find((one) => one.startsWith('st-key-'));
  return name ? name.slice('st-key-'.length) : '';
};

const wordsOf = (words, key) => {
  if (!key || key.endsWith('-popover')) return '';
  if (words[key]) return words[key];
  const begins = Object.keys(words).filter(
    (one) => one.endsWith('*') && key.startsWith(one.slice(0, -1)),
  );
  return begins.length ? words[begins[0]] : '';
};

const buttonOf = (key) => document.querySelector(`.st-key-${CSS.escape(key)} button`);

// A popover takes its time to be drawn, and one that closes hands the focus back late: looked at
// until the first field, or else button, has held it for a moment, or another key is pressed.
let looking = 0;
const intoPopover = (tries = 40, held = 0) => {
  const body = document.querySelector('[data-testid=stPopoverBody]');
  const first =
    body && (body.querySelector('textarea, input') || body.querySelector('button:not(:disabled)'));
  const stays = first && document.activeElement === first;
  if (first && !stays) first.focus();
  if (tries === 0 || held === 5) return;
  looking = setTimeout(intoPopover, 50, tries - 1, stays ? held + 1 : 0);
};

export default function ({ data, parentElement }) {
  const said = parentElement.querySelector('[data-said]');
  const before = parentElement.tocsin;
  if (before) {
    if (before.data.round !== data.round) before.clear();
    before.data = data;
    return undefined;
  }
  const own = { data, timer: 0, clear: () => {} };
  parentElement.tocsin = own;
  own.clear = () => {
    clearTimeout(own.timer);
    said.textContent = '';
  };
  const clicked = (event) => {
    const words = wordsOf(own.data.words, keyOf(event.target));
    if (!words) return;
    clearTimeout(own.timer);
    said.textContent = words;
    own.timer = setTimeout(() => {
      said.textContent = own.data.late;
    }, LATE_MS);
  };
  const pressed = (event) => {
    clearTimeout(looking);
    const typing = event.target instanceof Element && event.target.closest(TYPING);
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const button = buttonOf(own.data.keys[event.key] || '-');
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
    looking = setTimeout(intoPopover, 50);
  };
  document.addEventListener('click', clicked, true);
  document.addEventListener('keydown', pressed);
  return () => {
    clearTimeout(own.timer);
    document.removeEventListener('click', clicked, true);
    document.removeEventListener('keydown', pressed);
    delete parentElement.tocsin;
  };
}
