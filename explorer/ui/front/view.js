// The map: one instance for each place on the page, kept there while its data changes.

import { fetchBytes } from "./bytes.js";
import { Cards } from "./card.js";
import { chooseCodes } from "./choosing.js";
import { contours } from "./contours.js";
import { DIMMED, Drawing, HIDDEN } from "./draw.js";
import { listen } from "./gestures.js";
import { Legend } from "./legend.js";
import { Ids, join, leave, tellHover } from "./links.js";
import { Overlay } from "./overlay.js";
import { mount } from "./mount.js";
import * as pick from "./pick.js";
import { isNew, takeChosen } from "./selected.js";
import { tellSpot } from "./spots.js";
import { follow } from "./together.js";
import { isDark, lookFor } from "./theme.js";
import { Viewport } from "./viewport.js";

const REACH = 9;
const REST = 140;
const views = new WeakMap();
// Where each panel of the page stood, for when it is drawn anew: by panel and points.
const remembered = new Map();

/** The view inside that element. */
export function viewIn(root) {
  return views.get(root);
}

/** Called by Streamlit at every change of the data, usually with the same parent. */
export function show(component) {
  return mount(component, ".map-view", views, (root) => new View(root));
}

class View {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.viewport = new Viewport();
    this.points = new Float32Array(0);
    this.codes = new Uint16Array(0);
    this.states = new Uint8Array(0);
    this.ids = new Ids(0);
    this.chosen = null;   // flags of 0 and 1, or null for none
    this.passing = null;  // likewise: what the page's filter lets through, null for all
    this.data = {};
    this.hovered = -1;
    this.pinned = -1;
    this.tool = "move";
    this.named = true;
    this.factor = 1;
    this.drawing = this.start();
    this.overlay = new Overlay(this.find("over"), () => this.redraw(false));
    this.cards = new Cards(this.find("card"), () => this.send("lost", true));
    this.legend = new Legend(this.find("legend"), () => this.refresh(),
      (low, high, how) => chooseCodes(this, low, high, how));
    listen(this);
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.find("stage"));
  }

  start() {
    const canvas = this.find("points");
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.drawing.build();
      this.drawing.setPoints(this.points);
      this.sendColors();
      this.refresh();
    });
    try {
      return new Drawing(canvas);
    } catch (error) {
      this.say(`This browser draws no WebGL (${error.message}).`);
      queueMicrotask(() => this.send("nowebgl", true));
      return null;
    }
  }

  get n() {
    return this.points.length / 2;
  }

  /** New data from the server; what did not change is kept, the viewport always. The data shown
   * stay until all bytes of the new ones are here. */
  async take(data) {
    if (data.height) this.root.style.height = `${data.height}px`;
    if (!this.drawing) return;
    const turn = (this.taking = (this.taking ?? 0) + 1);
    const asked = (now, before) => (now && (!before || now.url !== before.url)
      ? fetchBytes(now.url, () => this.send("lost", true)) : null);
    const { data: old } = this;
    const chosen = isNew(this, data.chosen) && data.chosen?.url ? data.chosen : null;
    if (old.geometry?.url !== data.geometry.url) this.say("Loading the points …");
    try {
      const [points, codes, passing, rows, flags] = await Promise.all([
        asked(data.geometry, old.geometry), asked(data.colors, old.colors),
        asked(data.filter, old.filter), asked(data.ids, old.ids), asked(chosen, null)]);
      if (turn === this.taking) this.apply(data, { points, codes, passing, rows, flags });
    } catch (error) {
      if (turn !== this.taking) return;
      this.say(`The points could not be loaded: ${error.message}. Reload the page.`);
      console.error(error);
    }
  }

  apply(data, { points, codes, passing, rows, flags }) {
    const { data: old } = this;
    join(this, data.group);
    this.data = data;
    this.cards.setSource(data.card);
    this.find("words").textContent = data.title ?? "";
    if (old.folded !== data.folded) this.legend.open = !data.folded;
    this.root.classList.toggle("linkable", data.linkable !== false);
    if (points) this.setPoints(new Float32Array(points), old.rows !== data.rows);
    if (!data.ids || rows) this.ids = new Ids(this.n, rows && new Uint32Array(rows), data.ids?.key);
    if (codes) {
      this.codes = data.colors.bytes === 1 ? Uint16Array.from(new Uint8Array(codes))
        : new Uint16Array(codes);
    }
    if (!data.filter) this.passing = null;
    else if (passing) this.passing = pick.spreadBits(new Uint8Array(passing), this.n);
    this.legend.setColors(data.colors, this.codes, this.passing);
    this.applyPlace(data.place);
    if (points || codes || String(old.colors?.palette) !== String(data.colors.palette)) {
      this.order = pick.drawOrder(this.codes, data.colors.grey);
      this.sendColors();
    }
    takeChosen(this, data.chosen, flags);
    this.say("");
    this.fit();
    this.refresh();
  }

  /** `other`: the rows are not those of before, so their marks are gone. */
  setPoints(points, other) {
    this.points = points;
    this.grid = pick.buildGrid(points);
    this.states = new Uint8Array(this.n);
    if (other) this.chosen = this.chosenKey = null;
    this.hovered = this.pinned = -1;
    this.decoded = null;  // the place that is decoded (decode.js)
    this.viewport.setExtent(...this.data.geometry.half);
    this.viewport.reset();
    const stood = remembered.get(this.spot);
    if (stood) this.viewport.place = stood.place;
    this.drawing.setPoints(points);
  }

  get spot() {
    return `${this.data.panel ?? ""} ${this.data.geometry.key}`;
  }

  remember() {
    const { placeKey } = remembered.get(this.spot) ?? {};
    remembered.set(this.spot, { placeKey, place: this.viewport.place });
  }

  /** What a link asks to be shown, once. */
  applyPlace(place) {
    if (!place || remembered.get(this.spot)?.placeKey === place.key) return;
    if (place.viewport) this.viewport.place = place.viewport;
    this.legend.hiding.set(place.hidden ?? [], place.alone ?? []);
    this.legend.mark();
    remembered.set(this.spot, { placeKey: place.key, place: this.viewport.place });
  }

  sendColors() {
    const { palette, grey } = this.data.colors;
    const rgba = new Uint8Array(4 * palette.length);
    palette.forEach((color, code) => {
      const number = parseInt(color.slice(1), 16);
      rgba.set([number >> 16, (number >> 8) & 255, number & 255, code === grey ? 140 : 255],
        4 * code);
    });
    this.drawing.setPalette(rgba);
    this.drawing.setCodes(this.codes, this.order);
  }

  /** What another view of this page has chosen. */
  takeLinked(chosen) {
    this.chosen = chosen;
    this.chosenKey = "own";
    this.refresh();
  }

  /** After a change of legend, filter or selection: states anew, then a frame. */
  refresh() {
    if (!this.drawing || !this.n) return;
    const { states, codes, chosen, passing } = this;
    const legend = this.legend.hiding.states();
    for (let i = 0; i < states.length; i++) {
      states[i] = legend[codes[i]] | (chosen ? chosen[i] : 0) | (passing && !passing[i] ? HIDDEN : 0);
    }
    this.drawing.setStates(states);
    this.contours = this.contoured ? contours(this.points, (i) => this.isShown(i)) : null;
    this.tellCount();
    this.redraw();
  }

  tellCount() {
    const number = (value) => value.toLocaleString("en");
    const chosen = this.chosen ? pick.count(this.chosen) : 0;
    const words = [];
    if (this.passing) words.push(`${number(pick.count(this.passing))} of ${number(this.n)} shown`);
    if (chosen) {
      let away = 0;
      for (let i = 0; i < this.n; i++) away += this.chosen[i] && this.states[i] & HIDDEN ? 1 : 0;
      words.push(`${number(chosen)} of ${number(this.n)} selected`
        + (away ? `, ${number(away)} of them hidden` : ""));
    }
    this.find("count").textContent = words.join(" · ");
    for (const name of ["clear", "invert", "toselection"]) this.find(name).disabled = !chosen;
  }

  isShown(i) {
    return !(this.states[i] & (HIDDEN | DIMMED));
  }

  isContext(i) {
    return Boolean(this.states[i] & DIMMED) || (this.chosen !== null && !this.chosen[i]);
  }

  colorOf(i) {
    return this.isContext(i) ? "#888888" : this.data.colors.palette[this.codes[i]];
  }

  /** The shown points inside the viewport, at most `most`. */
  inSight(most) {
    return pick.someInBox(this.points, this.grid, this.viewport.box, most, (i) => this.isShown(i));
  }

  at(px, py) {
    if (!this.n) return -1;
    const [x, y] = this.viewport.toPlane(px, py);
    return pick.nearest(this.points, this.grid, x, y, REACH / this.viewport.unit,
      (i) => !(this.states[i] & HIDDEN));
  }

  hover(px, py) {
    const i = this.at(px, py);
    if (i !== this.hovered) {
      this.mark(i);
      tellHover(this, i);
    }
    if (i >= 0) this.cards.show(i, px, py);
    else this.cards.hide();
    tellSpot(this, px, py, true);
    this.find("stage").style.cursor = i >= 0 && this.tool === "move" ? "pointer" : "";
  }

  leave() {
    this.cards.hide();
    this.mark(-1);
    tellHover(this, -1);
  }

  /** The point under the mouse, here or in a linked view. */
  mark(i) {
    if (i === this.hovered) return;
    this.hovered = i;
    this.redraw(false);
  }

  /** The viewport changed: draw a part at once and the rest when it rests. */
  moved() {
    this.moving = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.moving = false;
      this.remember();
      if (this.data.linked) follow(this, true);
      this.redraw();
    }, REST);
    if (this.data.linked) follow(this, false);
    this.redraw();
  }

  /** What 'Link to this view' keeps. */
  get place() {
    const { x, y, zoom } = this.viewport.place;
    const round = (value) => Number(value.toPrecision(6));
    const { hidden, alone } = this.legend.hiding;
    return { viewport: { x: round(x), y: round(y), zoom: round(zoom) },
      hidden: [...hidden], alone: [...alone] };
  }

  fit() {
    const stage = this.find("stage");
    this.viewport.resize(stage.clientWidth, stage.clientHeight);
    this.redraw();
  }

  /** `points`: they too. A million of them take a while without a graphics card, and only the ring
   * under the mouse or a lasso may have changed. */
  redraw(points = true) {
    this.stale ||= points;
    if (this.framed || this.ended) return;
    this.framed = requestAnimationFrame(() => {
      this.framed = 0;
      this.paint();
    });
  }

  paint() {
    if (!this.drawing || !this.n) return;
    const ratio = window.devicePixelRatio || 1;
    for (const name of ["points", "over"]) {
      const canvas = this.find(name);
      const wide = Math.round(this.viewport.width * ratio);
      const high = Math.round(this.viewport.height * ratio);
      if (canvas.width === wide && canvas.height === high) continue;
      Object.assign(canvas, { width: wide, height: high });
      this.stale = true;
    }
    this.dark = isDark(this.root);
    if (this.stale) this.paintPoints(ratio);
    this.overlay.draw(this, ratio);
    this.root.dataset.viewport = [this.viewport.x, this.viewport.y, this.viewport.unit];
    this.root.dataset.frames = Number(this.root.dataset.frames ?? 0) + 1;
  }

  paintPoints(ratio) {
    this.stale = false;
    const look = lookFor(this.n, this.viewport, this.factor);
    this.drawing.draw(this.viewport.clip, {
      size: look.size * ratio, opacity: look.opacity, choosing: this.chosen !== null,
      moving: this.moving, context: this.dark ? [0.62, 0.64, 0.68, 0.2] : [0.55, 0.56, 0.6, 0.2],
    });
  }

  say(words) {
    this.find("status").textContent = words;
    this.find("status").hidden = !words;
  }

  end() {
    this.ended = true;
    leave(this);
    this.sizes.disconnect();
    cancelAnimationFrame(this.framed);
    clearTimeout(this.resting);
    this.drawing?.end();
  }
}
