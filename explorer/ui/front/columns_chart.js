// One chart: a histogram of numbers, or one bar for each category. Bars are elements of the page, so
// that they can be read out; one of them is the current one for the keyboard.

import { element } from "./element.js";

const MISSING = 255;
const OTHERS = 254;
const PLAIN = "#0072B2";
const STILL = 4;

export class Chart {
  constructor(view, codes) {
    this.view = view;
    this.codes = codes;
    this.place = element("div", "chart");
    this.current = 0;
    this.told = "";
  }

  /** `told` as in columns_view.py; the bars are made anew when their words change. */
  tell(told) {
    const text = JSON.stringify({ ...told, url: "" });
    if (text === this.told) return;
    this.told = text;
    this.title = told.title;
    this.kind = told.kind;
    this.bars = told.kind === "number" ? numberBars(told) : categoryBars(told);
    const has = (code) => this.codes.includes(code);
    if (told.others && has(OTHERS)) {
      const others = told.others.toLocaleString("en");
      this.bars.push({ code: OTHERS, name: `${others} other values`, quiet: true });
    }
    if (has(MISSING)) this.bars.push({ code: MISSING, name: "no value", quiet: true, none: true });
    this.build(told);
  }

  build(told) {
    const number = this.kind === "number";
    this.body = element("div", `body ${number ? "numbers" : "categories"}`);
    this.body.tabIndex = 0;
    this.body.setAttribute("role", "listbox");
    this.body.setAttribute("aria-multiselectable", "true");
    this.body.setAttribute("aria-label", `${this.title}: the arrow keys go over the bars, `
      + "Shift + arrows take several, Enter selects their rows");
    for (const bar of this.bars) {
      const { place } = Object.assign(bar, number ? uprightBar(bar) : lyingBar(bar));
      place.setAttribute("role", "option");
      place.style.setProperty("--part", bar.color ?? PLAIN);
      this.body.append(place);
    }
    const heading = element("div", "heading", this.title);
    heading.title = this.title;
    this.place.replaceChildren(heading, this.body);
    if (!this.bars.length) this.place.append(element("div", "", "No row has a value."));
    if (number && told.edges.length) this.place.append(axis(told, this.bars));
    this.current = 0;
    this.listen();
  }

  /** Counts per code of all rows shown and of those selected. */
  paint({ every, part, shown, number, share, chosen }) {
    this.counts = { every, part, shown, number, chosen };
    const size = (count, of) => (share ? count / Math.max(1, of) : count);
    let most = 0;
    for (const { code } of this.bars) {
      most = Math.max(most, size(every[code], shown), chosen ? size(part[code], number) : 0);
    }
    for (const bar of this.bars) {
      const [back, front] = [size(every[bar.code], shown), size(part[bar.code], number)];
      const long = (value) => (value > 0 ? `max(${(100 * value) / most}%, 1px)` : "0");
      const side = this.kind === "number" ? "height" : "width";
      bar.every.style[side] = long(back);
      bar.part.style[side] = chosen ? long(front) : "0";
      bar.place.classList.toggle("open", !chosen);
      bar.place.setAttribute("aria-label", this.words(bar));
      bar.place.setAttribute("aria-selected", Boolean(chosen && part[bar.code]));
      bar.place.dataset.every = every[bar.code];
      bar.place.dataset.part = chosen ? part[bar.code] : "";
      if (bar.number) {
        bar.number.textContent = !chosen ? every[bar.code].toLocaleString("en")
          : share ? `${percent(part[bar.code], number)} · ${percent(every[bar.code], shown)}`
            : `${part[bar.code].toLocaleString("en")} of ${every[bar.code].toLocaleString("en")}`;
      }
    }
  }

  /** A bar in words, with how much more or less frequent it is in the selection. */
  words(bar) {
    const { every, part, shown, number, chosen } = this.counts;
    const [all, mine] = [every[bar.code], part[bar.code]];
    const lines = [`${this.title}: ${bar.name}`,
      `${all.toLocaleString("en")} rows, ${percent(all, shown)} of ${shown.toLocaleString("en")}`];
    if (chosen && number) {
      lines.push(`${mine.toLocaleString("en")} of them selected, `
        + `${percent(mine, number)} of the selection`);
      if (all) lines.push(compared(mine / number, all / shown));
    }
    return lines.join("\n");
  }

  /** The bar of the row under the mouse in another view. */
  point(code) {
    for (const bar of this.bars ?? []) bar.place.classList.toggle("marked", bar.code === code);
  }

  mark(from, to) {
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    this.bars.forEach((bar, at) =>
      bar.place.classList.toggle("marked", from >= 0 && at >= low && at <= high));
  }

  take(from, to, way) {
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    const codes = new Set(this.bars.slice(low, high + 1).map((bar) => bar.code));
    // A range over numbers does not reach the rows without one.
    if (high > low && this.kind === "number") codes.delete(MISSING);
    this.view.choose(this, codes, way);
  }

  at(event) {
    if (this.kind !== "number") {
      return this.bars.findIndex((bar) => bar.place.contains(event.target));
    }
    let nearest = -1;
    this.bars.forEach((bar, at) => {
      const box = bar.place.getBoundingClientRect();
      if (event.clientX >= box.left - 1) nearest = at;
    });
    return Math.max(0, nearest);
  }

  listen() {
    const { body, view } = this;
    let start = null;
    body.addEventListener("pointerdown", (event) => {
      if (event.button || !this.bars.length) return;
      const at = this.at(event);
      if (at < 0) return;
      start = { at, x: event.clientX };
      if (this.kind === "number") body.setPointerCapture(event.pointerId);
      body.focus({ preventScroll: true });
      this.mark(at, at);
    });
    body.addEventListener("pointermove", (event) => {
      if (!this.bars.length) return;
      const at = this.at(event);
      if (start && this.kind === "number") this.mark(start.at, at);
      view.tell(at < 0 ? "" : this.words(this.bars[at]), at < 0 ? body : this.bars[at].place);
    });
    body.addEventListener("pointerup", (event) => {
      if (!start) return;
      const moved = this.kind === "number" && Math.abs(event.clientX - start.x) > STILL;
      const [from, to] = [start.at, moved ? this.at(event) : start.at];
      start = null;
      this.mark(-1, -1);
      this.current = to;
      this.take(from, to, view.wayOf(event));
    });
    body.addEventListener("pointercancel", () => {
      start = null;
      this.mark(-1, -1);
    });
    body.addEventListener("pointerleave", () => view.tell("", body));
    body.addEventListener("blur", () => {
      this.mark(-1, -1);
      view.tell("", body);
    });
    body.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const last = this.bars.length - 1;
    if (step && last >= 0) {
      this.current = Math.max(0, Math.min(last, this.current + (this.walked ? step : 0)));
      if (!event.shiftKey) this.from = this.current;
      this.walked = true;
      const bar = this.bars[this.current];
      this.mark(this.from ?? this.current, this.current);
      bar.place.scrollIntoView({ block: "nearest" });
      this.view.tell(this.words(bar), bar.place);
    } else if ((event.key === "Enter" || event.key === " ") && last >= 0) {
      // Shift has already said how far the range goes.
      const way = this.view.wayOf({ ...event, altKey: event.altKey, ctrlKey: event.ctrlKey });
      this.take(this.from ?? this.current, this.current, way);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function numberBars({ edges, whole }) {
  const bars = [];
  for (let code = 0; code + 1 < edges.length; code++) {
    const [low, high] = [edges[code], edges[code + 1]];
    bars.push({ code, name: whole ? plain((low + high) / 2) : `${plain(low)} to ${plain(high)}` });
  }
  return bars;
}

function categoryBars({ names, colors }) {
  return names.map((name, code) => ({ code, name, color: colors?.[code] }));
}

function uprightBar({ none }) {
  const place = element("div", none ? "bar none" : "bar");
  const [every, part] = [element("i", "every"), element("i", "part")];
  place.append(every, part);
  return { place, every, part };
}

function lyingBar({ name, quiet }) {
  const place = element("div", "bar");
  const [every, part] = [element("i", "every"), element("i", "part")];
  const track = element("span", "track");
  track.append(every, part);
  const number = element("span", "number");
  place.append(element("span", quiet ? "name quiet" : "name", name), track, number);
  return { place, every, part, number };
}

/** The lowest and the highest number under the bars, and what the last bar is. */
function axis({ edges, whole }, bars) {
  const shift = whole ? (edges[1] - edges[0]) / 2 : 0;
  const line = element("div", "axis");
  const last = element("span", "last");
  last.append(element("span", "", plain(edges[edges.length - 1] - shift)));
  if (bars[bars.length - 1].none) last.append(element("span", "none", "none"));
  line.append(element("span", "", plain(edges[0] + shift)), last);
  return line;
}

function plain(value) {
  return Number(value.toPrecision(6)).toLocaleString("en", { maximumSignificantDigits: 6 });
}

function percent(count, of) {
  if (!of || !count) return "0 %";
  const share = (100 * count) / of;
  return `${share < 0.1 ? "<0.1" : share < 10 ? share.toFixed(1) : share.toFixed(0)} %`;
}

function compared(mine, all) {
  const ratio = mine / all;
  if (ratio === 0) return "none in the selection";
  if (ratio > 1.05) return `${ratio.toFixed(ratio < 10 ? 1 : 0)} times as frequent as in all`;
  if (ratio < 0.95) return `${(1 / ratio).toFixed(1 / ratio < 10 ? 1 : 0)} times rarer than in all`;
  return "as frequent as in all";
}
