// The silhouette plot: one bar a row, sorted inside each cluster, drawn at the screen's resolution.

import { listen } from "./bars_gestures.js";
import { BOTTOM, LEFT, Painter, TOP } from "./bars_paint.js";
import { fetchBytes } from "./bytes.js";
import { Cards } from "./card.js";
import { select } from "./choosing.js";
import { Ids, join, leave } from "./links.js";
import { mount } from "./mount.js";
import { isNew, takeChosen } from "./selected.js";

const LEAST_BARS = 20;
const views = new WeakMap();

/** Called by Streamlit at every change of the data, usually with the same parent. */
export function show(component) {
  return mount(component, ".bars-view", views, (root) => new Bars(root));
}

class Bars {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector(".stage");
    this.cards = new Cards(root.querySelector(".card"), () => this.send("lost", true));
    this.painter = new Painter(this, root.querySelector("canvas"));
    this.data = {};
    this.n = 0;
    this.ids = new Ids(0);
    this.chosen = null;
    this.hovered = -1;
    this.window = [0, 1];
    this.sizes = new ResizeObserver(() => this.redraw());
    this.sizes.observe(this.stage);
    listen(this);
  }

  /** `data.order` are the scored rows in the order drawn (uint32), `data.values` their silhouettes
   * (float32), `data.groups` the clusters: name, color, mean, start and end in that order. */
  async take(data) {
    if (data.height) this.root.style.height = `${data.height}px`;
    const turn = (this.taking = (this.taking ?? 0) + 1);
    const anew = this.data.key !== data.key;
    const lost = () => this.send("lost", true);
    const asked = (url, wanted) => (wanted && url ? fetchBytes(url, lost) : null);
    try {
      const [order, values, rows, flags] = await Promise.all([
        asked(data.order, anew), asked(data.values, anew), asked(data.ids?.url, anew),
        asked(data.chosen?.url, isNew(this, data.chosen))]);
      if (turn !== this.taking) return;
      join(this, data.group);
      const other = this.data.rows !== data.rows;
      this.data = data;
      this.cards.setSource(data.card);
      if (anew) this.setBars(order, values, rows, other);
      takeChosen(this, data.chosen, flags);
      this.root.querySelector(".status").textContent = "";
      this.redraw();
    } catch (error) {
      if (turn !== this.taking) return;
      this.root.querySelector(".status").textContent =
        `The silhouettes could not be loaded: ${error.message}. Reload the page.`;
      console.error(error);
    }
  }

  setBars(order, values, rows, other) {
    this.order = new Uint32Array(order);
    this.values = new Float32Array(values);
    this.n = this.data.n;
    this.ids = new Ids(this.n, rows && new Uint32Array(rows), this.data.ids?.key);
    this.places = new Int32Array(this.n).fill(-1);
    this.order.forEach((row, place) => { this.places[row] = place; });
    this.window = [0, 1];
    this.hovered = -1;
    if (other) this.chosen = this.chosenKey = null;
  }

  /** What this or another view of the page has chosen. */
  takeLinked(chosen) {
    this.chosen = chosen;
    this.chosenKey = "own";
    this.redraw();
  }

  mark(i) {
    if (i === this.hovered) return;
    this.hovered = i;
    this.redraw();
  }

  redraw() {
    if (this.framed || this.ended) return;
    this.framed = requestAnimationFrame(() => {
      this.framed = 0;
      this.painter.paint();
      this.root.dataset.frames = Number(this.root.dataset.frames ?? 0) + 1;
    });
  }

  groupAt(y) {
    return this.painter.placed.find((group) => y >= group.top && y < group.bottom);
  }

  /** The place in the order at that height, or -1. */
  placeAt(y) {
    const group = this.groupAt(y);
    if (!group) return -1;
    return Math.min(group.end - 1, group.start + Math.floor((y - group.top) / group.tall));
  }

  /** The rows between two heights. */
  between(from, to) {
    const found = new Uint8Array(this.n);
    for (const group of this.painter.placed) {
      const first = Math.max(0, Math.floor((from - group.top) / group.tall));
      const last = Math.min(group.end - group.start, Math.ceil((to - group.top) / group.tall));
      for (let at = first; at < last; at++) found[this.order[group.start + at]] = 1;
    }
    return found;
  }

  /** A bar chooses its row, a name its cluster. */
  click(x, y, way) {
    const found = new Uint8Array(this.n);
    const group = this.groupAt(y);
    if (!group) return;
    if (x < LEFT) for (let at = group.start; at < group.end; at++) found[this.order[at]] = 1;
    else found[this.order[this.placeAt(y)]] = 1;
    select(this, found, way);
  }

  zoom(y, factor) {
    const room = this.stage.clientHeight - TOP - BOTTOM;
    const [from, to] = this.window;
    const at = from + ((y - TOP) / room) * (to - from);
    const least = LEAST_BARS / Math.max(LEAST_BARS, this.order.length);
    const span = Math.min(1, Math.max(least, (to - from) * factor));
    const start = Math.max(0, Math.min(1 - span, at - ((at - from) / (to - from)) * span));
    this.window = [start, start + span];
    this.redraw();
  }

  slide(share) {
    const [from, to] = this.window;
    const start = Math.max(0, Math.min(1 - (to - from), from + share * (to - from)));
    this.window = [start, start + (to - from)];
    this.redraw();
  }

  end() {
    this.ended = true;
    leave(this);
    this.sizes.disconnect();
    cancelAnimationFrame(this.framed);
  }
}
