// Maps that move together.

import { others } from "./links.js";
import { someInBox } from "./pick.js";

const LOOKED_AT = 20000;
const OUTLIERS = 0.02;

/** Move the linked maps after this one. Those of the same points show the same part of the plane;
 * others show, once this one rests, where the rows now on screen lie in them. */
export function follow(view, resting) {
  const rest = [];
  for (const other of others(view)) {
    if (!other.viewport || !other.data.linked) continue;
    if (other.data.geometry.key !== view.data.geometry.key) rest.push(other);
    else {
      other.viewport.place = view.viewport.place;
      other.redraw();
    }
  }
  if (!resting || !rest.length) return;
  const places = someInBox(view.points, view.grid, view.viewport.box, LOOKED_AT, () => true);
  for (const other of rest) {
    if (view.viewport.zoom <= 1) other.viewport.reset();
    else showRows(other, places.map((place) => view.ids.rowOf(place)));
    other.redraw();
  }
}

/** Without the farthest few, which would keep the map from zooming at all. */
function showRows(view, rows) {
  const places = rows.map((row) => view.ids.placeOf(row)).filter((place) => place >= 0);
  if (!places.length) return;
  const [left, right] = ends(places.map((place) => view.points[2 * place]));
  const [bottom, top] = ends(places.map((place) => view.points[2 * place + 1]));
  view.viewport.show({ left, right, bottom, top });
}

function ends(values) {
  values.sort((a, b) => a - b);
  const cut = Math.floor(OUTLIERS * values.length);
  return [values[cut], values[values.length - 1 - cut]];
}
