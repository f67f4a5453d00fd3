// The card of a row: picture, text, columns. Built from text nodes only: nothing in it can run.

const KEPT = 300;

export class Cards {
  constructor(place) {
    this.place = place;
    this.known = new Map();
    this.asked = null;
    this.pinned = -1;
    this.shown = -1;
  }

  /** Another set of rows: nothing known of the old ones is true any more. */
  setSource(url) {
    if (url === this.url) return;
    this.url = url;
    this.known.clear();
    this.pinned = -1;
    this.hide();
  }

  /** Show row i beside the pixel; the answer of the last asked row wins. */
  async show(i, px, py) {
    if (this.pinned >= 0 && this.pinned !== i) return;
    if (this.shown === i) return;
    this.shown = i;
    this.asked?.abort();
    let card = this.known.get(i);
    if (!card) {
      this.asked = new AbortController();
      try {
        const answer = await fetch(`${this.url}/${i}`, { signal: this.asked.signal });
        if (!answer.ok) return this.hide();
        card = await answer.json();
      } catch (error) {
        if (error.name !== "AbortError") this.hide();
        return;
      }
      this.known.set(i, card);
      if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value);
    }
    if (this.shown !== i) return;
    this.fill(card);
    this.put(px, py);
  }

  hide() {
    if (this.pinned >= 0) return;
    this.shown = -1;
    this.asked?.abort();
    this.place.hidden = true;
  }

  /** Keep the card open until the next click. */
  pin(i) {
    this.pinned = i;
    this.place.classList.toggle("pinned", i >= 0);
    if (i < 0) this.hide();
  }

  fill(card) {
    this.place.replaceChildren();
    const add = (kind, text, role) => {
      const element = document.createElement(kind);
      if (role) element.className = role;
      element.textContent = text;
      this.place.append(element);
      return element;
    };
    const title = add("div", card.title, "title");
    if (card.color) {
      const dot = document.createElement("span");
      dot.className = "dot";
      dot.style.background = card.color;
      title.prepend(dot);
    }
    if (card.image) {
      const image = document.createElement("img");
      image.src = card.image;
      image.alt = "";
      this.place.append(image);
    }
    for (const text of card.texts) add("div", text, "text");
    for (const [name, value] of card.facts) {
      const line = document.createElement("div");
      line.className = "fact";
      for (const [role, words] of [["name", name], ["value", value]]) {
        const part = document.createElement("span");
        part.className = role;
        part.textContent = words;
        line.append(part);
      }
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
