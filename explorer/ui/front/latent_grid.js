// The latent space laid out: a grid over two of its numbers, and a line for each of them.

import { Mosaic, save } from "./latent_mosaic.js";
import { element } from "./element.js";
import { LISTED } from "./latent_row.js";
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
    if (!plan) return;
    const key = JSON.stringify([plan, this.view.dark]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.mosaic.show(this.view.decoder, plan.codes, plan, this.view.colors);
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
    for (const role of ["x", "y", "spread", "column"]) {
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
    this.offerColumns();
    this.again();
  }

  /** Of rows of numbers one is shown as a colour: at first the one that changes most here. */
  offerColumns() {
    const { decoder } = this.view;
    const image = decoder.shape.length === 3;
    this.find("what").hidden = image;
    this.find("column").replaceChildren();
    if (image) return;
    const { names, shape: [d], low, high } = decoder;
    this.find("column").replaceChildren(new Option("all numbers, as bars", -1),
      ...Array.from({ length: d }, (_, i) => new Option(names[i] ?? `number ${i + 1}`, i)));
    const corners = this.plan().codes.filter((_, place) => place % 7 === 0)
      .map((code) => decoder.now(code));
    const change = Array.from({ length: d }, (_, i) => {
      const values = corners.map((row) => row[i]);
      return (Math.max(...values) - Math.min(...values)) / (high[i] - low[i] || Infinity);
    });
    this.find("column").value = names.length ? change.indexOf(Math.max(...change)) : -1;
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
    const column = this.find("what").hidden ? -1 : Number(this.find("column").value);
    const { low, high, names } = this.view.decoder;
    if (column >= 0) {
      this.axes.push(`Colour: ${names[column] ?? `number ${column + 1}`} from ${said(low[column])} (dark) to ${said(high[column])} (light), its ends among the rows`);
    }
    this.find("axes").textContent = `${this.axes.join(". ")}.`;
    this.find("same").hidden = !(one && mean.length > 1);
    const room = Math.min(this.place.clientWidth - 4, this.view.decoder.shape.length === 3 ? 510
      : 900);
    return { codes, columns: SIDE, cell: Math.floor(room / SIDE), column, gap: column < 0
      && this.view.decoder.shape.length === 1 ? 4 : 0 };
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
    const { shape } = this.view.decoder;
    const table = shape.length === 1 && shape[0] <= LISTED;
    for (const role of ["ruled", "keep", "about"]) this.find(role).hidden = table;
    this.find("effects").hidden = !table;
    if (table) return this.tabulate();
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
    return { codes, columns: LINE, cell, gap: 4 };
  }

  /** Of rows of few numbers: how far each goes when a latent number goes from end to end. */
  tabulate() {
    const { data: { low, high }, decoder } = this.view;
    const ends = this.numbers.map((number) => [low[number], high[number]].map((value) => {
      const code = [...this.base()];
      code[number] = value;
      return decoder.now(code);
    }));
    const head = element("tr");
    head.append(element("th", "", "column"), ...this.numbers.map((number) => element("th", "",
      `z${number + 1}`)));
    const lines = Array.from({ length: decoder.shape[0] }, (_, i) => {
      const line = element("tr");
      line.append(element("th", "", decoder.names[i] ?? `number ${i + 1}`));
      for (const [from, to] of ends) {
        const share = Math.round(100 * (to[i] - from[i]) / (decoder.high[i] - decoder.low[i] || 1));
        const cell = element("td", "", share ? `${share > 0 ? "+" : "−"}${Math.abs(share)} %` : "0");
        const deep = Math.min(0.85, Math.abs(share) / 100);
        cell.style.background = share > 0 ? `rgba(0,114,178,${deep})` : `rgba(230,159,0,${deep})`;
        cell.title = `from ${from[i].toPrecision(4)} to ${to[i].toPrecision(4)}`;
        line.append(cell);
      }
      return line;
    });
    this.find("effects").querySelector("table").replaceChildren(head, ...lines);
    return null;
  }

  words() {
    return [`${this.numbers.map((number) => `z${number + 1}`).join(", ")}: from the low to the high`
      + ` end of the rows, all others ${this.others()}`];
  }
}
