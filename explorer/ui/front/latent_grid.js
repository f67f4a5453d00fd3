// The latent space laid out: a grid over two of its numbers, and a line for each of them.

import { Mosaic, save } from "./latent_mosaic.js";
import { gaussianSteps, said, steps } from "./latent_space.js";

const SIDE = 15;
const LINE = 9;
const LINES = 8;
const REST = 250;

/** What grid and lines share: the numbers that are not varied stay at the mean or where the sliders
 * are, and all is drawn again when those are moved. */
class Laid {
  constructor(view, place, name) {
    Object.assign(this, { view, place, name });
    this.find = (role) => place.querySelector(`.${role}`);
    this.mosaic = new Mosaic(this.find("mosaic"), name, (_, code) => view.move(code, name));
    this.find("rest").addEventListener("change", () => this.again());
    this.find("keep").addEventListener("click", () => save(this.mosaic.canvas,
      `latent-${name}.png`, this.words()));
  }

  /** Where the numbers are that are not varied. */
  base() {
    return this.find("rest").value === "sliders" ? this.view.code : this.view.data.mean;
  }

  again() {
    this.drawn = "";
    this.draw();
  }

  /** The sliders were moved, not by this. */
  moved() {
    if (this.find("rest").value !== "sliders") return this.mosaic.mark(-1);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), REST);
  }

  /** When it is in sight and not drawn as it is. */
  draw() {
    if (this.place.hidden || !this.view.decoder) return;
    const plan = this.plan();
    const key = JSON.stringify([plan.codes, this.view.dark, this.place.clientWidth]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.mosaic.show(this.view.decoder, plan.codes, plan.columns, plan.cell, this.view.colors);
  }

  others() {
    return this.find("rest").value === "sliders" ? "where the sliders are" : "at their mean";
  }

  end() {
    clearTimeout(this.timer);
  }
}

export class Grid extends Laid {
  constructor(view, place) {
    super(view, place, "grid");
    for (const role of ["x", "y", "spread"]) {
      this.find(role).addEventListener("change", () => this.again());
    }
  }

  begin() {
    const { order, gaussian, mean } = this.view.data;
    for (const role of ["x", "y"]) {
      this.find(role).replaceChildren(...order.map((number) => new Option(`z${number + 1}`,
        number)));
    }
    this.find("x").value = order[0];
    this.find("y").value = order[1] ?? order[0];
    this.find("pair").hidden = mean.length < 2;
    this.find("others").hidden = mean.length <= 2;
    this.find("spread-choice").hidden = !gaussian;
    this.find("spread").value = gaussian ? "normal" : "rows";
    this.again();
  }

  values(number) {
    const { low, high } = this.view.data;
    return this.find("spread").value === "normal" ? gaussianSteps(SIDE)
      : steps(low[number], high[number], SIDE);
  }

  plan() {
    const { mean } = this.view.data;
    const [x, y] = [Number(this.find("x").value), Number(this.find("y").value)];
    const one = x === y;
    const across = this.values(x);
    const up = one ? [null] : this.values(y).reverse();  // more is higher, as on a map
    const codes = up.flatMap((height) => across.map((value) => {
      const code = [...this.base()];
      if (!one) code[y] = height;
      code[x] = value;
      return code;
    }));
    const ends = (values) => `${said(Math.min(...values))} to ${said(Math.max(...values))}`;
    this.axes = [`Across: z${x + 1} from ${ends(across)}`,
      ...(one ? [] : [`Up: z${y + 1} from ${ends(this.values(y))}`]),
      ...(mean.length > 2 ? [`All others ${this.others()}`] : [])];
    this.find("axes").textContent = `${this.axes.join(". ")}.`;
    this.find("same").hidden = !(one && mean.length > 1);
    const room = Math.min(this.place.clientWidth - 4, this.view.decoder.shape.length === 3 ? 630
      : 960);
    return { codes, columns: SIDE, cell: Math.floor(room / SIDE) };
  }

  words() {
    return [this.axes.join(". ")];
  }
}

export class Lines extends Laid {
  constructor(view, place) {
    super(view, place, "lines");
    this.find("every").addEventListener("change", () => this.again());
  }

  begin() {
    this.find("rest").disabled = false;
    this.find("every-choice").hidden = this.view.data.order.length <= LINES;
    this.again();
  }

  plan() {
    const { order, low, high, worth } = this.view.data;
    this.numbers = this.find("every").checked ? order : order.slice(0, LINES);
    const codes = this.numbers.flatMap((number) => steps(low[number], high[number], LINE)
      .map((value) => {
        const code = [...this.base()];
        code[number] = value;
        return code;
      }));
    const room = Math.min(this.place.clientWidth - 140, 900) / LINE;
    const image = this.view.decoder.shape.length === 3;
    const cell = Math.floor(Math.min(room, image ? 64 : 110));
    const unit = worth.unit ? ` ${worth.unit}` : "";
    this.find("labels").replaceChildren(...this.numbers.map((number) => {
      const label = document.createElement("div");
      const name = document.createElement("b");
      const more = document.createElement("small");
      name.textContent = `z${number + 1}`;
      more.textContent = `${worth.title} ${worth.values[number].toPrecision(2)}${unit}`;
      label.title = `from ${said(low[number])} to ${said(high[number])}`;
      label.append(name, more);
      return label;
    }));
    return { codes, columns: LINE, cell };
  }

  words() {
    return [`${this.numbers.map((number) => `z${number + 1}`).join(", ")}: from the low to the high`
      + ` end of the rows, all others ${this.others()}`];
  }
}
