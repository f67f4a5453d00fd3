// Many decoded rows in one picture, columns x rows; each can be chosen by mouse and keys.

import { paintBars, pixelsOf } from "./decoder_paint.js";

const BARS = [64, 40];
const SCALE = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

export class Mosaic {
  /** In `place` (an element with a canvas and a frame in it). `name` is what it asks the decoder
   * under; `chosen(place)` is called with the place of a cell. */
  constructor(place, name, chosen) {
    Object.assign(this, { place, name, chosen, canvas: place.querySelector("canvas"),
      frame: place.querySelector(".frame"), at: -1, columns: 0, rows: 0 });
    this.canvas.tabIndex = 0;
    this.canvas.addEventListener("click", (event) => {
      const box = this.canvas.getBoundingClientRect();
      const x = Math.floor((event.clientX - box.left) / box.width * this.columns);
      const y = Math.floor((event.clientY - box.top) / box.height * this.rows);
      this.choose(Math.min(this.rows - 1, Math.max(0, y)) * this.columns
        + Math.min(this.columns - 1, Math.max(0, x)));
    });
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1],
        ArrowUp: [0, -1] }[event.key];
      if (!step || !this.columns) return;
      event.preventDefault();
      const from = this.at < 0 ? Math.floor(this.columns * this.rows / 2) : this.at;
      const x = Math.min(this.columns - 1, Math.max(0, from % this.columns + step[0]));
      const y = Math.min(this.rows - 1, Math.max(0, Math.floor(from / this.columns) + step[1]));
      this.choose(y * this.columns + x);
    });
  }

  /** Decode these codes (row by row) into cells so many CSS pixels wide, `gap` between them. Of
   * numbers only that of `column` is shown, as a colour and a text; -1: all of them, as bars. */
  show(decoder, codes, { columns, cell, gap = 0, column = -1 }, colors) {
    const scale = Math.min(2, window.devicePixelRatio || 1);
    const image = decoder.shape.length === 3;
    const [, high, wide] = image ? decoder.shape : [1, BARS[1], BARS[0]];
    Object.assign(this, { decoder, codes, columns, rows: Math.ceil(codes.length / columns),
      width: Math.round(cell * scale), height: Math.round(cell * scale * high / wide), colors, column,
      gap: Math.round(gap * scale) });
    this.canvas.width = this.columns * this.width;
    this.canvas.height = this.rows * this.height;
    this.canvas.style.width = `${this.canvas.width / scale}px`;
    this.pen = this.canvas.getContext("2d");
    this.pen.imageSmoothingEnabled = false;
    this.scratch = document.createElement("canvas");
    Object.assign(this.scratch, image ? { width: wide, height: high }
      : { width: this.width - this.gap, height: this.height - this.gap });
    this.place.dataset.done = "0";
    this.mark(-1);
    decoder.ask(this.name, codes, (values, place) => this.paint(values, place),
      () => { this.place.dataset.done = codes.length; });
  }

  paint(values, place) {
    const { decoder, width, height, scratch, gap, column } = this;
    const [x, y] = [place % this.columns * width, Math.floor(place / this.columns) * height];
    if (decoder.shape.length === 3) {
      scratch.getContext("2d").putImageData(pixelsOf(values, decoder.shape), 0, 0);
    } else if (column >= 0) return this.paintNumber(values[column], x, y);
    else paintBars(scratch, values, decoder.low, decoder.high, this.colors);
    this.pen.clearRect(x, y, width, height);
    this.pen.drawImage(scratch, 0, 0, scratch.width, scratch.height, x, y, width - gap,
      height - gap);
  }

  paintNumber(value, x, y) {
    const { decoder: { low, high }, column, pen, width, height } = this;
    const share = Math.min(1, Math.max(0, (value - low[column])
      / (high[column] - low[column] || 1))) * (SCALE.length - 1);
    const from = Math.min(SCALE.length - 2, Math.floor(share));
    const [red, green, blue] = SCALE[from].map((part, i) => Math.round(
      part + (share - from) * (SCALE[from + 1][i] - part)));
    pen.fillStyle = `rgb(${red},${green},${blue})`;
    pen.fillRect(x, y, width, height);
    pen.fillStyle = 0.3 * red + 0.59 * green + 0.11 * blue > 130 ? "#000000" : "#ffffff";
    pen.font = `${Math.round(height * 0.34)}px sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(Number(value.toPrecision(3)).toLocaleString("en", { useGrouping: false }),
      x + width / 2, y + height / 2, width - 4);
  }

  choose(place) {
    if (place >= this.codes.length) return;
    this.chosen(place, this.codes[place]);
    this.mark(place);
  }

  /** Frame a cell; -1 none. */
  mark(place) {
    this.at = place;
    this.frame.hidden = place < 0;
    if (place < 0) return;
    Object.assign(this.frame.style, {
      left: `${100 * (place % this.columns) / this.columns}%`,
      top: `${100 * Math.floor(place / this.columns) / this.rows}%`,
      width: `${100 / this.columns}%`, height: `${100 / this.rows}%` });
  }
}

/** Let the person keep a canvas as a PNG file, with lines of text under it, on white. */
export function save(canvas, file, lines) {
  const [line, edge] = [22, 14];
  const whole = document.createElement("canvas");
  whole.width = Math.max(canvas.width, 480) + 2 * edge;
  whole.height = canvas.height + 2 * edge + line * lines.length;
  const pen = whole.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, whole.width, whole.height);
  pen.drawImage(canvas, edge, edge);
  pen.fillStyle = "#31333f";
  pen.font = "15px sans-serif";
  lines.forEach((text, at) => {
    pen.fillText(text, edge, canvas.height + 2 * edge + line * at + 6, whole.width - 2 * edge);
  });
  whole.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
