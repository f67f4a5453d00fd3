// What stands on the tiles: asked for in batches, for rows in sight only, and kept for a while.
// Built from text nodes only: nothing in it can run.

const KEPT = 4000;
const BATCH = 128;

export class Tiles {
  /** `arrived` is called when rows asked for are there; `lost` when the server has let them go. */
  constructor(arrived, lost) {
    this.known = new Map();
    this.asked = new Set();
    this.arrived = arrived;
    this.lost = lost;
  }

  setSource(tiles, pictures) {
    if (tiles === this.url) return;
    this.url = tiles;
    this.pictures = pictures;
    this.known.clear();
    this.asked.clear();
  }

  /** Ask for those of these rows that are not known. */
  need(rows) {
    const missing = rows.filter((row) => !this.known.has(row) && !this.asked.has(row));
    for (let at = 0; at < missing.length; at += BATCH) this.ask(missing.slice(at, at + BATCH));
  }

  async ask(rows) {
    const url = this.url;
    for (const row of rows) this.asked.add(row);
    try {
      const answer = await fetch(`${url}?rows=${rows.join(",")}`);
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const found = await answer.json();
      if (url !== this.url) return;
      rows.forEach((row, at) => this.known.set(row, found[at]));
      while (this.known.size > KEPT) this.known.delete(this.known.keys().next().value);
      this.arrived();
    } catch (error) {
      if (url === this.url) this.lost(error);
    } finally {
      if (url === this.url) for (const row of rows) this.asked.delete(row);
    }
  }
}

function part(parent, kind, role, text = "") {
  const element = document.createElement(kind);
  element.className = role;
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

/** An empty tile; `fillTile` says what is on it. */
export function emptyTile(position, row) {
  const tile = document.createElement("div");
  tile.className = "tile";
  tile.id = `tile-${position}`;
  tile.setAttribute("role", "option");
  tile.dataset.position = position;
  tile.dataset.row = row;
  part(tile, "div", "face");
  return tile;
}

/** `told` is what the server says of the row; `value` the words for what it is sorted by. Under the
 * heading of its cluster a tile need not name it. */
export function fillTile(tile, told, { pictures, captions, value, grouped }) {
  tile.dataset.filled = "1";
  tile.replaceChildren();
  const face = part(tile, "div", "face");
  tile.classList.toggle("text", !pictures);
  if (!pictures) {
    part(face, "div", "prose", told.text || "(empty)").dir = "auto";
  } else if (told.picture) {
    const image = part(face, "img", "");
    image.alt = "";
    image.decoding = "async";
    image.addEventListener("load", () => image.classList.toggle("small", image.naturalWidth <= 64));
    image.addEventListener("error", () => {
      image.remove();
      part(face, "div", "none", "This picture cannot be shown");
    });
    image.src = `${pictures}/${tile.dataset.row}`;
  } else {
    part(face, "div", "none", "No picture");
  }
  const names = [told.title, told.cluster, value].filter(Boolean);
  tile.title = names.join("\n");
  tile.setAttribute("aria-label", [...names, pictures ? "" : told.text].filter(Boolean).join(", "));
  if (!captions) return;
  const caption = part(tile, "div", "caption");
  const first = part(caption, "div", "");
  part(first, "span", "id", told.end).dir = "auto";
  const last = grouped ? first : part(caption, "div", "");
  if (!grouped) {
    if (told.color) part(last, "span", "dot").style.background = told.color;
    part(last, "span", "name", told.cluster).dir = "auto";
  }
  if (value) part(pictures ? last : first, "span", "value", value);
}

/** The heading of a group of rows. */
export function groupHeading(group) {
  const heading = document.createElement("div");
  heading.className = "group";
  part(heading, "span", "dot").style.background = group.color;
  part(heading, "span", "name", group.name);
  const rows = group.end - group.start;
  part(heading, "span", "number", `${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"}`);
  return heading;
}

/** A number in few letters; what is not a number is said to be none. */
export function words(value) {
  if (!Number.isFinite(value)) return "not defined";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
  return String(Number(size < 1 && size >= 0.01 ? value.toFixed(3)
    : value.toPrecision(size < 0.01 ? 2 : 3)));
}
