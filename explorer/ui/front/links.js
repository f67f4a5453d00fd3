// Views of the same rows on one page: what is chosen or under the mouse in one shows in all at
// once, before the server knows. Views tell each other dataset rows, because maps of different
// embeddings hold different rows in different places.

const groups = new Map();
const WAITING = 15000;

/** This page's name to the server, and the number of its last selection. */
export const page = Math.random().toString(36).slice(2);
let turns = 0;
let chosenAt = -Infinity;

export function nextTurn() {
  chosenAt = performance.now();
  return ++turns;
}

/** Whether the server tells a selection of this page that has been replaced here since. After a
 * while it is believed: what was sent then did not arrive. */
export function isStale(chosen) {
  return chosen?.origin === page && chosen.turn !== turns
    && performance.now() - chosenAt < WAITING;
}

/** Whether the server only confirms the last selection made on this page. */
export function isConfirmed(chosen) {
  return chosen?.origin === page && chosen.turn === turns;
}

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

/** The views of that data set. */
export function inGroup(group) {
  return [...(groups.get(group) ?? [])];
}

/** The other views of the same data set. */
export function others(view) {
  return [...(groups.get(view.group) ?? [])].filter((other) => other !== view && other.n > 0);
}

export function tellChosen(view, how) {
  for (const other of others(view)) other.takeLinked(translate(view, other, how));
}

/** Mark in the other views the row at that place of this one; -1 for none. */
export function tellHover(view, place) {
  const row = place < 0 ? -1 : view.ids.rowOf(place);
  for (const other of others(view)) other.mark(row < 0 ? -1 : other.ids.placeOf(row));
}

/** One view's selection (flags or null) in the places of another. What the one does not hold stays
 * as it was where it adds or subtracts. */
export function translate(from, to, how) {
  if (from.ids.key === to.ids.key) return from.chosen;
  const flags = new Uint8Array(to.n);
  let any = 0;
  for (let place = 0; place < to.n; place++) {
    const there = from.ids.placeOf(to.ids.rowOf(place));
    if (there >= 0) flags[place] = from.chosen ? from.chosen[there] : 0;
    else if (how !== "replace" && to.chosen) flags[place] = to.chosen[place];
    any |= flags[place];
  }
  return any ? flags : null;
}

/** Which dataset row stands at which place of a view. `rows` (Uint32Array, ascending or not) is
 * null where all n rows are there in their order. */
export class Ids {
  constructor(n, rows = null, key = "") {
    this.n = n;
    this.rows = rows;
    this.key = rows ? key : `the first ${n}`;
  }

  rowOf(place) {
    return this.rows ? this.rows[place] : place;
  }

  /** The place of a row, -1 where the view does not hold it. */
  placeOf(row) {
    if (!this.rows) return row < this.n ? row : -1;
    if (!this.places) {
      let most = 0;
      for (const one of this.rows) most = Math.max(most, one);
      this.places = new Int32Array(most + 1).fill(-1);
      this.rows.forEach((one, place) => { this.places[one] = place; });
    }
    return row < this.places.length ? this.places[row] : -1;
  }
}
