// The map: one instance for each place on the page, kept there while its data changes.

import { Cards } from "./card.js";
import { listen } from "./gestures.js";
import { DIMMED, Drawing, HIDDEN } from "./draw.js";
import { Legend } from "./legend.js";
import { fetchBytes, isDark, join, leave, others } from "./links.js";
import { contours, Overlay } from "./overlay.js";
import * as pick from "./pick.js";
import { lookFor, Viewport } from "./viewport.js";

const views = new WeakMap();
const REACH = 9;

/** Called by Streamlit at every change of the data, with the same parent. */
export function show(component) {
  const root = component.parentElement.querySelector(".map-view");
  let view = views.get(root);
  if (!view) {
    view = new View(root);
    views.set(root, view);
  }
  view.send = (name, value) => component.setTriggerValue(name, value);
  view.take(component.data);
  return () => {
    view.end();
    views.delete(root);
  };
}

class View {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.viewport = new Viewport();
    this.points = new Float32Array(0);
    this.codes = new Uint16Array(0);
    this.states = new Uint8Array(0);
    this.chosen = null;
    this.data = {};
    this.hovered = -1;
    this.pinned = -1;
    this.tool = "move";
    this.named = true;
    this.factor = 1;
    this.turn = 0;
    this.id = Math.random().toString(36).slice(2);
    this.drawing = this.start();
    this.overlay = new Overlay(this.find("over"), () => this.redraw());
    this.cards = new Cards(this.find("card"));
    this.legend = new Legend(this.find("legend"), () => this.refresh(),
      (low, high, event) => this.chooseCodes(low, high, event));
    listen(this);
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.find("stage"));
  }

  start() {
    try {
      const drawing = new Drawing(this.find("points"));
      this.find("points").addEventListener("webglcontextlost", (event) => event.preventDefault());
      this.find("points").addEventListener("webglcontextrestored", () => {
        drawing.build();
        this.upload();
      });
      return drawing;
    } catch (error) {
      this.say(`This browser draws no WebGL (${error.message}).`);
      queueMicrotask(() => this.send("nowebgl", true));
      return null;
    }
  }

  /** New data from the server; what did not change is kept, the viewport always. */
  async take(data) {
    const first = this.data.geometry?.key !== data.geometry.key;
    const recolored = first || this.data.colors?.key !== data.colors.key;
    join(this, data.group);
    this.data = data;
    this.root.style.height = `${data.height}px`;
    this.cards.setSource(data.card);
    if (!this.drawing) return;
    const turn = (this.taking = (this.taking ?? 0) + 1);
    try {
      if (first) {
        this.say("Loading the points …");
        const bytes = await fetchBytes(data.geometry.url);
        if (turn !== this.taking) return;
        this.setPoints(new Float32Array(bytes));
      }
      if (recolored || this.codes.length !== this.points.length / 2) {
        const bytes = await fetchBytes(data.colors.url);
        if (turn !== this.taking) return;
        const codes = data.colors.bytes === 1 ? new Uint8Array(bytes) : new Uint16Array(bytes);
        this.codes = Uint16Array.from(codes);
        this.legend.setColors(data.colors, this.codes);
        this.setColors();
      }
    } catch (error) {
      this.say(`The points could not be loaded: ${error.message}. Reload the page.`);
      return;
    }
    this.takeChosen(data.chosen);
    this.say("");
    this.fit();
    this.refresh();
  }

  setPoints(points) {
    const before = this.viewport.place;
    this.points = points;
    this.grid = pick.buildGrid(points);
    this.states = new Uint8Array(points.length / 2);
    this.chosen = null;
    this.viewport.setExtent(...this.data.geometry.half);
    this.viewport.reset();
    if (this.kept?.key === this.data.geometry.key) this.viewport.place = this.kept.place;
    this.kept = { key: this.data.geometry.key, place: before };
    this.drawing.setPoints(points);
  }

  setColors() {
    const { palette, grey } = this.data.colors;
    this.rgba = new Uint8Array(4 * palette.length);
    palette.forEach((color, code) => {
      const number = parseInt(color.slice(1), 16);
      this.rgba.set([number >> 16, (number >> 8) & 255, number & 255, code === grey ? 140 : 255],
        4 * code);
    });
    this.order = pick.drawOrder(this.codes, grey);
    this.upload();
  }

  upload() {
    this.drawing.setPoints(this.points);
    this.drawing.setPalette(this.rgba);
    this.drawing.setCodes(this.codes, this.order);
    this.refresh();
  }

  /** The server's selection, unless this view has sent a newer one since. */
  takeChosen(chosen) {
    if (chosen && chosen.origin === this.id && chosen.turn !== this.turn) return;
    const key = chosen?.key ?? "";
    if (key === this.chosenKey && this.chosen?.length === this.states.length) return;
    this.chosenKey = key;
    this.chosen = chosen ? pick.unpackBits(chosen.bits, this.states.length) : null;
    if (this.chosen && !pick.count(this.chosen)) this.chosen = null;
  }

  get n() {
    return this.states.length;
  }

  /** After a change of legend or selection: states anew, then a frame. */
  refresh() {
    if (!this.drawing || !this.states.length) return;
    const legend = new Uint8Array(65536);
    if (!this.legend.plain) {
      for (let code = 0; code < legend.length; code++) legend[code] = this.legend.stateOf(code);
    }
    for (let i = 0; i < this.states.length; i++) {
      this.states[i] = legend[this.codes[i]] | (this.chosen ? this.chosen[i] : 0);
    }
    this.drawing.setStates(this.states);
    this.lines = this.contoured ? contours(this.points, (i) => this.isShown(i)) : null;
    this.tellCount();
    this.redraw();
  }

  tellCount() {
    const chosen = this.chosen ? pick.count(this.chosen) : 0;
    this.find("count").textContent = chosen
      ? `${chosen.toLocaleString("en")} of ${this.states.length.toLocaleString("en")} selected` : "";
    for (const name of ["clear", "invert", "toselection"]) {
      this.find(name).disabled = !chosen;
    }
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

  rowKey(i) {
    return i;
  }

  /** The shown points inside the viewport, at most `most`. */
  inSight(most) {
    if (!this.grid) return [];
    return pick.someInBox(this.points, this.grid, this.viewport.box, most, (i) => this.isShown(i));
  }

  at(px, py) {
    if (!this.grid) return -1;
    const [x, y] = this.viewport.toPlane(px, py);
    return pick.nearest(this.points, this.grid, x, y, REACH / this.viewport.unit,
      (i) => !(this.states[i] & HIDDEN));
  }

  hover(px, py) {
    const i = this.at(px, py);
    if (i !== this.hovered) {
      this.hovered = i;
      for (const other of others(this)) other.mark(i);
      this.redraw();
    }
    if (i >= 0) this.cards.show(i, px, py);
    else this.cards.hide();
    this.find("stage").style.cursor = i >= 0 && this.tool === "move" ? "pointer" : "";
  }

  leave() {
    this.hovered = -1;
    this.cards.hide();
    for (const other of others(this)) other.mark(-1);
    this.redraw();
  }

  /** The row under the mouse in a linked view. */
  mark(i) {
    this.hovered = i;
    this.redraw();
  }

  click(px, py, how) {
    const i = this.at(px, py);
    this.cards.pin(-1);
    this.pinned = i;
    if (i < 0) return this.redraw();
    this.cards.shown = -1;
    this.cards.show(i, px, py).then(() => this.cards.pin(i));
    const found = new Uint8Array(this.states.length);
    found[i] = 1;
    this.select(found, how);
  }

  enclose(outline, how) {
    const polygon = outline.map(([x, y]) => this.viewport.toPlane(x, y));
    this.select(pick.inPolygon(this.points, this.grid, polygon, (i) => this.isShown(i)), how);
  }

  chooseCodes(low, high, event) {
    const found = new Uint8Array(this.states.length);
    for (let i = 0; i < found.length; i++) found[i] = this.codes[i] >= low && this.codes[i] <= high;
    this.select(found, event.shiftKey ? "add" : event.altKey ? "subtract" : "replace");
  }

  invert() {
    const found = new Uint8Array(this.states.length);
    for (let i = 0; i < found.length; i++) found[i] = this.isShown(i) && !this.chosen?.[i] ? 1 : 0;
    this.select(found, "replace");
  }

  clear() {
    this.pinned = -1;
    this.cards.pin(-1);
    this.cards.hide();
    if (this.chosen) this.select(new Uint8Array(this.states.length), "replace");
    this.redraw();
  }

  /** Show a selection at once, here and in linked views, and tell the server. */
  select(found, how) {
    const chosen = pick.combine(this.chosen, found, how);
    const number = pick.count(chosen);
    this.turn++;
    this.chosenKey = `own ${this.turn}`;
    this.chosen = number ? chosen : null;
    this.refresh();
    for (const other of others(this)) {
      other.takeLinked(this.chosen);
    }
    this.send("chosen", {
      bits: number ? pick.packBits(chosen) : "", count: number, n: chosen.length,
      rows: this.data.rows, origin: this.id, turn: this.turn,
    });
  }

  /** What another view of this page has chosen. */
  takeLinked(chosen) {
    this.chosen = chosen;
    this.chosenKey = "linked";
    this.refresh();
  }

  zoomToSelection() {
    if (!this.chosen) return;
    const corners = [];
    for (let i = 0; i < this.chosen.length; i++) {
      if (this.chosen[i]) corners.push([this.points[2 * i], this.points[2 * i + 1]]);
    }
    const box = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
    for (const [x, y] of corners) {
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.bottom = Math.min(box.bottom, y);
      box.top = Math.max(box.top, y);
    }
    this.viewport.show(box);
    this.moved();
  }

  /** The viewport changed: draw a part at once and the rest when it rests. */
  moved() {
    this.moving = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.moving = false;
      this.redraw();
    }, 140);
    if (this.data.linked) {
      for (const other of others(this)) {
        if (other.data.geometry?.key !== this.data.geometry.key) continue;
        other.viewport.place = this.viewport.place;
        other.redraw();
      }
    }
    this.redraw();
  }

  fit() {
    const stage = this.find("stage");
    const ratio = window.devicePixelRatio || 1;
    this.viewport.resize(stage.clientWidth, stage.clientHeight);
    for (const name of ["points", "over"]) {
      const canvas = this.find(name);
      const [wide, high] = [this.viewport.width * ratio, this.viewport.height * ratio];
      if (canvas.width !== Math.round(wide) || canvas.height !== Math.round(high)) {
        canvas.width = Math.round(wide);
        canvas.height = Math.round(high);
      }
    }
    this.redraw();
  }

  redraw() {
    if (this.framed) return;
    this.framed = requestAnimationFrame(() => {
      this.framed = 0;
      this.paint();
    });
  }

  paint() {
    if (!this.drawing || !this.points.length) return;
    const ratio = window.devicePixelRatio || 1;
    this.dark = isDark(this.root);
    const look = lookFor(this.states.length, this.viewport, this.factor);
    this.drawing.draw(this.viewport.clip, {
      size: look.size * ratio, opacity: look.opacity, choosing: this.chosen !== null,
      moving: this.moving, context: this.dark ? [0.62, 0.64, 0.68, 0.2] : [0.55, 0.56, 0.6, 0.2],
    });
    this.overlay.draw(this, ratio);
    this.frames = (this.frames ?? 0) + 1;
    this.root.dataset.frames = this.frames;
  }

  say(words) {
    this.find("status").textContent = words;
    this.find("status").hidden = !words;
  }

  end() {
    leave(this);
    this.sizes.disconnect();
    cancelAnimationFrame(this.framed);
    clearTimeout(this.resting);
    this.drawing?.end();
  }
}
