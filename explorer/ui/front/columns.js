// Histograms and bar charts of columns, linked with the maps of the page.

import { fetchBytes } from "./bytes.js";
import { select } from "./choosing.js";
import { Chart } from "./columns_chart.js";
import { Ids, join, leave } from "./links.js";
import { mount } from "./mount.js";
import { count, spreadBits } from "./pick.js";
import { isNew, takeChosen } from "./selected.js";
import { isDark } from "./theme.js";

const views = new WeakMap();
const kept = { way: "replace", scale: "share" };  // for as long as the page is open
const BARS = 256;

/** Called by Streamlit at every change of the data, usually with the same parent. */
export function show(component) {
  return mount(component, ".columns-view", views, (root) => new Columns(root));
}

class Columns {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.data = {};
    this.n = 0;
    this.ids = new Ids(0);
    this.chosen = null;
    this.passing = null;
    this.charts = new Map();
    this.listen();
  }

  /** The places of this view are the rows of the data set: all `data.n` of them. What did not change
   * is kept. */
  async take(data) {
    const turn = (this.taking = (this.taking ?? 0) + 1);
    const lost = () => this.send("lost", true);
    const asked = (url, wanted) => (wanted && url ? fetchBytes(url, lost) : null);
    try {
      const [flags, bits, ...codes] = await Promise.all([
        asked(data.chosen?.url, isNew(this, data.chosen)),
        asked(data.filter?.url, this.filterKey !== data.filter?.key),
        ...data.charts.map((chart) => asked(chart.url, !this.charts.has(chart.key)))]);
      if (turn !== this.taking || this.ended) return;
      join(this, data.group);
      if (this.data.rows !== data.rows) {
        this.chosen = this.chosenKey = null;
        this.n = data.n;
        this.ids = new Ids(data.n);
      }
      this.data = data;
      if (this.filterKey !== data.filter?.key) {
        this.filterKey = data.filter?.key;
        this.passing = bits ? spreadBits(new Uint8Array(bits), this.n) : null;
      }
      this.setCharts(codes);
      takeChosen(this, data.chosen, flags);
      this.find("status").textContent = "";
      this.redraw();
    } catch (error) {
      if (turn !== this.taking) return;
      this.find("status").textContent =
        `The columns could not be loaded: ${error.message}. Reload the page.`;
      console.error(error);
    }
  }

  setCharts(codes) {
    const before = this.charts;
    this.charts = new Map();
    this.data.charts.forEach((told, at) => {
      const chart = before.get(told.key) ?? new Chart(this, new Uint8Array(codes[at]));
      chart.tell(told);
      this.charts.set(told.key, chart);
    });
    const places = [...this.charts.values()].map((chart) => chart.place);
    const charts = this.find("charts");
    if (places.some((place, at) => charts.children[at] !== place)
      || charts.children.length !== places.length) charts.replaceChildren(...places);
  }

  /** What another view of this page, or this one, has chosen. */
  takeLinked(chosen) {
    this.chosen = chosen;
    this.chosenKey = "own";
    this.redraw();
  }

  /** The row under the mouse elsewhere: its bars. */
  mark(row) {
    for (const chart of this.charts.values()) chart.point(row < 0 ? -1 : chart.codes[row]);
  }

  redraw() {
    if (this.framed || this.ended) return;
    this.framed = requestAnimationFrame(() => {
      this.framed = 0;
      this.paint();
    });
  }

  paint() {
    const { n, chosen, passing } = this;
    const shown = passing ? count(passing) : n;
    let number = 0;
    if (chosen) for (let i = 0; i < n; i++) number += chosen[i] && (!passing || passing[i]) ? 1 : 0;
    const dark = isDark(this.root);
    this.root.style.setProperty("--every", dark ? "#4b505b" : "#cfd2d9");
    for (const chart of this.charts.values()) {
      const every = new Uint32Array(BARS);
      const part = new Uint32Array(BARS);
      const { codes } = chart;
      for (let i = 0; i < n; i++) {
        if (passing && !passing[i]) continue;
        every[codes[i]]++;
        if (chosen && chosen[i]) part[codes[i]]++;
      }
      chart.paint({ every, part, shown, number, share: kept.scale === "share", chosen });
    }
    const words = passing ? `${shown.toLocaleString("en")} rows pass the filter` : `all ${shown.toLocaleString("en")} rows`;
    this.find("basis").textContent = chosen
      ? `Grey: ${words} · colour: the ${number.toLocaleString("en")} selected`
      : `Colour: ${words}, nothing selected`;
    this.root.dataset.frames = Number(this.root.dataset.frames ?? 0) + 1;
  }

  /** The rows with these codes, of those shown. `way` 'common' keeps what is in both. */
  choose(chart, codes, way) {
    const found = new Uint8Array(this.n);
    for (let i = 0; i < this.n; i++) {
      if (codes.has(chart.codes[i]) && (!this.passing || this.passing[i])) found[i] = 1;
    }
    if (way === "common") {
      for (let i = 0; i < this.n; i++) found[i] &= this.chosen ? this.chosen[i] : 0;
      select(this, found, "replace");
    } else select(this, found, way);
  }

  /** What a bar does: by the keys held, else as set above the charts. */
  wayOf(event) {
    return event.shiftKey ? "add" : event.altKey ? "subtract"
      : event.ctrlKey || event.metaKey ? "common" : kept.way;
  }

  listen() {
    for (const [name, key] of [["ways", "way"], ["scales", "scale"]]) {
      const buttons = [...this.find(name).children];
      const set = (value) => {
        kept[key] = value;
        for (const button of buttons) {
          const on = button.dataset[key] === value;
          button.setAttribute("aria-checked", on);
          button.tabIndex = on ? 0 : -1;
        }
        this.redraw();
      };
      set(kept[key]);
      buttons.forEach((button, at) => {
        button.addEventListener("click", () => set(button.dataset[key]));
        button.addEventListener("keydown", (event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!step) return;
          const next = buttons[(at + step + buttons.length) % buttons.length];
          next.focus();
          set(next.dataset[key]);
        });
      });
    }
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.chosen) select(this, new Uint8Array(this.n), "replace");
    });
  }

  /** Words beside the mouse or the bar in focus; '' takes them away. */
  tell(words, bar) {
    const tip = this.find("tip");
    tip.hidden = !words;
    tip.textContent = words;
    if (!words) return;
    const [frame, at] = [this.root.getBoundingClientRect(), bar.getBoundingClientRect()];
    const left = Math.min(at.left - frame.left, frame.width - tip.offsetWidth);
    const above = at.top - frame.top - tip.offsetHeight - 6;
    tip.style.left = `${Math.max(0, left)}px`;
    tip.style.top = `${above < 0 ? at.bottom - frame.top + 6 : above}px`;
  }

  end() {
    this.ended = true;
    leave(this);
    cancelAnimationFrame(this.framed);
  }
}
