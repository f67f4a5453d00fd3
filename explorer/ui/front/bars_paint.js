// The silhouette plot on its canvas. One pixel row shows one bar, or the first of several.

import { isDark } from "./theme.js";

export const LEFT = 112;
export const TOP = 22;
export const BOTTOM = 34;
const GAP = 7;

/** Paints what a Bars view holds: data, order, values, chosen, hovered, window, band. */
export class Painter {
  constructor(view, canvas) {
    this.view = view;
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.placed = [];
  }

  /** Pixels: where the bars of the groups lie, in the window shown. */
  layout() {
    const groups = this.view.data.groups;
    const rows = this.view.order.length;
    const [from, to] = this.view.window;
    const room = this.view.stage.clientHeight - TOP - BOTTOM;
    const gaps = Math.min(GAP, (0.25 * room) / Math.max(1, groups.length));
    const whole = room / (to - from);
    const tall = (whole - gaps * (groups.length - 1)) / Math.max(1, rows);
    return groups.map((group, at) => {
      const top = TOP - from * whole + at * gaps + group.start * tall;
      return { ...group, top, bottom: top + (group.end - group.start) * tall, tall };
    });
  }

  get scale() {
    const { low, high } = this.view.data;
    const left = LEFT;
    const right = this.view.stage.clientWidth - 12;
    return (value) => left + ((value - low) / (high - low)) * (right - left);
  }

  paint() {
    if (!this.view.order) return;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [this.view.stage.clientWidth, this.view.stage.clientHeight];
    if (this.canvas.width !== Math.round(wide * ratio)) this.canvas.width = Math.round(wide * ratio);
    if (this.canvas.height !== Math.round(high * ratio)) this.canvas.height = Math.round(high * ratio);
    const pen = this.pen;
    this.dark = isDark(this.view.root);
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
    if (this.view.band) this.paintBand(wide);
  }

  paintGroup(group, pixel) {
    const pen = this.pen;
    const scale = this.scale;
    const zero = scale(0);
    const first = Math.max(group.top, TOP - 2);
    const last = Math.min(group.bottom, this.view.stage.clientHeight - BOTTOM + 2);
    if (last < first) return;
    const step = Math.max(pixel, group.tall);
    const { chosen, order, values } = this.view;
    // Edges between pixels would let the ground shine through.
    const snap = (y) => Math.round(y / pixel) * pixel;
    const context = this.dark ? "#5a5d66" : "#c9cbd1";
    const paint = (place, y, high) => {
      const end = Math.min(group.end, Math.max(place + 1, Math.round(place + step / group.tall)));
      let lit = chosen === null;
      for (let at = place; !lit && at < end; at++) lit = chosen[order[at]] === 1;
      pen.fillStyle = lit ? group.color : context;
      const x = scale(values[place]);
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
    const font = getComputedStyle(this.view.root).fontFamily;
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
    if (this.view.hovered < 0) return;
    const place = this.view.places[this.view.hovered];
    const group = this.placed.find((one) => place >= one.start && place < one.end);
    if (place < 0 || !group) return;
    const y = group.top + (place - group.start + 0.5) * group.tall;
    this.pen.strokeStyle = this.dark ? "#fff" : "#000";
    this.pen.lineWidth = 1.5;
    this.pen.beginPath();
    this.pen.moveTo(LEFT, y);
    this.pen.lineTo(this.view.stage.clientWidth - 4, y);
    this.pen.stroke();
  }

  paintAxis(wide, high) {
    const pen = this.pen;
    const scale = this.scale;
    const grey = this.dark ? "#a5a8b0" : "#666a75";
    pen.font = `11px ${getComputedStyle(this.view.root).fontFamily}`;
    pen.fillStyle = grey;
    pen.strokeStyle = grey;
    pen.textBaseline = "top";
    const bottom = high - BOTTOM;
    for (const value of ticks(this.view.data.low, this.view.data.high)) {
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
    const x = scale(this.view.data.mean);
    pen.setLineDash([6, 5]);
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.moveTo(x, TOP);
    pen.lineTo(x, bottom);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillText(`mean ${this.view.data.mean.toFixed(3)}`, Math.min(wide - 40, x), 5);
  }

  paintBand() {
    const [from, to] = [...this.view.band].sort((a, b) => a - b);
    this.pen.fillStyle = this.dark ? "rgba(120,180,255,.18)" : "rgba(0,90,180,.13)";
    this.pen.fillRect(0, from, this.view.stage.clientWidth, to - from);
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
