// What people choose on a map, and how it is told.

import { nextTurn, page, tellChosen } from "./links.js";
import * as pick from "./pick.js";
import { tellSpot } from "./spots.js";

/** 'add', 'subtract' or 'replace', by the keys held. */
export function how(event) {
  return event.shiftKey ? "add" : event.altKey ? "subtract" : "replace";
}

/** The point at that pixel, and its card pinned; where there is none, whoever listens hears of the
 * place. */
export function click(view, px, py, way) {
  const i = view.at(px, py);
  view.cards.pin(-1);
  view.pinned = i;
  if (i < 0) {
    if (way === "replace") tellSpot(view, px, py, false);
    return view.redraw(false);
  }
  view.cards.show(i, px, py);
  view.cards.pin(i);
  const found = new Uint8Array(view.n);
  found[i] = 1;
  select(view, found, way);
}

/** The points inside an outline of pixels. */
export function enclose(view, outline, way) {
  const polygon = outline.map(([x, y]) => view.viewport.toPlane(x, y));
  select(view, pick.inPolygon(view.points, view.grid, polygon, (i) => view.isShown(i)), way);
}

/** All points on screen. */
export function chooseInSight(view, way) {
  select(view, pick.inBox(view.points, view.grid, view.viewport.box, (i) => view.isShown(i)), way);
}

/** The points with codes from `low` to `high`, inclusive, that pass the filter. */
export function chooseCodes(view, low, high, way) {
  const { codes, passing } = view;
  const found = new Uint8Array(view.n);
  for (let i = 0; i < found.length; i++) {
    if (codes[i] >= low && codes[i] <= high && (!passing || passing[i])) found[i] = 1;
  }
  select(view, found, way);
}

/** The points shown that are not chosen, instead of those that are. */
export function invert(view) {
  const found = new Uint8Array(view.n);
  for (let i = 0; i < found.length; i++) found[i] = view.isShown(i) && !view.chosen?.[i] ? 1 : 0;
  select(view, found, "replace");
}

export function clear(view) {
  view.pinned = -1;
  view.cards.pin(-1);
  if (view.chosen) select(view, new Uint8Array(view.n), "replace");
  view.redraw(false);
}

export function zoomToSelection(view) {
  const box = view.chosen && pick.boxOfFlags(view.points, view.chosen);
  if (!box) return;
  view.viewport.show(box);
  view.moved();
}

/** Show a selection at once, here and in linked views, and tell the server. */
export function select(view, found, way) {
  const chosen = pick.combine(view.chosen, found, way);
  const number = pick.count(chosen);
  const turn = nextTurn();
  view.takeLinked(number ? chosen : null);
  tellChosen(view, way);
  view.send("chosen", {
    bits: number ? pick.packBits(chosen) : "", count: number, n: chosen.length, how: way,
    rows: view.data.rows, origin: page, turn,
  });
}
