// What part of the plane is on screen. Points lie in [-1, 1]; zoom 1 shows all of them.

const MARGIN = 0.94;
const LEAST = 0.2;
const MOST = 20000;

export class Viewport {
  constructor() {
    this.width = 1;
    this.height = 1;
    this.half = [1, 1];
    this.reset();
  }

  /** Half the extent of the points, to fill the screen with them. */
  setExtent(x, y) {
    this.half = [Math.max(x, 1e-6), Math.max(y, 1e-6)];
  }

  resize(width, height) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
  }

  reset() {
    this.x = 0;
    this.y = 0;
    this.zoom = 1;
  }

  /** Pixels for one unit, the same in both directions. */
  get unit() {
    const fit = Math.min(this.width / this.half[0], this.height / this.half[1]) / 2;
    return fit * MARGIN * this.zoom;
  }

  toPlane(px, py) {
    return [this.x + (px - this.width / 2) / this.unit, this.y - (py - this.height / 2) / this.unit];
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.x) * this.unit, this.height / 2 - (y - this.y) * this.unit];
  }

  pan(dx, dy) {
    this.x -= dx / this.unit;
    this.y += dy / this.unit;
    this.hold();
  }

  /** Zoom so that what is under the pixel stays there. */
  zoomAt(px, py, factor) {
    const [x, y] = this.toPlane(px, py);
    this.zoom = bounded(this.zoom * factor);
    this.x = x - (px - this.width / 2) / this.unit;
    this.y = y + (py - this.height / 2) / this.unit;
    this.hold();
  }

  /** Show a box of the plane, with some room around it. */
  show(box) {
    const wide = Math.max(box.right - box.left, 1e-4) * 1.2;
    const high = Math.max(box.top - box.bottom, 1e-4) * 1.2;
    this.x = (box.left + box.right) / 2;
    this.y = (box.bottom + box.top) / 2;
    const wanted = Math.min(this.width / wide, this.height / high);
    this.zoom = bounded((wanted * this.zoom) / this.unit);
  }

  get box() {
    const [left, top] = this.toPlane(0, 0);
    const [right, bottom] = this.toPlane(this.width, this.height);
    return { left, right, bottom, top };
  }

  /** For the shader. */
  get clip() {
    const scale = [(2 * this.unit) / this.width, (2 * this.unit) / this.height];
    return { center: [this.x, this.y], scale };
  }

  get place() {
    return { x: this.x, y: this.y, zoom: this.zoom };
  }

  /** Raises nothing: a place from an address may hold anything. */
  set place({ x, y, zoom }) {
    if (![x, y, zoom].every(Number.isFinite)) return;
    Object.assign(this, { x, y, zoom: bounded(zoom) });
    this.hold();
  }

  /** The points never leave the screen for good. */
  hold() {
    this.x = Math.max(-1.5, Math.min(1.5, this.x));
    this.y = Math.max(-1.5, Math.min(1.5, this.y));
  }
}

function bounded(zoom) {
  return Math.min(MOST, Math.max(LEAST, zoom));
}
