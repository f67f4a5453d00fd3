// The latent space of a network: sliders, a walk, a grid, decoded here while they are moved.

import { fetchBytes } from "./bytes.js";
import { openDecoder } from "./decoder_live.js";
import { Grid, Lines } from "./latent_grid.js";
import { Made, Row } from "./latent_row.js";
import { Sliders } from "./latent_sliders.js";
import { said, Space } from "./latent_space.js";
import { Walk } from "./latent_walk.js";
import { mount } from "./mount.js";
import { isDark } from "./theme.js";

const views = new WeakMap();
const kept = new Map();  // key -> where one was, for as long as the page is open
const TABS = ["walk", "grid", "lines"];

/** Called by Streamlit at every change of the data, usually with the same parent. */
export function show(component) {
  return mount(component, ".latent-view", views, (root) => new Latent(root));
}

export class Latent {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.data = {};
    this.sliders = new Sliders(this.find("sliders"), this.find("folded"),
      (number, value) => this.move(this.code.map((old, i) => i === number ? value : old)));
    const lost = () => this.send("lost", true);
    this.near = new Row(this.find("near").querySelector(".card"), lost);
    this.parts = { walk: new Walk(this, this.find("walk")), grid: new Grid(this, this.find("grid")),
      lines: new Lines(this, this.find("lines")) };
    this.listen();
  }

  async take(data) {
    const turn = (this.taking = (this.taking ?? 0) + 1);
    const lost = () => this.send("lost", true);
    const before = this.data;
    try {
      const fresh = before.key !== data.key || before.decoder.key !== data.decoder.key;
      const [decoder, rows, codes] = fresh ? await Promise.all([
        openDecoder(data.decoder.url, lost), fetchBytes(data.rows, lost),
        fetchBytes(data.codes, lost)]) : [];
      if (turn !== this.taking || this.ended) return decoder?.end();
      this.data = data;
      this.dark = isDark(this.root);
      if (fresh) this.begin(decoder, rows, codes);
      else if (JSON.stringify([before.order, before.worth])
        !== JSON.stringify([data.order, data.worth])) this.order();
      this.takeChosen(fresh);
      this.find("status").textContent = "";
      this.root.dataset.ready = data.key;
    } catch (error) {
      if (turn !== this.taking) return;
      this.find("status").textContent =
        `The latent space could not be loaded: ${error.message}. Reload the page.`;
      console.error(error);
    }
  }

  get colors() {
    return this.dark ? { color: "#56b4e9", faint: "#ffffff44" }
      : { color: "#0072b2", faint: "#00000033" };
  }

  begin(decoder, rows, codes) {
    this.decoder?.end();
    this.decoder = decoder;
    this.space = new Space({ rows: new Uint32Array(rows), codes: new Float32Array(codes),
      d: decoder.latent });
    this.made = new Made(this.find("made"), decoder);
    this.root.style.setProperty("--bar", this.colors.color);
    this.find("row").max = this.data.most;
    const { n, total } = this.data;
    this.find("basis").textContent = [n === total
      ? `Ends of the sliders: the middle 99 % of ${n.toLocaleString("en")} rows. Nearest row: of all of them.`
      : `Ends of the sliders and the nearest row: of ${n.toLocaleString("en")} of ${total.toLocaleString("en")} rows, evenly drawn.`,
    ...this.data.notes].join(" ");
    this.sliders.build(this.data);
    const held = kept.get(this.data.key);
    this.code = held?.code ?? [...this.data.mean];
    this.chosenName = held?.chosen;
    this.parts.walk.begin(this.space);
    this.parts.grid.begin();
    this.parts.lines.begin();
    this.open(held?.tab ?? (decoder.latent <= 2 ? "grid" : "walk"));
    this.move(this.code, "begin");
  }

  /** The latent numbers have another order. */
  order() {
    this.sliders.build(this.data);
    this.sliders.show(this.code);
    this.parts.grid.begin();
    this.parts.lines.begin();
  }

  /** The code of a dataset row; null where there is none here. */
  codeOf(row) {
    const told = this.data.chosen.rows.find((one) => one.row === row);
    if (told) return told.code;
    const place = this.space.placeOf(row);
    return place < 0 ? null : this.space.at(place);
  }

  /** Go to a code; `by` says which part asks, so that it is not told. */
  move(code, by = "sliders") {
    this.code = code;
    this.by = by;
    this.keep();
    if (by !== "walk") this.parts.walk.stop();
    this.sliders.show(code);
    this.decoder.ask("one", [code], (values) => {
      this.made.show(values, this.colors);
      this.root.dataset.decoded = Number(this.root.dataset.decoded ?? 0) + 1;
    });
    if (this.framed) return;
    this.framed = requestAnimationFrame(() => {
      this.framed = 0;
      this.settle();
    });
  }

  /** What need not follow every event. */
  settle() {
    const { row, distance } = this.space.nearest(this.code);
    this.near.show(row, this.data);
    this.find("far").textContent = distance < 1e-6 ? "This is its own code."
      : `${said(distance)} away in the latent space, nearer than ${Math.round(100 * (1 - this.space.shareNearer(distance)))} % of pairs of rows are.`;
    this.root.dataset.nearest = row;
    for (const name of ["grid", "lines"]) if (this.by !== name) this.parts[name].moved();
  }

  goToRow(row, where) {
    const code = this.codeOf(row);
    where?.setCustomValidity(code ? "" : "This row has no code here.");
    if (code) this.move(code);
    else where?.reportValidity();
  }

  /** Remember where one is, for when the page is opened again. */
  keep() {
    kept.set(this.data.key, { code: this.code, tab: this.tab, chosen: this.chosenName });
  }

  /** What the server says is selected: a new selection is gone to. */
  takeChosen(fresh) {
    const { count, rows } = this.data.chosen;
    const name = JSON.stringify(rows.map((one) => one.row));
    const isNew = name !== this.chosenName;
    this.chosenName = name;
    this.find("selected").disabled = !rows.length;
    this.find("selected").title = rows.length ? "The first row of the selection"
      : "Nothing is selected: select rows on the map";
    this.find("two").disabled = rows.length < 2;
    this.find("two").title = rows.length < 2 ? "Select two rows on the map"
      : count > 2 ? `The first and the last of ${count.toLocaleString("en")} selected rows` : "";
    if (rows.length === 2 && (isNew || fresh)) this.parts.walk.take(rows.map((one) => one.row));
    if (rows.length && isNew) this.goToRow(rows[0].row);
    this.keep();
  }

  open(tab) {
    this.tab = tab;
    for (const name of TABS) {
      const button = this.find(`tab-${name}`);
      button.setAttribute("aria-selected", name === tab);
      button.tabIndex = name === tab ? 0 : -1;
      this.find(name).hidden = name !== tab;
    }
    this.parts[tab].draw();
  }

  listen() {
    this.find("mean").addEventListener("click", () => this.move([...this.data.mean]));
    this.find("selected").addEventListener("click",
      () => this.goToRow(this.data.chosen.rows[0].row));
    this.find("there").addEventListener("click", () => this.goToRow(this.near.row));
    this.find("map").addEventListener("click", () => this.send("map", this.near.row));
    this.find("any").addEventListener("click", () => {
      const row = this.space.rows[Math.floor(Math.random() * this.space.n)];
      this.find("row").value = row + 1;
      this.goToRow(row);
    });
    const input = this.find("row");
    input.addEventListener("change", () => {
      if (input.value) this.goToRow(Number(input.value) - 1, input);
    });
    input.addEventListener("input", () => input.setCustomValidity(""));
    TABS.forEach((name, at) => {
      const button = this.find(`tab-${name}`);
      button.addEventListener("click", () => this.open(name));
      button.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = TABS[(at + step + TABS.length) % TABS.length];
        this.find(`tab-${next}`).focus();
        this.open(next);
      });
    });
    this.seen = new ResizeObserver(() => {
      if (this.decoder && !this.ended) this.parts[this.tab].draw();
    });
    this.seen.observe(this.root);
  }

  end() {
    this.ended = true;
    cancelAnimationFrame(this.framed ?? 0);
    this.seen.disconnect();
    this.parts.walk.stop();
    for (const part of [this.parts.grid, this.parts.lines, this.near]) part.end();
    this.decoder?.end();
  }
}
