// Mouse, touch and keys of the silhouette plot.

import { how, select } from "./choosing.js";
import { tellHover } from "./links.js";

const STILL = 4;

export function listen(view) {
  const { stage } = view;
  const spot = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const drop = () => {
    from = null;
    view.band = null;
    view.redraw();
  };
  let from = null;

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || !view.order) return;
    stage.setPointerCapture(event.pointerId);
    stage.focus({ preventScroll: true });
    from = spot(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!view.order) return;
    const [x, y] = spot(event);
    if (from) {
      view.band = view.band || Math.abs(y - from[1]) > STILL ? [from[1], y] : null;
      view.cards.hide();
      return view.redraw();
    }
    const place = view.placeAt(y);
    const row = place < 0 ? -1 : view.order[place];
    if (row !== view.hovered) {
      view.mark(row);
      tellHover(view, row);
    }
    if (row >= 0) view.cards.show(row, x, y);
    else view.cards.hide();
  });
  stage.addEventListener("pointerup", (event) => {
    if (!from) return;
    const { band } = view;
    drop();
    if (band) select(view, view.between(Math.min(...band), Math.max(...band)), how(event));
    else view.click(...spot(event), how(event));
  });
  stage.addEventListener("pointercancel", drop);
  stage.addEventListener("pointerleave", () => {
    view.cards.hide();
    view.mark(-1);
    tellHover(view, -1);
  });
  stage.addEventListener("wheel", (event) => {
    if (!view.order) return;
    event.preventDefault();
    view.zoom(spot(event)[1], Math.exp(event.deltaY * 0.002));
  }, { passive: false });
  stage.addEventListener("dblclick", () => {
    view.window = [0, 1];
    view.redraw();
  });
  stage.addEventListener("keydown", (event) => {
    if (!view.order || event.ctrlKey || event.metaKey) return;
    const middle = stage.clientHeight / 2;
    if (event.key === "Escape") {
      if (view.band) drop();
      else if (view.chosen) select(view, new Uint8Array(view.n), "replace");
    } else if (event.key === "+" || event.key === "=") view.zoom(middle, 1 / 1.5);
    else if (event.key === "-") view.zoom(middle, 1.5);
    else if (event.key === "0") view.zoom(middle, Infinity);
    else if (event.key === "ArrowUp") view.slide(-0.15);
    else if (event.key === "ArrowDown") view.slide(0.15);
    else return;
    event.preventDefault();
    event.stopPropagation();  // Streamlit has single-key shortcuts of its own
  });
}
