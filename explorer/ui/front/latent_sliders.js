// One slider for each latent number, the most telling first.

import { element } from "./element.js";
import { said } from "./latent_space.js";

const FIRST = 8;
const STEPS = 400;

/** Sliders in two places: the first few in `open`, the rest in `folded`. `moved(number, value)` is
 * called while one is moved. */
export class Sliders {
  constructor(open, folded, moved) {
    Object.assign(this, { open, folded, moved });
  }

  /** `worth` {title, unit, values} says what each number counts; sliders move from `low` to
   * `high`. */
  build({ order, low, high, mean, worth }) {
    this.low = low;
    this.high = high;
    this.lines = new Map();
    this.open.replaceChildren();
    this.folded.querySelector(".more").replaceChildren();
    order.forEach((number, at) => {
      const line = this.line(number, mean[number], worth);
      (at < FIRST ? this.open : this.folded.querySelector(".more")).append(line.place);
      this.lines.set(number, line);
    });
    const rest = order.length - FIRST;
    this.folded.hidden = rest <= 0;
    this.folded.querySelector("summary").textContent =
      `${rest.toLocaleString("en")} more latent number${rest === 1 ? "" : "s"}`;
  }

  /** Show a code. One from beyond an end moves that end. */
  show(code) {
    for (const [number, { slider, told }] of this.lines) {
      const value = code[number];
      slider.min = Math.min(this.low[number], value);
      slider.max = Math.max(this.high[number], value);
      slider.value = value;
      slider.setAttribute("aria-valuetext", said(value));
      told.textContent = said(value);
    }
  }

  line(number, mean, worth) {
    const [low, high] = [this.low[number], this.high[number]];
    const place = element("div", "slider");
    const name = element("label", "name", `z${number + 1}`);
    const slider = element("input");
    const told = element("output", "value");
    const constant = !(high > low);
    name.htmlFor = slider.id = `latent-z${number + 1}`;
    told.htmlFor = slider.id;
    Object.assign(slider, { type: "range", min: low, max: high,
      step: constant ? "any" : (high - low) / STEPS, disabled: constant });
    slider.step = "any";
    const unit = worth.unit ? ` ${worth.unit}` : "";
    place.title = constant ? `z${number + 1} is the same for every row`
      : `z${number + 1}: ${worth.title} ${worth.values[number].toPrecision(3)}${unit}, mean ${said(mean)}. Double-click: back to the mean.`;
    slider.addEventListener("input", () => this.moved(number, Number(slider.value)));
    slider.addEventListener("dblclick", () => this.moved(number, mean));
    slider.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10,
        PageDown: -10 }[event.key];
      if (!step) return;
      event.preventDefault();  // 'any' has no step of its own for keys
      const value = Number(slider.value) + step * (high - low) / 50;
      this.moved(number, Math.min(Number(slider.max), Math.max(Number(slider.min), value)));
    });
    place.append(name, slider, told);
    return { place, slider, told };
  }
}
