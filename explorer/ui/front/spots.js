// Who wants to know of clicks on the empty space of a map, and of the mouse over it: by the key of
// its points.

const listeners = new Map();

/** `listener.spot(view, x, y, hovering)` is called with the place in the plane of the points. */
export function hear(key, listener) {
  listeners.set(key, listener);
}

export function unhear(listener) {
  for (const [key, one] of listeners) if (one === listener) listeners.delete(key);
}

/** A click on that pixel of a map, under which nothing lies, or the mouse over it. */
export function tellSpot(view, px, py, hovering) {
  const listener = listeners.get(view.data.geometry?.key);
  if (listener) listener.spot(view, ...view.viewport.toPlane(px, py), hovering);
}
