// A walk between two rows: what the network makes of the codes between theirs.

import { element } from "./element.js";
import { Mosaic, save } from "./latent_mosaic.js";
import { distance, said, spherical, straight } from "./latent_space.js";

const STRIP = 9;
const SECONDS = 5;

export class Walk {
  /** `view` is the latent view; `place` the element of the walk. */
  constructor(view, place) {
    Object.assign(this, { view, place, rows: [-1, -1], share: 0, way: "straight" });
    this.find = (name) => place.querySelector(`.${name}`);
    this.strip = new Mosaic(this.find("strip"), "strip", (at) => this.go(at / (STRIP - 1)));
    this.ends = ["a", "b"].map((name) => this.find(`row-${name}`));
    this.listen();
  }

  /** Two rows to begin with: the selection's, else two far from each other in the data. */
  begin({ rows, n }) {
    this.find("way").hidden = !this.view.data.gaussian;
    this.way = this.view.data.gaussian ? "spherical" : "straight";
    this.find("way").querySelector("select").value = this.way;
    this.take([rows[0], rows[Math.floor(n / 2)]]);
  }

  /** Walk between these dataset rows (those whose code is not here stay as they were). */
  take(rows) {
    rows.forEach((row, end) => {
      const code = this.view.codeOf(row);
      this.ends[end].value = row + 1;
      this.ends[end].setCustomValidity(code ? "" : "This row has no code here.");
      if (!code) return this.ends[end].reportValidity();
      this.rows[end] = row;
    });
    this.codes = this.rows.map((row) => this.view.codeOf(row));
    this.drawn = false;
    this.draw();
  }

  between(share) {
    return (this.way === "spherical" ? spherical : straight)(...this.codes, share);
  }

  /** When it is the one in sight. */
  draw() {
    if (this.drawn || this.place.hidden || !this.codes?.every(Boolean)) return;
    this.drawn = true;
    const { view } = this;
    const shares = Array.from({ length: STRIP }, (_, at) => at / (STRIP - 1));
    const room = Math.max(320, this.place.clientWidth - 4);
    const cell = Math.floor(Math.min(room / STRIP, view.decoder.shape.length === 3 ? 92 : 140));
    this.strip.show(view.decoder, shares.map((share) => this.between(share)),
      { columns: STRIP, cell, gap: 4 }, view.colors);
    const apart = distance(...this.codes);
    const nearer = Math.round(100 * view.space.shareNearer(apart));
    this.find("apart").textContent = this.rows[0] === this.rows[1] ? "The two rows are the same."
      : `The rows are ${said(apart)} apart in the latent space: farther than ${nearer} % of pairs of rows.`;
    this.find("where").value = this.share;
    this.readOn(shares);
  }

  /** Of texts: what the row nearest to each step says. */
  async readOn(shares) {
    const { tiles } = this.view.data;
    const list = this.find("read");
    list.hidden = !tiles;
    if (!tiles) return;
    const turn = (this.reading = (this.reading ?? 0) + 1);
    const rows = shares.map((share) => this.view.space.nearest(this.between(share)).row);
    try {
      const answer = await fetch(`${tiles}?rows=${rows.join(",")}`);
      if (answer.status === 404) return this.view.send("lost", true);
      const found = await answer.json();
      if (turn !== this.reading) return;
      list.replaceChildren(...found.map((tile, at) => {
        const line = element("li", "");
        const step = element("button", "", `${Math.round(100 * shares[at])} %`);
        step.type = "button";
        step.addEventListener("click", () => this.go(shares[at]));
        const text = element("span", "said", at && rows[at] === rows[at - 1] ? "the same row"
          : tile.text || tile.title);
        text.title = tile.title;
        line.append(step, text);
        return line;
      }));
    } catch (error) {
      list.replaceChildren(element("li", "", "The texts could not be loaded."));
      console.error(error);
    }
  }

  /** Go to `share` (0 to 1) of the way: sliders, picture and nearest row follow. */
  go(share) {
    this.share = share;
    this.find("where").value = share;
    this.find("where").setAttribute("aria-valuetext", `${Math.round(100 * share)} % of the way`);
    const near = Math.round(share * (STRIP - 1));
    this.strip.mark(Math.abs(near / (STRIP - 1) - share) < 0.02 ? near : -1);
    this.view.move(this.between(share), "walk");
  }

  play() {
    if (this.playing) return this.stop();
    const from = this.share >= 1 ? 0 : this.share;
    const started = performance.now();
    const step = (now) => {
      const share = Math.min(1, from + (now - started) / 1000 / SECONDS);
      this.go(share);
      if (share < 1) this.playing = requestAnimationFrame(step);
      else this.stop();
    };
    this.playing = requestAnimationFrame(step);
    this.find("play").textContent = "Pause";
  }

  stop() {
    cancelAnimationFrame(this.playing ?? 0);
    this.playing = null;
    this.find("play").textContent = "Play";
  }

  listen() {
    this.ends.forEach((input, end) => {
      input.addEventListener("change", () => {
        const rows = [...this.rows];
        rows[end] = Number(input.value) - 1;
        this.stop();
        this.take(rows);
      });
      input.addEventListener("input", () => input.setCustomValidity(""));
    });
    this.find("two").addEventListener("click", () => {
      const { rows } = this.view.data.chosen;
      if (rows.length === 2) this.take(rows.map((one) => one.row));
    });
    this.find("shuffle").addEventListener("click", () => {
      const { space } = this.view;
      this.take([0, 1].map(() => space.rows[Math.floor(Math.random() * space.n)]));
    });
    this.find("where").addEventListener("input", () => {
      this.stop();
      this.go(Number(this.find("where").value));
    });
    this.find("play").addEventListener("click", () => this.play());
    this.find("way").querySelector("select").addEventListener("change", (event) => {
      this.way = event.target.value;
      this.drawn = false;
      this.draw();
    });
    this.find("keep").addEventListener("click", () => save(this.strip.canvas, "latent-walk.png",
      [`From row ${this.rows[0] + 1} to row ${this.rows[1] + 1}, ${this.way} way, ${STRIP} steps`]));
  }
}
