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
    this.listen();
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
    this.place.replaceChildren();
    const heading = element("button", "heading", title || "Colours");
    heading.type = "button";
    heading.title = this.open ? "Fold the legend" : "Open the legend";
    heading.setAttribute("aria-expanded", String(this.open));
    heading.addEventListener("click", () => {
      this.open = !this.open;
      this.redraw();
    });
    const top = element("div", "top");
    top.append(heading);
    this.place.append(top);
    if (!this.hiding.isPlain) {
      const all = element("button", "all", "Show all");
      all.type = "button";
      all.addEventListener("click", () => {
        this.hiding.set([], []);
        this.tell();
      });
      top.append(all);
    }
    this.place.classList.toggle("folded", !this.open);
    if (!this.open) return;
    if (kind === "category") this.drawCategories();
    else drawScale(this.place, this);
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
    const { hiding } = this;
    button.type = "button";
    button.title = `${name}: ${this.countOf(code)}\nClick: only this one. Shift + click: this one `
      + "too. Double click or H: hide it. Ctrl + click: select its rows.";
    button.classList.toggle("off", hiding.stateOf(code) !== 0 || this.isEmpty(code));
    button.classList.toggle("gone", hiding.hidden.has(code));
    button.setAttribute("aria-pressed", String(hiding.alone.has(code)));
    button.dataset.code = code;
    const dot = element("span", "dot");
    dot.style.background = color;
    button.append(dot, element("span", "name", name), element("span", "number", this.countOf(code)));
    button.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) return this.choose(code, code, how(event));
      hiding.isolate(code, event.shiftKey);
      this.tell();
    });
    return button;
  }

  /** A list drawn anew forgets what was focused, and a second click finds another element: so the
   * list itself listens for these. */
  listen() {
    const codeAt = (event) => event.target.closest?.(".item")?.dataset.code;
    const hide = (code) => {
      this.hiding.hide(Number(code));
      this.tell();
    };
    this.place.addEventListener("dblclick", (event) => {
      const code = codeAt(event);
      if (code !== undefined) hide(code);  // its two clicks have isolated and restored
    });
    this.place.addEventListener("keydown", (event) => {
      const code = codeAt(event);
      if (code === undefined || event.key.toLowerCase() !== "h" || event.ctrlKey) return;
      event.stopPropagation();  // Streamlit has single-key shortcuts of its own
      hide(code);
    });
  }

  tell() {
    this.redraw();
    this.change();
  }

  /** Draw anew and leave the focus on the button where it was. */
  redraw() {
    const focused = this.place.getRootNode().activeElement;
    const code = focused?.dataset?.code;
    const held = this.place.contains(focused);
    const scrolled = this.place.scrollTop;
    this.draw();
    this.place.scrollTop = scrolled;
    if (!held) return;
    const again = code === undefined ? null : this.place.querySelector(`[data-code="${code}"]`);
    (again ?? this.place.querySelector("button")).focus({ preventScroll: true });
  }
}
