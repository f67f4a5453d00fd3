// The silhouette plot: one bar a row, sorted inside each cluster, drawn at the screen's resolution.

import { Cards } from "./card.js";
import { fetchBytes, isDark, join, leave, others } from "./links.js";
import { combine, count, packBits, unpackBits } from "./pick.js";

const views = new WeakMap();
const LEFT = 112;
const TOP = 22;
const BOTTOM = 34;
const GAP = 7;
const STILL = 4;

/** Called by Streamlit at every change of the data, with the same parent. */
export function show(component) {
  const root = component.parentElement.querySelector(".bars-view");
  let view = views.get(root);
  if (!view) {
    view = new Bars(root);
    views.set(root, view);
  }
  view.send = (name, value) => component.setTriggerValue(name, value);
  view.take(component.data);
  return () => {
    view.end();
    views.delete(root);
  };
}

class Bars {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector(".stage");
    this.canvas = root.querySelector("canvas");
    this.pen = this.canvas.getContext("2d");
    this.cards = new Cards(root.querySelector(".card"));
    this.data = {};
    this.n = 0;
    this.chosen = null;
    this.hovered = -1;
    this.turn = 0;
    this.id = Math.random().toString(36).slice(2);
    this.window = [0, 1];
    this.sizes = new ResizeObserver(() => this.redraw());
    this.sizes.observe(this.stage);
    this.listen();
  }

  /** `data.order` are the scored rows in the order drawn (uint32), `data.values` their silhouettes
   * (float32), `data.groups` the clusters: name, color, mean, start and end in that order. */
  async take(data) {
    join(this, data.group);
    const anew = this.data.key !== data.key;
    this.data = data;
    this.root.style.height = `${data.height}px`;
    this.cards.setSource(data.card);
    if (anew) {
      try {
        const [order, values] = await Promise.all([fetchBytes(data.order), fetchBytes(data.values)]);
        if (this.data.key !== data.key) return;
        this.order = new Uint32Array(order);
        this.values = new Float32Array(values);
      } catch (error) {
        this.root.querySelector(".status").textContent =
          `The silhouettes could not be loaded: ${error.message}. Reload the page.`;
        return;
      }
      this.n = data.n;
      this.places = new Int32Array(data.n).fill(-1);
      this.order.forEach((row, place) => { this.places[row] = place; });
      this.window = [0, 1];
    }
    this.takeChosen(data.chosen);
    this.redraw();
  }

  takeChosen(chosen) {
    if (chosen && chosen.origin === this.id && chosen.turn !== this.turn) return;
    this.chosen = chosen ? unpackBits(chosen.bits, this.n) : null;
    if (this.chosen && !count(this.chosen)) this.chosen = null;
  }

  takeLinked(chosen) {
    this.chosen = chosen;
    this.redraw();
  }

  mark(i) {
    this.hovered = i;
    this.redraw();
  }

  /** Pixels: where the bars of the groups lie, in the window shown. */
  layout() {
    const groups = this.data.groups;
    const rows = this.order.length;
    const [from, to] = this.window;
    const room = this.stage.clientHeight - TOP - BOTTOM;
    const gaps = Math.min(GAP, (0.25 * room) / Math.max(1, groups.length));
    const whole = (room - 0) / (to - from);
    const tall = (whole - gaps * (groups.length - 1)) / Math.max(1, rows);
    return groups.map((group, at) => {
      const top = TOP - from * whole + at * gaps + group.start * tall;
      return { ...group, top, bottom: top + (group.end - group.start) * tall, tall };
    });
  }

  get scale() {
    const { low, high } = this.data;
    const left = LEFT;
    const right = this.stage.clientWidth - 12;
    return (value) => left + ((value - low) / (high - low)) * (right - left);
  }

  redraw() {
    if (this.framed) return;
    this.framed = requestAnimationFrame(() => {
      this.framed = 0;
      this.paint();
    });
  }

  paint() {
    if (!this.order) return;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [this.stage.clientWidth, this.stage.clientHeight];
    if (this.canvas.width !== Math.round(wide * ratio)) this.canvas.width = Math.round(wide * ratio);
    if (this.canvas.height !== Math.round(high * ratio)) this.canvas.height = Math.round(high * ratio);
    const pen = this.pen;
    this.dark = isDark(this.root);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.save();
    pen.beginPath();
    pen.rect(0, TOP - 2, wide, high - TOP - BOTTOM + 4);
    pen.clip();
    this.placed = this.layout();
    for (const group of this.placed) this.paintGroup(group, 1 / ratio);
    this.paintHover();
    pen.restore();
    this.paintAxis(wide, high);
    if (this.band) this.paintBand(wide);
  }

  paintGroup(group, pixel) {
    const pen = this.pen;
    const scale = this.scale;
    const zero = scale(0);
    const first = Math.max(group.top, TOP - 2);
    const last = Math.min(group.bottom, this.stage.clientHeight - BOTTOM + 2);
    if (last < first) return;
    const step = Math.max(pixel, group.tall);
    // Edges between pixels would let the ground shine through.
    const snap = (y) => Math.round(y / pixel) * pixel;
    const context = this.dark ? "#5a5d66" : "#c9cbd1";
    const paint = (place, y, high) => {
      const end = Math.min(group.end, Math.max(place + 1, Math.round(place + step / group.tall)));
      let chosen = this.chosen === null;
      for (let at = place; !chosen && at < end; at++) chosen = this.chosen[this.order[at]] === 1;
      pen.fillStyle = chosen ? group.color : context;
      const x = scale(this.values[place]);
      pen.fillRect(Math.min(x, zero), y, Math.max(0.7, Math.abs(x - zero)), high);
    };
    if (group.tall >= 2 * pixel) {
      const from = Math.max(group.start, group.start + Math.floor((first - group.top) / group.tall));
      for (let place = from; place < group.end; place++) {
        const y = group.top + (place - group.start) * group.tall;
        if (y > last) break;
        const end = snap(y + group.tall) - (group.tall > 3 ? pixel : 0);
        paint(place, snap(y), Math.max(pixel, end - snap(y)));
      }
    } else {
      for (let y = snap(first); y < last; y += pixel) {
        const place = group.start + Math.floor((y - group.top) / group.tall);
        if (place >= group.start && place < group.end) paint(place, y, pixel);
      }
    }
    this.paintName(group, first, last);
  }

  /** The name over the number of rows and the mean; on one line where two do not fit. */
  paintName(group, first, last) {
    if (last - first < 9) return;
    const pen = this.pen;
    const font = getComputedStyle(this.root).fontFamily;
    const middle = (first + last) / 2;
    const numbers = `${(group.end - group.start).toLocaleString("en")} · ${group.mean.toFixed(2)}`;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.font = `12px ${font}`;
    pen.fillStyle = this.dark ? "#e3e5ea" : "#2b2f3a";
    if (last - first < 28) {
      const room = LEFT - 12 - pen.measureText(` · ${numbers}`).width;
      pen.fillText(`${this.fitting(group.name, room)} · ${numbers}`, LEFT - 6, middle);
      return;
    }
    pen.fillText(this.fitting(group.name, LEFT - 10), LEFT - 6, middle - 7);
    pen.fillStyle = this.dark ? "#a5a8b0" : "#666a75";
    pen.fillText(numbers, LEFT - 6, middle + 8);
  }

  fitting(text, room) {
    if (this.pen.measureText(text).width <= room) return text;
    let short = text;
    while (short.length > 1 && this.pen.measureText(`${short}…`).width > room) {
      short = short.slice(0, -1);
    }
    return `${short}…`;
  }

  paintHover() {
    if (this.hovered < 0) return;
    const place = this.places[this.hovered];
    const group = this.placed.find((one) => place >= one.start && place < one.end);
    if (place < 0 || !group) return;
    const y = group.top + (place - group.start + 0.5) * group.tall;
    this.pen.strokeStyle = this.dark ? "#fff" : "#000";
    this.pen.lineWidth = 1.5;
    this.pen.beginPath();
    this.pen.moveTo(LEFT, y);
    this.pen.lineTo(this.stage.clientWidth - 4, y);
    this.pen.stroke();
  }

  paintAxis(wide, high) {
    const pen = this.pen;
    const scale = this.scale;
    const grey = this.dark ? "#a5a8b0" : "#666a75";
    pen.font = `11px ${getComputedStyle(this.root).fontFamily}`;
    pen.fillStyle = grey;
    pen.strokeStyle = grey;
    pen.textBaseline = "top";
    const bottom = high - BOTTOM;
    for (const value of ticks(this.data.low, this.data.high)) {
      const x = scale(value);
      pen.globalAlpha = value === 0 ? 0.9 : 0.25;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(x, TOP);
      pen.lineTo(x, bottom);
      pen.stroke();
      pen.globalAlpha = 1;
      pen.textAlign = "center";
      pen.fillText(String(Number(value.toFixed(3))), x, bottom + 4);
    }
    pen.fillText("silhouette", (LEFT + wide) / 2, bottom + 19);
    const x = scale(this.data.mean);
    pen.setLineDash([6, 5]);
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.moveTo(x, TOP);
    pen.lineTo(x, bottom);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillText(`mean ${this.data.mean.toFixed(3)}`, Math.min(wide - 40, x), 5);
  }

  paintBand() {
    const [from, to] = [...this.band].sort((a, b) => a - b);
    this.pen.fillStyle = this.dark ? "rgba(120,180,255,.18)" : "rgba(0,90,180,.13)";
    this.pen.fillRect(0, from, this.stage.clientWidth, to - from);
  }

  /** The place in the order at that height, or -1. */
  placeAt(y) {
    for (const group of this.placed ?? []) {
      if (y >= group.top && y < group.bottom) {
        return Math.min(group.end - 1, group.start + Math.floor((y - group.top) / group.tall));
      }
    }
    return -1;
  }

  groupAt(y) {
    return this.placed?.find((group) => y >= group.top && y < group.bottom);
  }

  select(found, how) {
    const chosen = combine(this.chosen, found, how);
    const number = count(chosen);
    this.turn++;
    this.chosen = number ? chosen : null;
    this.redraw();
    for (const other of others(this)) other.takeLinked(this.chosen);
    this.send("chosen", {
      bits: number ? packBits(chosen) : "", count: number, n: this.n, rows: this.data.rows,
      origin: this.id, turn: this.turn,
    });
  }

  /** The rows between two heights. */
  between(from, to) {
    const found = new Uint8Array(this.n);
    for (const group of this.placed) {
      const first = Math.max(0, Math.floor((from - group.top) / group.tall));
      const last = Math.min(group.end - group.start, Math.ceil((to - group.top) / group.tall));
      for (let at = first; at < last; at++) found[this.order[group.start + at]] = 1;
    }
    return found;
  }

  listen() {
    const stage = this.stage;
    const spot = (event) => {
      const box = stage.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const how = (event) => (event.shiftKey ? "add" : event.altKey ? "subtract" : "replace");
    let from = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button || !this.order) return;
      stage.setPointerCapture(event.pointerId);
      stage.focus({ preventScroll: true });
      from = spot(event);
    });
    stage.addEventListener("pointermove", (event) => {
      const [x, y] = spot(event);
      if (from) {
        this.band = Math.abs(y - from[1]) > STILL ? [from[1], y] : null;
        return this.redraw();
      }
      const place = this.placeAt(y);
      const row = place < 0 ? -1 : this.order[place];
      if (row !== this.hovered) {
        this.mark(row);
        for (const other of others(this)) other.mark(row);
      }
      if (row >= 0) this.cards.show(row, x, y);
      else this.cards.hide();
    });
    stage.addEventListener("pointerup", (event) => {
      if (!from) return;
      const [x, y] = spot(event);
      const band = this.band;
      from = null;
      this.band = null;
      if (band) this.select(this.between(Math.min(...band), Math.max(...band)), how(event));
      else this.click(x, y, how(event));
      this.redraw();
    });
    stage.addEventListener("pointercancel", () => {
      from = null;
      this.band = null;
      this.redraw();
    });
    stage.addEventListener("pointerleave", () => {
      this.cards.hide();
      this.mark(-1);
      for (const other of others(this)) other.mark(-1);
    });
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(spot(event)[1], Math.exp(event.deltaY * 0.002));
    }, { passive: false });
    stage.addEventListener("dblclick", () => {
      this.window = [0, 1];
      this.redraw();
    });
    stage.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.chosen) this.select(new Uint8Array(this.n), "replace");
      else if (event.key === "+" || event.key === "-") {
        this.zoom(stage.clientHeight / 2, event.key === "+" ? 1 / 1.5 : 1.5);
      } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        this.slide(event.key === "ArrowUp" ? -0.15 : 0.15);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** A bar chooses its row, a name its cluster. */
  click(x, y, way) {
    const found = new Uint8Array(this.n);
    const group = this.groupAt(y);
    if (!group) return;
    if (x < LEFT) for (let at = group.start; at < group.end; at++) found[this.order[at]] = 1;
    else found[this.order[this.placeAt(y)]] = 1;
    this.select(found, way);
  }

  zoom(y, factor) {
    const room = this.stage.clientHeight - TOP - BOTTOM;
    const [from, to] = this.window;
    const at = from + ((y - TOP) / room) * (to - from);
    const span = Math.min(1, Math.max(20 / Math.max(20, this.order.length), (to - from) * factor));
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
    leave(this);
    this.sizes.disconnect();
    cancelAnimationFrame(this.framed);
  }
}

/** Round values between low and high, about five. */
function ticks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough);
  const found = [];
  for (let at = Math.ceil(low / step); at * step <= high + 1e-9; at++) found.push(at * step);
  return found;
}
