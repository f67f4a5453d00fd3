// What the colours mean: a list of categories with counts, or a scale with its histogram.

import { DIMMED, HIDDEN } from "./draw.js";

const BINS = 48;

/** `change()` is called when categories are isolated or hidden; `choose(low, high, event)` when a
 * part of the scale is brushed (codes, inclusive). */
export class Legend {
  constructor(place, change, choose) {
    this.place = place;
    this.change = change;
    this.choose = choose;
    this.hidden = new Set();
    this.alone = new Set();
  }

  setColors(colors, codes) {
    const same = this.colors?.key === colors.key;
    this.colors = colors;
    if (!same) {
      this.hidden.clear();
      this.alone.clear();
    }
    this.counts = new Uint32Array(65536);
    for (let i = 0; i < codes.length; i++) this.counts[codes[i]]++;
    this.draw();
  }

  /** The state bits that the legend gives to a code. */
  stateOf(code) {
    if (this.hidden.has(code)) return HIDDEN;
    return this.alone.size && !this.alone.has(code) ? DIMMED : 0;
  }

  get plain() {
    return !this.hidden.size && !this.alone.size;
  }

  draw() {
    const { title, kind } = this.colors;
    this.place.replaceChildren();
    if (title) {
      const heading = document.createElement("div");
      heading.className = "heading";
      heading.textContent = title;
      this.place.append(heading);
    }
    if (kind === "category") this.drawCategories();
    else this.drawScale();
  }

  drawCategories() {
    const list = document.createElement("div");
    list.className = "items";
    for (const { code, name } of this.colors.items) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "item";
      button.title = "Click: only this one. Double click: hide it.";
      button.classList.toggle("off", this.stateOf(code) !== 0);
      button.classList.toggle("gone", this.hidden.has(code));
      button.setAttribute("aria-pressed", String(this.alone.has(code)));
      const dot = document.createElement("span");
      dot.className = "dot";
      dot.style.background = this.colors.palette[code];
      const words = document.createElement("span");
      words.className = "name";
      words.textContent = name;
      const number = document.createElement("span");
      number.className = "count";
      number.textContent = this.counts[code].toLocaleString("en");
      button.append(dot, words, number);
      button.addEventListener("click", (event) => this.isolate(code, event.shiftKey));
      // Its two clicks have isolated and restored.
      button.addEventListener("dblclick", () => this.hide(code));
      list.append(button);
    }
    this.place.append(list);
    if (!this.plain) {
      const all = document.createElement("button");
      all.type = "button";
      all.className = "all";
      all.textContent = "Show all";
      all.addEventListener("click", () => this.reset());
      this.place.append(all);
    }
  }

  isolate(code, more) {
    if (this.hidden.delete(code)) return this.tell();
    const had = this.alone.has(code);
    if (more) had ? this.alone.delete(code) : this.alone.add(code);
    else {
      const only = had && this.alone.size === 1;
      this.alone.clear();
      if (!only) this.alone.add(code);
    }
    this.tell();
  }

  hide(code) {
    this.alone.delete(code);
    this.hidden.add(code);
    this.tell();
  }

  reset() {
    this.hidden.clear();
    this.alone.clear();
    this.tell();
  }

  tell() {
    const focused = [...this.place.querySelectorAll("button")].indexOf(
      this.place.getRootNode().activeElement);
    this.draw();
    this.place.querySelectorAll("button")[focused]?.focus();
    this.change();
  }

  drawScale() {
    const { palette, low, high, levels, missing } = this.colors;
    const canvas = document.createElement("canvas");
    canvas.className = "scale";
    canvas.width = 2 * BINS;
    canvas.height = 60;
    canvas.title = "Drag over the scale to choose rows.";
    const pen = canvas.getContext("2d");
    const bins = new Float64Array(BINS);
    for (let code = 0; code < levels; code++) {
      bins[Math.floor((code * BINS) / levels)] += this.counts[code];
    }
    const most = Math.max(1, ...bins);
    for (let bin = 0; bin < BINS; bin++) {
      pen.fillStyle = palette[Math.floor(((bin + 0.5) * levels) / BINS)];
      pen.fillRect(2 * bin, 50, 2, 10);
      const tall = bins[bin] ? Math.max(1.5, 46 * Math.sqrt(bins[bin] / most)) : 0;
      pen.fillRect(2 * bin, 48 - tall, 2, tall);
    }
    const ends = document.createElement("div");
    ends.className = "ends";
    for (const words of [low, high]) {
      const end = document.createElement("span");
      end.textContent = words;
      ends.append(end);
    }
    const brush = document.createElement("div");
    brush.className = "brush";
    brush.hidden = true;
    const frame = document.createElement("div");
    frame.className = "frame";
    frame.append(canvas, brush);
    this.place.append(frame, ends);
    if (missing) {
      const note = document.createElement("div");
      note.className = "note";
      note.textContent = `${this.counts[levels].toLocaleString("en")} ${missing}`;
      this.place.append(note);
    }
    this.listen(frame, brush, levels);
  }

  listen(frame, brush, levels) {
    let from = null;
    const share = (event) => {
      const box = frame.getBoundingClientRect();
      return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    };
    const mark = (to) => {
      brush.hidden = false;
      brush.style.left = `${100 * Math.min(from, to)}%`;
      brush.style.width = `${100 * Math.abs(to - from)}%`;
    };
    frame.addEventListener("pointerdown", (event) => {
      from = share(event);
      frame.setPointerCapture(event.pointerId);
      mark(from);
    });
    frame.addEventListener("pointermove", (event) => from !== null && mark(share(event)));
    frame.addEventListener("pointerup", (event) => {
      if (from === null) return;
      const to = share(event);
      const least = Math.floor(Math.min(from, to) * levels);
      const most = Math.min(levels - 1, Math.floor(Math.max(from, to) * levels));
      from = null;
      brush.hidden = Math.abs(most - least) < 1;
      if (!brush.hidden) this.choose(least, most, event);
    });
  }
}

