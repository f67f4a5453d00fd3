// The gallery: any number of rows as pictures or cards of text, of which only those in sight exist.

import { fetchBytes } from "./bytes.js";
import { Cards } from "./card.js";
import { Layout, tileSize } from "./gallery_layout.js";
import { Scroller } from "./gallery_scroll.js";
import { emptyTile, fillTile, groupHeading, Tiles, words } from "./gallery_tiles.js";
import { Ids, isConfirmed, isStale, join, leave, nextTurn, page, tellChosen, tellHover }
  from "./links.js";
import { mount } from "./mount.js";
import { combine, count, packBits, unpackBits } from "./pick.js";

const galleries = new WeakMap();
const sizes = { pictures: 88, words: 88 };  // of all galleries, for as long as the page is open
const BEYOND = 160;
const STILL = 70;
const TRIES = 3;

/** Called by Streamlit at every change of the data, usually with the same parent. */
export function show(component) {
  return mount(component, ".gallery-view", galleries, (root) => new Gallery(root));
}

class Gallery {
  constructor(root) {
    this.root = root;
    this.shelf = root.querySelector(".shelf");
    this.room = root.querySelector(".room");
    this.status = root.querySelector(".status");
    this.range = root.querySelector("input");
    this.cards = new Cards(root.querySelector(".card"), () => this.send("lost", true));
    this.scroller = new Scroller(this.shelf, this.room, () => this.redraw());
    this.tiles = new Tiles(() => this.arrived(), (error) => this.fail(error, () => this.fill()));
    this.data = {};
    this.n = 0;
    this.order = new Uint32Array(0);
    this.groups = [];
    this.chosen = null;
    this.focused = 0;
    this.anchor = 0;
    this.failures = 0;
    this.shown = new Map();
    this.headings = new Map();
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(this.shelf);
    this.listen();
  }

  /** `data.order` has the dataset rows in the order shown (uint32), `data.values` what they are
   * sorted by (float64) or nothing, `data.groups` the parts with a heading of their own. The places
   * of this view, for the other views, are the dataset rows themselves: all `data.n` of them.
   * `data.fixed`: nothing is chosen here, a click opens the row. */
  async take(data) {
    const anew = this.data.key !== data.key;
    this.data = data;
    if (this.n !== data.n || !this.ids) {
      this.n = data.n;
      this.ids = new Ids(data.n);
    }
    join(this, data.group);
    this.root.style.height = `${data.height}px`;
    this.kind = data.pictures ? "pictures" : "words";
    this.range.value = sizes[this.kind];
    this.cards.setSource(data.card);
    if (this.tiles.url !== data.tiles) {
      this.tiles.setSource(data.tiles, data.pictures);
      this.empty();
    }
    if (anew) {
      try {
        const [order, values] = await Promise.all(
          [fetchBytes(data.order), data.values ? fetchBytes(data.values) : null]);
        if (this.data.key !== data.key) return;
        this.order = new Uint32Array(order);
        this.groups = data.groups;
        this.values = values && new Float64Array(values);
        this.status.textContent = "";
        this.failures = 0;
      } catch (error) {
        if (this.data !== data) return;
        this.data = {};
        this.fail(error, () => this.take(data));
        return;
      }
      this.focused = 0;
      this.anchor = 0;
      this.empty();
      this.takeChosen(data.chosen);
      this.arrange();
      this.scroller.moveTo(0);
    } else {
      this.takeChosen(data.chosen);
      this.redraw();
    }
  }

  takeChosen(chosen) {
    if (isStale(chosen) || isConfirmed(chosen)) return this.mind();
    this.chosen = chosen ? unpackBits(chosen.bits, this.n) : null;
    this.mind();
  }

  /** Another view of the page has chosen. */
  takeLinked(chosen) {
    this.chosen = chosen;
    this.mind();
    this.redraw();
  }

  /** Another view has this row under the mouse; -1: none. */
  mark(row) {
    this.hovered = row;
    for (const tile of this.shown.values()) {
      tile.classList.toggle("hovered", Number(tile.dataset.row) === row);
    }
  }

  /** Count what is chosen of what is shown, and say it. When all is, there is nothing to mark. */
  mind() {
    let here = 0;
    if (this.chosen) for (const row of this.order) here += this.chosen[row];
    this.marks = here > 0 && here < this.order.length;
    const many = (number) => `${number.toLocaleString("en")} ${number === 1 ? "row" : "rows"}`;
    const sorted = this.data.sorted ? ` · ${this.data.sorted}` : "";
    const some = this.marks ? ` · ${here.toLocaleString("en")} of them selected` : "";
    const said = `${many(this.order.length)}${some}${sorted}`;
    const line = this.root.querySelector(".said");
    if (line.textContent !== said) line.textContent = said;
    line.title = said;
    this.shelf.dataset.chosen = here;
  }

  arrived() {
    this.failures = 0;
    this.status.textContent = "";
    this.fill();
  }

  /** The server may have let go of what it held: a rerun puts it back, so ask again after it. */
  fail(error, again) {
    this.status.textContent = `These rows could not be loaded: ${error.message}. If it stays so, `
      + "reload the page.";
    clearTimeout(this.again);
    if (this.failures++ >= TRIES) return;
    this.send("lost", true);
    this.again = setTimeout(again, 1000 * this.failures);
  }

  empty() {
    for (const tile of this.shown.values()) tile.remove();
    this.shown.clear();
    for (const heading of this.headings.values()) heading.remove();
    this.headings.clear();
  }

  /** Lay all out anew: other rows, another size, another width. The row at the top stays there. */
  arrange() {
    const width = this.shelf.clientWidth - 2 * 6;
    if (width <= 0) return;
    const size = tileSize(sizes[this.kind ?? "words"], width, this.kind !== "pictures",
      this.groups.length > 0);
    const top = this.layout && this.order.length ? this.layout.between(this.scroller.offset, 1e12)
      .find((seen) => seen.last > seen.first)?.first : 0;
    const same = this.layout?.n === this.order.length;
    if (this.layout && this.layout.size.caption !== size.caption) this.empty();
    this.layout = new Layout(this.order.length, this.groups, size);
    this.scroller.setHeight(this.layout.height + 8);
    if (same && top > 0) this.scroller.moveTo(this.layout.placeOf(top).y);
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
    if (!this.layout) return;
    const from = this.scroller.offset - BEYOND;
    const seen = this.layout.between(from, from + this.shelf.clientHeight + 2 * BEYOND);
    const kept = new Set();
    const headings = new Set();
    for (const { section, first, last } of seen) {
      if (section.heading) headings.add(section);
      for (let position = first; position < last; position++) kept.add(position);
    }
    this.drop(this.shown, kept);
    this.drop(this.headings, headings);
    for (const section of headings) {
      if (!this.headings.has(section)) {
        this.headings.set(section, groupHeading(section.group));
        this.room.append(this.headings.get(section));
      }
      this.headings.get(section).style.transform =
        `translate(0, ${this.scroller.inRoom(section.top)}px)`;
    }
    for (const position of kept) this.paintTile(position);
    this.fill();
  }

  drop(held, kept) {
    for (const [key, element] of held) {
      if (kept.has(key)) continue;
      element.remove();
      held.delete(key);
    }
  }

  paintTile(position) {
    let tile = this.shown.get(position);
    const row = this.order[position];
    if (!tile) {
      tile = emptyTile(position, row);
      this.shown.set(position, tile);
      this.room.append(tile);
    }
    const { wide, high } = this.layout.size;
    const { x, y } = this.layout.placeOf(position);
    tile.style.width = `${wide}px`;
    tile.style.height = `${high}px`;
    tile.style.transform = `translate(${x + 6}px, ${this.scroller.inRoom(y) + 6}px)`;
    const chosen = Boolean(this.chosen?.[row]);
    tile.classList.toggle("chosen", this.marks && chosen);
    tile.setAttribute("aria-selected", chosen);
    tile.classList.toggle("hovered", row === this.hovered);
    tile.classList.toggle("focused", position === this.focused);
  }

  /** Say on the tiles in sight what is known of their rows; ask for the rest once the scrolling
   * pauses, so that dragging through a million rows asks for none of them. */
  fill() {
    const missing = [];
    for (const [position, tile] of this.shown) {
      if (tile.dataset.filled) continue;
      const row = this.order[position];
      const told = this.tiles.known.get(row);
      if (!told) missing.push(row);
      else if (this.still) {
        fillTile(tile, told, { pictures: this.data.pictures, captions: this.layout.size.caption,
          value: this.values ? words(this.values[position]) : "",
          grouped: this.groups.length > 0 });
      }
    }
    this.shelf.dataset.missing = missing.length;
    clearTimeout(this.pause);
    if (missing.length || !this.still) {
      this.pause = setTimeout(() => {
        const first = !this.still;
        this.still = true;
        this.tiles.need(missing);
        if (first) this.fill();
      }, STILL);
    }
  }

  listen() {
    const { shelf } = this;
    shelf.addEventListener("scroll", () => {
      this.still = false;
      if (Math.abs(this.scroller.offset - this.openedAt) > 4) this.cards.pin(-1);
    });
    const positionOf = (event) => {
      const tile = event.target.closest?.(".tile");
      return tile ? Number(tile.dataset.position) : -1;
    };
    shelf.addEventListener("click", (event) => {
      const position = positionOf(event);
      this.cards.pin(-1);
      if (position >= 0) this.click(position, event);
    });
    shelf.addEventListener("dblclick", (event) => {
      const position = positionOf(event);
      if (position >= 0) this.open(position);
    });
    shelf.addEventListener("pointerover", (event) => {
      const position = positionOf(event);
      tellHover(this, position < 0 ? -1 : this.order[position]);
    });
    shelf.addEventListener("pointerleave", () => tellHover(this, -1));
    shelf.addEventListener("keydown", (event) => this.press(event));
    this.range.addEventListener("input", () => {
      sizes[this.kind] = Number(this.range.value);
      this.arrange();
    });
  }

  /** Alone; with Ctrl or Cmd in or out of the selection; with Shift all from the last one on. */
  click(position, event) {
    this.focus(position, false);
    if (this.data.fixed) return this.open(position);
    if (event.shiftKey) return this.selectRange(this.anchor, position);
    this.anchor = position;
    if (event.ctrlKey || event.metaKey) this.toggle(position);
    else this.select([position], "replace");
  }

  toggle(position) {
    this.select([position], this.chosen?.[this.order[position]] ? "subtract" : "add");
  }

  selectRange(from, to) {
    const [first, last] = [Math.min(from, to), Math.max(from, to)];
    this.select(Array.from({ length: last - first + 1 }, (_, at) => first + at), "replace");
  }

  select(positions, how) {
    if (this.data.fixed) return;
    const found = new Uint8Array(this.n);
    for (const position of positions) found[this.order[position]] = 1;
    const chosen = combine(this.chosen, found, how);
    const number = count(chosen);
    this.chosen = number ? chosen : null;
    this.mind();
    this.redraw();
    tellChosen(this, how);
    this.send("chosen", { bits: number ? packBits(chosen) : "", count: number, n: this.n,
      key: this.data.group, origin: page, turn: nextTurn() });
  }

  /** Put the keyboard on a tile, and bring it into sight. */
  focus(position, sight = true) {
    this.focused = Math.max(0, Math.min(this.order.length - 1, position));
    const { y } = this.layout.placeOf(this.focused);
    const seen = this.shelf.clientHeight;
    if (sight && y < this.scroller.offset) this.scroller.moveTo(y);
    else if (sight && y + this.layout.line > this.scroller.offset + seen) {
      this.scroller.moveTo(y + this.layout.line + 8 - seen);
    }
    this.paint();
    this.shelf.setAttribute("aria-activedescendant", `tile-${this.focused}`);
    tellHover(this, this.order[this.focused]);
  }

  /** The card of the row, beside its tile. */
  open(position) {
    const tile = this.shown.get(position);
    if (!tile) return;
    const [box, whole] = [tile.getBoundingClientRect(), this.shelf.getBoundingClientRect()];
    this.cards.pin(-1);
    this.cards.show(this.order[position], box.left + box.width / 2 - whole.left,
      box.top + box.height / 2 - whole.top);
    this.cards.pin(this.order[position]);
    this.openedAt = this.scroller.offset;
  }

  press(event) {
    if (!this.layout || !this.order.length) return;
    const lines = Math.max(1, Math.floor(this.shelf.clientHeight / this.layout.line) - 1);
    const to = {
      ArrowLeft: this.focused - 1, ArrowRight: this.focused + 1,
      ArrowUp: this.layout.lineFrom(this.focused, -1),
      ArrowDown: this.layout.lineFrom(this.focused, 1),
      PageUp: this.layout.lineFrom(this.focused, -lines),
      PageDown: this.layout.lineFrom(this.focused, lines),
      Home: 0, End: this.order.length - 1,
    }[event.key];
    const whole = event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey);
    if (to !== undefined) {
      this.cards.pin(-1);
      this.focus(to);
      if (event.shiftKey) this.selectRange(this.anchor, this.focused);
      else this.anchor = this.focused;
    } else if (whole) this.selectRange(0, this.order.length - 1);
    else if (event.key === " ") this.toggle(this.focused);
    else if (event.key === "Enter") this.open(this.focused);
    else if (event.key === "Escape" && this.cards.pinned >= 0) this.cards.pin(-1);
    else if (event.key === "Escape" && this.chosen) this.select([], "replace");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  end() {
    leave(this);
    this.sizes.disconnect();
    clearTimeout(this.pause);
    clearTimeout(this.again);
    cancelAnimationFrame(this.framed);
  }
}
