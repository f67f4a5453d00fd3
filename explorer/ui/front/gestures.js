// Mouse, touch and keys of a view.

import { chooseInSight, clear, click, enclose, how, invert, zoomToSelection } from "./choosing.js";

const STILL = 4;
const PAN = 60;

const KEYS = {
  ArrowLeft: (view) => slide(view, PAN, 0),
  ArrowRight: (view) => slide(view, -PAN, 0),
  ArrowUp: (view) => slide(view, 0, PAN),
  ArrowDown: (view) => slide(view, 0, -PAN),
  "+": (view) => zoom(view, 1.5),
  "=": (view) => zoom(view, 1.5),
  "-": (view) => zoom(view, 1 / 1.5),
  0: (view) => home(view),
  Escape: (view) => escape(view),
  m: (view) => take(view, "move"),
  b: (view) => take(view, "box"),
  l: (view) => take(view, "lasso"),
  a: (view, event) => chooseInSight(view, how(event)),
  i: (view) => invert(view),
  z: (view) => zoomToSelection(view),
  Enter: (view, event) => click(view, view.viewport.width / 2, view.viewport.height / 2, how(event)),
};

/** Wire a view to its elements. */
export function listen(view) {
  const stage = view.find("stage");
  const fingers = new Map();
  let drag = null;
  const spot = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button > 1 || !view.n || inCard(event)) return;
    stage.focus({ preventScroll: true });
    view.cursor = false;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, spot(event));
    const selecting = view.tool !== "move" || event.shiftKey || event.altKey;
    const kind = event.button === 1 || fingers.size > 1 || !selecting ? "pan" : view.tool;
    drag = { kind: kind === "move" ? "lasso" : kind, from: spot(event), last: spot(event),
      far: false, how: how(event) };
    view.outline = null;
  });

  stage.addEventListener("pointermove", (event) => {
    const [x, y] = spot(event);
    if (fingers.size > 1 && fingers.has(event.pointerId)) {
      pinch(view, fingers, event.pointerId, [x, y]);
      drag = null;  // what is left of a pinch selects nothing
      return;
    }
    if (!drag || !fingers.has(event.pointerId)) return view.hover(x, y);
    drag.far ||= Math.hypot(x - drag.from[0], y - drag.from[1]) > STILL;
    if (!drag.far) return;
    view.cards.hide();
    if (drag.kind === "pan") {
      view.viewport.pan(x - drag.last[0], y - drag.last[1]);
      view.moved();
    } else {
      view.outline = drag.kind === "box" ? corners(drag.from, [x, y])
        : [...(view.outline ?? [drag.from]), [x, y]];
      view.redraw(false);
    }
    drag.last = [x, y];
    fingers.set(event.pointerId, [x, y]);
  });

  stage.addEventListener("pointerup", (event) => {
    if (!fingers.delete(event.pointerId) || !drag || fingers.size) return;
    const { kind, far, how: way } = drag;
    const outline = view.outline;
    drag = null;
    view.outline = null;
    if (!far) click(view, ...spot(event), way);
    else if (kind !== "pan" && outline?.length > 2) enclose(view, outline, way);
    view.redraw(false);
  });

  const abandon = (event) => {
    fingers.delete(event.pointerId);
    drag = null;
    view.outline = null;
    view.redraw(false);
  };
  view.abandon = () => {
    if (!view.outline) return false;
    drag = view.outline = null;
    return true;
  };
  stage.addEventListener("pointercancel", abandon);
  stage.addEventListener("pointerleave", () => !fingers.size && view.leave());

  stage.addEventListener("wheel", (event) => {
    if (inCard(event)) return;
    event.preventDefault();
    const step = event.deltaMode === 1 ? 30 * event.deltaY : event.deltaY;
    view.viewport.zoomAt(...spot(event), Math.exp(-Math.max(-400, Math.min(400, step)) * 0.002));
    view.moved();
    view.cards.hide();
  }, { passive: false });

  stage.addEventListener("dblclick", (event) => inCard(event) || home(view));

  stage.addEventListener("keydown", (event) => {
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();  // Streamlit has single-key shortcuts of its own
    view.cursor = event.key !== "Escape";
    view.cards.hide();
    act(view, event);
    view.redraw(false);
  });
  stage.addEventListener("blur", () => {
    view.cursor = false;
    view.redraw(false);
  });

  for (const tool of ["move", "box", "lasso"]) {
    view.find(`tool-${tool}`).addEventListener("click", () => take(view, tool));
  }
  const press = (name, act) => view.find(name).addEventListener("click", () => act());
  press("in", () => zoom(view, 1.6));
  press("out", () => zoom(view, 1 / 1.6));
  press("home", () => home(view));
  press("toselection", () => zoomToSelection(view));
  press("invert", () => invert(view));
  press("clear", () => clear(view));
  press("link", () => view.send("link", view.place));
  press("names", () => turn(view, "names", "named"));
  press("density", () => {
    turn(view, "density", "contoured");
    view.refresh();
  });
  view.find("size").addEventListener("input", (event) => {
    view.factor = 2 ** Number(event.target.value);
    view.redraw();
  });
  take(view, view.tool);
}

/** A pinned card is read, scrolled and copied from; the map lies under it. */
function inCard(event) {
  return Boolean(event.target.closest(".card"));
}

/** A lasso under way is given up first; only then the selection goes. */
function escape(view) {
  if (!view.abandon()) clear(view);
}

function corners([ax, ay], [bx, by]) {
  return [[ax, ay], [bx, ay], [bx, by], [ax, by]];
}

function take(view, tool) {
  view.tool = tool;
  for (const name of ["move", "box", "lasso"]) {
    view.find(`tool-${name}`).setAttribute("aria-pressed", String(name === tool));
  }
  view.find("stage").dataset.tool = tool;
}

function turn(view, button, field) {
  view[field] = !view[field];
  view.find(button).setAttribute("aria-pressed", String(Boolean(view[field])));
  view.redraw();
}

function slide(view, dx, dy) {
  view.viewport.pan(dx, dy);
  view.moved();
}

function zoom(view, factor) {
  view.viewport.zoomAt(view.viewport.width / 2, view.viewport.height / 2, factor);
  view.moved();
}

function home(view) {
  view.viewport.reset();
  view.moved();
}

function pinch(view, fingers, moved, to) {
  const [other] = [...fingers].filter(([id]) => id !== moved).map(([, place]) => place);
  const from = fingers.get(moved);
  const before = Math.hypot(from[0] - other[0], from[1] - other[1]);
  const after = Math.hypot(to[0] - other[0], to[1] - other[1]);
  const middle = [(to[0] + other[0]) / 2, (to[1] + other[1]) / 2];
  view.viewport.pan((to[0] - from[0]) / 2, (to[1] - from[1]) / 2);
  if (before > 1) view.viewport.zoomAt(...middle, after / before);
  fingers.set(moved, to);
  view.moved();
}
