// What lies over the points, on a 2-D canvas: names of clusters, contours, pictures, lines, the
// lasso. Canvas text is never markup.

const PICTURES = 250;
const KEPT = 1500;
const SEEN = 84;
// Vermillion and blue of Okabe and Ito (2008); the dashes tell them apart without colour.
const LOOKS = [
  { kind: "to", color: null, dash: [], words: "# kept: near in both" },
  { kind: "lost", color: "#D55E00", dash: [], words: "# lost: true neighbours, landed farther away" },
  { kind: "false", color: "#56B4E9", dash: [5, 4], words: "# false: near on the map only" },
];

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
    if (view.contours) this.drawContours(view);
    if (view.data.thumbs && !view.moving) this.drawPictures(view);
    this.drawLines(view);
    if (view.named) this.drawNames(view);
    this.drawRings(view);
    if (view.decoded) this.drawSpot(view);
    this.drawOutline(view);
    if (view.cursor) this.drawCursor(view);
  }

  drawContours({ viewport, contours: lines, dark }) {
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
      const picture = this.picture(`${data.thumbs}/${i}`);
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

  /** Lines from one point to others, with a ring at each end; each kind in its look. */
  drawLines(view) {
    const { viewport, points, data, dark } = view;
    const { from } = data.lines ?? {};
    const n = points.length / 2;
    const spot = (i) => viewport.toScreen(points[2 * i], points[2 * i + 1]);
    if (!(from >= 0 && from < n)) return;
    const said = [];
    for (const look of LOOKS) {
      const ends = (data.lines[look.kind] ?? []).filter((i) => i >= 0 && i < n);
      if (!ends.length) continue;
      for (const [width, color] of this.strokes(dark, look.color)) {
        this.pen.lineWidth = width - 0.6;
        this.pen.strokeStyle = color;
        this.pen.setLineDash(look.dash);
        this.pen.beginPath();
        for (const i of ends) {
          this.pen.moveTo(...spot(from));
          this.pen.lineTo(...spot(i));
        }
        this.pen.stroke();
      }
      this.pen.setLineDash([]);
      for (const i of ends) this.ring(spot(i), 5, dark, look.color);
      said.push({ look, text: look.words.replace("#", ends.length) });
    }
    this.ring(spot(from), 8, dark);
    if (said.some(({ look }) => look.color)) this.sayLines(said, view);
  }

  /** What the looks of the lines mean: where the notes of the view are not. */
  sayLines(said, { viewport, dark, root }) {
    const pen = this.pen;
    pen.font = `12px ${getComputedStyle(root).fontFamily}`;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    const wide = Math.max(...said.map(({ text }) => pen.measureText(text).width)) + 52;
    const high = 18 * said.length + 8;
    const [left, top] = [viewport.width - wide - 6, viewport.height - high - 6];
    pen.fillStyle = dark ? "rgba(14,17,23,.85)" : "rgba(255,255,255,.85)";
    pen.fillRect(left, top, wide, high);
    said.forEach(({ look, text }, at) => {
      const y = top + 13 + 18 * at;
      pen.lineWidth = 2;
      pen.strokeStyle = look.color ?? (dark ? "#fff" : "#000");
      pen.setLineDash(look.dash);
      pen.beginPath();
      pen.moveTo(left + 8, y);
      pen.lineTo(left + 36, y);
      pen.stroke();
      pen.setLineDash([]);
      pen.fillStyle = dark ? "#fafafa" : "#1a1c24";
      pen.fillText(text, left + 44, y);
    });
  }

  /** Wide in the colour of the ground, then narrow: seen on any points. */
  strokes(dark, color) {
    return [[4, dark ? "#000" : "#fff"], [2, color ?? (dark ? "#fff" : "#000")]];
  }

  ring([x, y], radius, dark, own) {
    for (const [width, color] of this.strokes(dark, own)) {
      this.pen.lineWidth = width;
      this.pen.strokeStyle = color;
      this.pen.beginPath();
      this.pen.arc(x, y, radius, 0, 2 * Math.PI);
      this.pen.stroke();
    }
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
      if (legend.hiding.stateOf(code) || legend.isEmpty(code)) continue;
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
    for (const [i, radius] of [[hovered, 7], [pinned, 9]]) {
      if (i < 0 || 2 * i >= points.length) continue;
      this.ring(viewport.toScreen(points[2 * i], points[2 * i + 1]), radius, dark);
    }
  }

  /** The place that is decoded, the rows it is made of, and what it would look like. */
  drawSpot({ viewport, points, decoded: spot, dark }) {
    const pen = this.pen;
    const [x, y] = viewport.toScreen(spot.x, spot.y);
    for (const [width, color] of this.strokes(dark)) {
      pen.lineWidth = width - 0.5;
      pen.strokeStyle = color;
      pen.beginPath();
      for (const i of spot.near) {
        pen.moveTo(x, y);
        pen.lineTo(...viewport.toScreen(points[2 * i], points[2 * i + 1]));
      }
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        pen.moveTo(x + 3 * dx, y + 3 * dy);
        pen.lineTo(x + 9 * dx, y + 9 * dy);
      }
      pen.stroke();
    }
    if (!spot.picture?.width) return;
    const fit = SEEN / Math.max(spot.picture.width, spot.picture.height);
    const [wide, high] = [fit * spot.picture.width, fit * spot.picture.height];
    const left = x + 16 + wide > viewport.width ? x - 16 - wide : x + 16;
    const top = Math.max(3, Math.min(viewport.height - high - 3, y - high / 2));
    pen.fillStyle = dark ? "#fff" : "#000";
    pen.fillRect(left - 2, top - 2, wide + 4, high + 4);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(spot.picture, left, top, wide, high);
    pen.imageSmoothingEnabled = true;
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
