// What lies over the points, on a 2-D canvas: names of clusters, contours, pictures, lines, the
// lasso. Canvas text is never markup.

const GRID = 128;
const LEVELS = [0.08, 0.2, 0.4, 0.65];
const PICTURES = 250;
const KEPT = 1500;

/** Contour lines of the density of the shown points: segments x0 y0 x1 y1 in the plane. */
export function contours(points, shown) {
  const side = GRID;
  let field = new Float64Array(side * side);
  const place = (value) => ((value + 1.1) / 2.2) * (side - 1);
  for (let i = 0; i < points.length / 2; i++) {
    if (!shown(i)) continue;
    const x = Math.round(place(points[2 * i]));
    const y = Math.round(place(points[2 * i + 1]));
    if (x >= 0 && y >= 0 && x < side && y < side) field[y * side + x]++;
  }
  for (let pass = 0; pass < 3; pass++) field = blur(blur(field, side, 1), side, side);
  let most = 0;
  for (const value of field) most = Math.max(most, value);
  const segments = [];
  if (most > 0) for (const level of LEVELS) march(field, side, level * most, segments);
  return Float32Array.from(segments, (value) => (value / (side - 1)) * 2.2 - 1.1);
}

function blur(field, side, step) {
  const result = new Float64Array(field.length);
  const other = step === 1 ? side : 1;
  for (let line = 0; line < side; line++) {
    for (let at = 0; at < side; at++) {
      let sum = 0;
      let weight = 0;
      for (let off = -2; off <= 2; off++) {
        if (at + off < 0 || at + off >= side) continue;
        sum += field[line * other + (at + off) * step];
        weight++;
      }
      result[line * other + at * step] = sum / weight;
    }
  }
  return result;
}

// Marching squares (Lorensen and Cline 1987 in the plane): where each case's line enters and leaves.
const SIDES = [[], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], [[3, 0], [1, 2]], [[0, 2]], [[3, 2]],
  [[2, 3]], [[2, 0]], [[0, 1], [2, 3]], [[2, 1]], [[1, 3]], [[1, 0]], [[0, 3]], []];

function march(field, side, level, segments) {
  const cut = (a, b) => (level - a) / (b - a);
  for (let y = 0; y < side - 1; y++) {
    for (let x = 0; x < side - 1; x++) {
      const a = field[y * side + x];
      const b = field[y * side + x + 1];
      const c = field[(y + 1) * side + x + 1];
      const d = field[(y + 1) * side + x];
      const which = (a > level) | ((b > level) << 1) | ((c > level) << 2) | ((d > level) << 3);
      for (const pair of SIDES[which]) {
        for (const edge of pair) {
          if (edge === 0) segments.push(x + cut(a, b), y);
          else if (edge === 1) segments.push(x + 1, y + cut(b, c));
          else if (edge === 2) segments.push(x + cut(d, c), y + 1);
          else segments.push(x, y + cut(a, d));
        }
      }
    }
  }
}

export class Overlay {
  constructor(canvas, redraw) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.redraw = redraw;
    this.pictures = new Map();
    this.placed = [];
  }

  draw(view, ratio) {
    const pen = this.pen;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, view.viewport.width, view.viewport.height);
    if (view.lines) this.drawContours(view);
    if (view.data.thumbs && !view.moving) this.drawPictures(view);
    this.drawLinks(view);
    if (view.named) this.drawNames(view);
    this.drawRings(view);
    this.drawOutline(view);
    if (view.cursor) this.drawCursor(view);
  }

  drawContours({ viewport, lines, dark }) {
    const pen = this.pen;
    pen.strokeStyle = dark ? "rgba(255,255,255,.45)" : "rgba(0,0,0,.4)";
    pen.lineWidth = 1;
    pen.beginPath();
    for (let at = 0; at < lines.length; at += 4) {
      pen.moveTo(...viewport.toScreen(lines[at], lines[at + 1]));
      pen.lineTo(...viewport.toScreen(lines[at + 2], lines[at + 3]));
    }
    pen.stroke();
  }

  drawPictures(view) {
    const { viewport, points, data } = view;
    const shown = view.inSight(PICTURES + 1);
    if (!shown.length || shown.length > PICTURES) return;
    const room = Math.sqrt((viewport.width * viewport.height) / shown.length);
    const size = Math.max(20, Math.min(72, 0.55 * room));
    for (const i of shown) {
      const picture = this.picture(`${data.thumbs}/${view.rowKey(i)}`);
      if (!picture.complete || !picture.naturalWidth) continue;
      const [x, y] = viewport.toScreen(points[2 * i], points[2 * i + 1]);
      const fit = size / Math.max(picture.naturalWidth, picture.naturalHeight);
      const wide = picture.naturalWidth * fit;
      const high = picture.naturalHeight * fit;
      this.pen.fillStyle = view.colorOf(i);
      this.pen.globalAlpha = view.isContext(i) ? 0.25 : 1;
      this.pen.fillRect(x - wide / 2 - 2, y - high / 2 - 2, wide + 4, high + 4);
      this.pen.drawImage(picture, x - wide / 2, y - high / 2, wide, high);
      this.pen.globalAlpha = 1;
    }
  }

  picture(url) {
    let picture = this.pictures.get(url);
    if (!picture) {
      picture = new Image();
      picture.onload = this.redraw;
      picture.src = url;
      this.pictures.set(url, picture);
      if (this.pictures.size > KEPT) this.pictures.delete(this.pictures.keys().next().value);
    }
    return picture;
  }

  drawLinks({ viewport, points, data, dark }) {
    const pen = this.pen;
    for (const link of data.links ?? []) {
      pen.strokeStyle = link.color ?? (dark ? "#fff" : "#000");
      pen.setLineDash(link.dashed ? [4, 3] : []);
      pen.lineWidth = 1.3;
      pen.beginPath();
      for (const to of link.to) {
        pen.moveTo(...viewport.toScreen(points[2 * link.from], points[2 * link.from + 1]));
        pen.lineTo(...viewport.toScreen(points[2 * to], points[2 * to + 1]));
      }
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  /** Big clusters first; a name that would cover another waits until there is room. */
  drawNames({ viewport, data, dark, legend, root }) {
    const pen = this.pen;
    pen.font = `600 13px ${getComputedStyle(root).fontFamily}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    this.placed = [];
    for (const { name, x, y, code } of data.names ?? []) {
      if (legend.stateOf(code)) continue;
      const [px, py] = viewport.toScreen(x, y);
      const text = name.length > 28 ? `${name.slice(0, 27)}…` : name;
      const half = pen.measureText(text).width / 2 + 3;
      const box = [px - half, py - 9, px + half, py + 9];
      if (box[0] < 0 || box[1] < 0 || box[2] > viewport.width || box[3] > viewport.height) continue;
      if (this.placed.some((other) => box[0] < other.box[2] && box[2] > other.box[0]
          && box[1] < other.box[3] && box[3] > other.box[1])) continue;
      this.placed.push({ box, text });
      pen.lineWidth = 3.5;
      pen.strokeStyle = dark ? "rgba(14,17,23,.85)" : "rgba(255,255,255,.85)";
      pen.strokeText(text, px, py);
      pen.fillStyle = dark ? "#fafafa" : "#1a1c24";
      pen.fillText(text, px, py);
    }
  }

  drawRings({ viewport, points, hovered, pinned, dark }) {
    const pen = this.pen;
    for (const [i, radius] of [[hovered, 7], [pinned, 9]]) {
      if (i < 0 || 2 * i >= points.length) continue;
      const [x, y] = viewport.toScreen(points[2 * i], points[2 * i + 1]);
      for (const [width, color] of [[4, dark ? "#000" : "#fff"], [2, dark ? "#fff" : "#000"]]) {
        pen.lineWidth = width;
        pen.strokeStyle = color;
        pen.beginPath();
        pen.arc(x, y, radius, 0, 2 * Math.PI);
        pen.stroke();
      }
    }
  }

  drawOutline({ outline, dark }) {
    if (!outline || outline.length < 2) return;
    const pen = this.pen;
    pen.beginPath();
    outline.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.fillStyle = dark ? "rgba(120,180,255,.14)" : "rgba(0,90,180,.10)";
    pen.fill();
    pen.lineWidth = 1.5;
    pen.strokeStyle = dark ? "#8fc7ff" : "#0060b0";
    pen.setLineDash([5, 4]);
    pen.stroke();
    pen.setLineDash([]);
  }

  /** Where Enter picks, for who has no mouse. */
  drawCursor({ viewport, dark }) {
    const pen = this.pen;
    const [x, y] = [viewport.width / 2, viewport.height / 2];
    pen.strokeStyle = dark ? "#fff" : "#000";
    pen.lineWidth = 1;
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(x + 4 * dx, y + 4 * dy);
      pen.lineTo(x + 12 * dx, y + 12 * dy);
    }
    pen.stroke();
  }
}
