// Views of the same rows on one page: what is chosen or under the mouse in one shows in all at
// once, before the server knows.

const groups = new Map();

/** Put a view into the group of that name, and take it out of its former one. */
export function join(view, group) {
  if (view.group === group) return;
  leave(view);
  view.group = group;
  if (!groups.has(group)) groups.set(group, new Set());
  groups.get(group).add(view);
}

export function leave(view) {
  groups.get(view.group)?.delete(view);
}

/** The other views that show the same rows in the same order. */
export function others(view) {
  return [...(groups.get(view.group) ?? [])].filter((other) => other !== view
    && other.data.rows === view.data.rows && other.n === view.n);
}

const stored = new Map();
const KEPT = 16;

/** Bytes by address, asked for once; the address names the content. */
export function fetchBytes(url) {
  if (!stored.has(url)) {
    const asked = fetch(url).then((answer) => {
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      return answer.arrayBuffer();
    });
    asked.catch(() => stored.delete(url));
    stored.set(url, asked);
    if (stored.size > KEPT) stored.delete(stored.keys().next().value);
  }
  return stored.get(url);
}

/** Whether the page is dark. */
export function isDark(root) {
  const color = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  const number = parseInt(color.slice(1, 7), 16);
  const [red, green, blue] = [number >> 16, (number >> 8) & 255, number & 255];
  return color.length >= 7 && 0.3 * red + 0.59 * green + 0.11 * blue < 128;
}
