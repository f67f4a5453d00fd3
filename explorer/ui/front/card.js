// The card of a row: picture, text, columns. Built from text nodes only: nothing in it can run.

import { element } from "./element.js";

const KEPT = 300;

export class Cards {
  constructor(place, lost = () => {}) {
    this.place = place;
    this.lost = lost;
    this.known = new Map();
    this.pinned = -1;
    this.shown = -1;
  }

  /** Another set of rows: nothing known of the old ones is true any more. */
  setSource(url) {
    if (url === this.url) return;
    this.url = url;
    this.known.clear();
    this.pin(-1);
  }

  /** Show row i beside the pixel; the answer of the last asked row wins. */
  async show(i, px, py) {
    if (this.pinned >= 0 && this.pinned !== i) return;
    if (this.shown === i) return;
    this.shown = i;
    this.asked?.abort();
    const card = this.known.get(i) ?? await this.ask(i);
    if (!card || this.shown !== i) return;
    this.fill(card);
    this.put(px, py);
  }

  /** The card of row i; null when it was not wanted any more or did not come. */
  async ask(i) {
    const asked = this.asked = new AbortController();
    const { url } = this;
    try {
      const answer = await fetch(`${url}/${i}`, { signal: asked.signal });
      if (answer.ok) {
        const card = await answer.json();
        if (url === this.url) this.known.set(i, card);
        if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value);
        return card;
      }
      if (answer.status === 404) this.lost();
    } catch (error) {
      if (error.name === "AbortError") return null;
      console.error(error);
    }
    if (this.shown === i) this.pin(-1);
    return null;
  }

  hide() {
    if (this.pinned < 0) this.close();
  }

  close() {
    this.shown = -1;
    this.asked?.abort();
    this.place.hidden = true;
  }

  /** Keep the card of row i open until the next click; -1: no card. */
  pin(i) {
    this.pinned = i;
    this.place.classList.toggle("pinned", i >= 0);
    if (i < 0) this.close();
  }

  fill({ title, color, image, texts, facts }) {
    this.place.replaceChildren();
    const heading = element("div", "title", title);
    if (color) {
      const dot = element("span", "dot");
      dot.style.background = color;
      heading.prepend(dot);
    }
    this.place.append(heading);
    if (image) {
      const picture = element("img", "");
      picture.src = image;
      picture.alt = "";
      picture.onerror = () => picture.remove();  // a row may have none
      this.place.append(picture);
    }
    for (const text of texts) this.place.append(element("div", "text", text));
    for (const [name, value] of facts) {
      const line = element("div", "fact");
      line.append(element("span", "name", name), element("span", "value", value));
      this.place.append(line);
    }
  }

  put(px, py) {
    const box = this.place.parentElement.getBoundingClientRect();
    this.place.hidden = false;
    const wide = this.place.offsetWidth;
    const high = this.place.offsetHeight;
    const left = px + 16 + wide > box.width ? px - 16 - wide : px + 16;
    const top = Math.max(4, Math.min(box.height - high - 4, py - high / 2));
    this.place.style.left = `${Math.max(4, left)}px`;
    this.place.style.top = `${top}px`;
  }
}
