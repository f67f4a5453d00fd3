// What the decoder makes of a place on the map: in its panel, and beside the place itself.

import { fetchBytes } from "./bytes.js";
import { fewNearest, onPlane, weighted } from "./decode_inverse.js";
import { openDecoder } from "./decoder_live.js";
import { HIDDEN } from "./draw.js";
import { element } from "./element.js";
import { Made } from "./latent_row.js";
import { inGroup } from "./links.js";
import { mount } from "./mount.js";
import { hear, unhear } from "./spots.js";

const NEAR = 5;
const LISTED = 12;
const NAMES = 500;
const COLORS = { color: "#0072B2", faint: "#8886" };
const views = new WeakMap();

/** Called by Streamlit at every change of the data, usually with the same parent. */
export function show(component) {
  return mount(component, ".decode-view", views, (root) => new DecodeView(root));
}

class DecodeView {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.data = {};
    for (const name of ["at-x", "at-y"]) {
      this.find(name).addEventListener("input", () => this.typed());
      this.find(name).addEventListener("keydown", (event) => event.stopPropagation());
    }
  }

  async take(data) {
    const { data: old } = this;
    this.data = data;
    this.find("name-x").textContent = data.axes[0];
    this.find("name-y").textContent = data.axes[1];
    unhear(this);
    hear(data.geometry.key, this);
    if (old.decoder?.key === data.decoder.key && old.geometry.key === data.geometry.key) {
      return this.again();
    }
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.clear();
    this.say("Loading the decoder …");
    try {
      const lost = () => this.send("lost", true);
      const [decoder, codes] = await Promise.all([openDecoder(data.decoder.url, lost),
        data.codes ? fetchBytes(data.codes.url, lost) : null]);
      if (turn !== this.turn || this.ended) return decoder.end();
      this.decoder?.end();
      this.decoder = decoder;
      this.codes = codes && new Float32Array(codes);
      this.made = new Made(this.find("made"), decoder);
      this.find("made").classList.toggle("wide", decoder.shape.length !== 3);
      this.say(data.notes.join(" "));
      this.find("way").textContent = "Click on the empty space of the map, or type a place.";
      this.root.dataset.ready = data.geometry.key;
    } catch (error) {
      this.say(`The decoder could not be loaded: ${error.message}. Reload the page.`);
      console.error(error);
    }
  }

  /** A place in the plane of the map's points. */
  spot(view, x, y, hovering) {
    if (!this.decoder || (hovering && !this.find("follow").checked)) return;
    const { middle, unit } = this.data.geometry;
    const place = [middle[0] + unit[0] * x, middle[1] + unit[1] * y];
    ["at-x", "at-y"].forEach((name, at) => {
      this.find(name).value = Number(place[at].toPrecision(5));
    });
    this.go(view, [x, y], place);
  }

  typed() {
    const place = ["at-x", "at-y"].map((name) => this.find(name).valueAsNumber);
    const [view] = this.maps();
    if (!this.decoder || !view || !place.every(Number.isFinite)) return;
    const { middle, unit } = this.data.geometry;
    this.go(view, place.map((value, at) => (value - middle[at]) / unit[at]), place);
  }

  /** The maps of this page that show these points. */
  maps() {
    return inGroup(this.data.group).filter(
      (view) => view.data?.geometry?.key === this.data.geometry.key && view.n > 0);
  }

  go(view, [x, y], place) {
    const near = this.data.way.kind === "near" ? fewNearest(
      view.points, x, y, NEAR, (i) => !(view.states[i] & HIDDEN)) : [];
    if (this.data.way.kind === "near" && !near.length) return this.say("No row is shown.");
    const code = near.length ? weighted(this.codes, this.decoder.latent, near)
      : onPlane(this.data.way, place);
    const rows = near.map((one) => view.ids.rowOf(one.place));
    this.last = { x, y, near: near.map((one) => one.place) };
    this.tell(code, rows);
    this.mark();
    this.decoder.ask("one", [code], (values) => {
      this.made.show(values, COLORS);
      this.root.dataset.decoded = Number(this.root.dataset.decoded ?? 0) + 1;
      this.mark();
    });
  }

  /** In words and pictures where the code comes from. */
  tell(code, rows) {
    this.find("way").textContent = this.data.way.words;
    this.find("rows").replaceChildren(...rows.map((row) => {
      const { pictures } = this.data;
      const one = element("div", pictures ? "row" : "row words");
      const title = element("span", "name", "…");
      one.append(title);
      this.nameOf(row).then((name) => { title.textContent = name; });
      if (pictures) {
        const image = element("img");
        image.src = `${pictures}/${row}`;
        image.alt = "";
        image.onerror = () => image.remove();
        one.prepend(image);
      }
      return one;
    }));
    const listed = code.slice(0, LISTED).map((value) => value.toFixed(3)).join(", ");
    this.find("code").textContent = `Latent vector: ${listed}`
      + (code.length > LISTED ? `, and ${code.length - LISTED} more numbers` : "");
    this.root.dataset.code = JSON.stringify(code);
  }

  /** What the page calls a row. */
  async nameOf(row) {
    const { cards } = this.data;
    if (this.named?.cards !== cards) this.named = { cards, known: new Map() };
    const { known } = this.named;
    if (!known.has(row)) {
      if (known.size > NAMES) known.clear();
      known.set(row, fetch(`${cards}/${row}`).then((answer) => answer.json())
        .then((card) => card.title).catch(() => `row ${row + 1}`));
    }
    return known.get(row);
  }

  /** On every map that shows these points. */
  mark() {
    const picture = this.made?.image ? this.made.canvas : null;
    for (const view of this.maps()) {
      view.decoded = this.last ? { ...this.last, picture } : null;
      view.redraw(false);
    }
  }

  again() {
    if (this.last) this.mark();
  }

  clear() {
    this.last = null;
    this.mark();
    for (const name of ["rows", "code", "way", "made"]) this.find(name).replaceChildren();
  }

  say(words) {
    this.find("status").textContent = words;
  }

  end() {
    this.ended = true;
    unhear(this);
    this.last = null;
    this.mark();
    this.decoder?.end();
  }
}
