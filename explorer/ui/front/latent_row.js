// A decoded row, and a row there is.

import { element } from "./element.js";
import { paintBars, paintImage } from "./decoder_paint.js";

export const LISTED = 24;
const FACTS = 16;
const REST = 120;

/** What the decoder made, in a place: an image as a picture, a few numbers as a list, many as
 * bars. */
export class Made {
  constructor(place, decoder) {
    Object.assign(this, { place, decoder });
    this.image = decoder.shape.length === 3;
    this.listed = !this.image && decoder.shape[0] <= LISTED;
    place.replaceChildren();
    if (this.listed) this.list();
    else {
      this.canvas = element("canvas", this.image ? "pixels" : "bars");
      this.canvas.setAttribute("role", "img");
      this.canvas.setAttribute("aria-label", this.image ? "The decoded image"
        : `The ${decoder.shape[0]} decoded numbers as bars`);
      place.append(this.canvas);
      if (!this.image) {
        place.append(element("p", "small", `${decoder.shape[0].toLocaleString("en")} numbers, in their order, from the middle of what each is among the rows. ${decoder.names.length ? "" : "They have no names: the nearest row says what they are like."}`));
      }
    }
  }

  list() {
    const { shape: [d], names } = this.decoder;
    this.lines = Array.from({ length: d }, (_, i) => {
      const line = element("div", "number");
      const name = element("span", "name", names[i] ?? `number ${i + 1}`);
      const track = element("span", "track");
      const bar = element("i", "bar");
      const value = element("span", "value");
      name.title = names[i] ?? "";
      track.append(bar);
      line.append(name, track, value);
      this.place.append(line);
      return { bar, value };
    });
  }

  show(values, colors) {
    const { low, high, shape } = this.decoder;
    if (this.image) paintImage(this.canvas, values, shape);
    else if (this.listed) {
      this.lines.forEach(({ bar, value }, i) => {
        const share = (values[i] - low[i]) / (high[i] - low[i] || 1);
        bar.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
        value.textContent = Number(values[i].toPrecision(4)).toLocaleString("en",
          { maximumSignificantDigits: 4 });
        value.title = `from ${low[i].toPrecision(4)} to ${high[i].toPrecision(4)} among the rows`;
      });
    } else {
      this.canvas.width = Math.max(200, this.canvas.clientWidth);
      this.canvas.height = 160;
      paintBars(this.canvas, values, low, high, colors);
    }
  }
}

/** A row of the data in a place, fetched when it has rested there for a moment. */
export class Row {
  constructor(place, lost) {
    Object.assign(this, { place, lost, row: -1 });
  }

  /** Row -1 is none. `cards` and `pictures` (or null) are addresses. */
  show(row, { cards, pictures }) {
    if (row === this.row && cards === this.cards) return;
    Object.assign(this, { row, cards });
    clearTimeout(this.timer);
    if (row < 0) return this.place.replaceChildren();
    this.timer = setTimeout(() => this.fetch(row, cards, pictures), REST);
  }

  async fetch(row, cards, pictures) {
    try {
      const answer = await fetch(`${cards}/${row}`);
      if (answer.status === 404) return this.lost();
      const card = await answer.json();
      if (row !== this.row) return;
      const parts = [element("div", "title", card.title)];
      if (pictures && card.picture) {
        const image = element("img");
        image.src = `${pictures}/${row}`;
        image.alt = card.title;
        parts.unshift(image);
      }
      for (const text of card.texts) parts.push(element("p", "text", text));
      for (const [name, value] of card.facts.slice(0, FACTS)) {
        const fact = element("div", "fact");
        fact.append(element("span", "", name), element("span", "", value));
        parts.push(fact);
      }
      const more = card.facts.length - FACTS;
      if (more > 0) parts.push(element("div", "fact", `and ${more} more on the map`));
      this.place.replaceChildren(...parts);
    } catch (error) {
      this.place.replaceChildren(element("div", "title", "The row could not be loaded."));
      console.error(error);
    }
  }

  end() {
    clearTimeout(this.timer);
  }
}
