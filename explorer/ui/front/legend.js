// What the colours mean: a list of categories with counts, or a scale with its histogram.

import { how } from "./choosing.js";
import { element } from "./element.js";
import { Hiding } from "./hiding.js";
import { drawScale } from "./scale.js";

const MOST = 300;

/** `change()` is called when categories are isolated or hidden; `choose(low, high, how)` when a
 * category or a part of the scale is chosen (codes, inclusive). */
export class Legend {
  constructor(place, change, choose) {
    this.place = place;
    this.change = change;
    this.choose = choose;
    this.hiding = new Hiding();
    this.open = true;
  }

  /** `passing` (flags or null for all) says which points the filter of the page lets through. */
  setColors(colors, codes, passing) {
    const now = JSON.stringify([colors.key, colors.items, colors.title, colors.palette]);
    if (now === this.drawn && codes === this.codes && passing === this.passing) return;
    if (this.colors?.key !== colors.key) this.hiding.set([], []);
    Object.assign(this, { colors, codes, passing, drawn: now });
    this.totals = new Uint32Array(65536);
    this.counts = passing ? new Uint32Array(65536) : this.totals;
    for (let i = 0; i < codes.length; i++) this.totals[codes[i]]++;
    if (passing) for (let i = 0; i < codes.length; i++) this.counts[codes[i]] += passing[i];
    this.draw();
  }

  /** Whether the filter leaves nothing of a category. */
  isEmpty(code) {
    return this.colors.kind === "category" && !this.counts[code];
  }

  countOf(code) {
    const [count, total] = [this.counts[code], this.totals[code]].map((value) =>
      value.toLocaleString("en"));
    return this.passing ? `${count} of ${total}` : total;
  }

  draw() {
    const { title, kind } = this.colors;
    const heading = element("button", "heading", title || "Colours");
    const all = element("button", "all", "Show all");
    const top = element("div", "top");
    heading.type = all.type = "button";
    heading.addEventListener("click", () => {
      this.open = !this.open;
      this.mark();
    });
    all.addEventListener("click", () => {
      this.hiding.set([], []);
      this.tell();
      heading.focus({ preventScroll: true });
    });
    top.append(heading, all);
    this.place.replaceChildren(top);
    if (kind === "category") this.drawCategories();
    else drawScale(this.place, this);
    this.mark();
  }

  drawCategories() {
    const list = element("div", "items");
    const { items, palette } = this.colors;
    for (const item of items.slice(0, MOST)) list.append(this.drawItem(item, palette[item.code]));
    if (items.length > MOST) {
      const more = (items.length - MOST).toLocaleString("en");
      list.append(element("span", "note", `and ${more} more that are not listed`));
    }
    this.place.append(list);
  }

  drawItem({ code, name }, color) {
    const button = element("button", "item");
    button.type = "button";
    button.title = `${name}: ${this.countOf(code)}\nClick: only this one. Shift + click: this one `
      + "too. Double click or H: hide it. Ctrl + click: select its rows.";
    button.dataset.code = code;
    const dot = element("span", "dot");
    dot.style.background = color;
    button.append(dot, element("span", "name", name), element("span", "number", this.countOf(code)));
    button.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) return this.choose(code, code, how(event));
      this.hiding.isolate(code, event.shiftKey);
      this.tell();
    });
    const hide = () => {
      this.hiding.hide(code);
      this.tell();
    };
    button.addEventListener("dblclick", hide);  // its two clicks have isolated and restored
    button.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "h" || event.ctrlKey || event.metaKey) return;
      event.stopPropagation();  // Streamlit has single-key shortcuts of its own
      hide();
    });
    return button;
  }

  /** Mark in the list what is hidden and isolated. The elements stay: one that is replaced by its
   * first click is never clicked twice. */
  mark() {
    const { hiding, place } = this;
    const heading = place.querySelector(".heading");
    heading.title = this.open ? "Fold the legend" : "Open the legend";
    heading.setAttribute("aria-expanded", String(this.open));
    place.classList.toggle("folded", !this.open);
    place.querySelector(".all").hidden = hiding.isPlain;
    for (const item of place.querySelectorAll(".item")) {
      const code = Number(item.dataset.code);
      item.classList.toggle("off", hiding.stateOf(code) !== 0 || this.isEmpty(code));
      item.classList.toggle("gone", hiding.hidden.has(code));
      item.setAttribute("aria-pressed", String(hiding.alone.has(code)));
    }
  }

  tell() {
    this.mark();
    this.change();
  }
}
