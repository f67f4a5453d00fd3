// Which points lie where: a grid over the points answers hover, box and lasso without touching
// every point. Pure functions over typed arrays; points are x0 y0 x1 y1 ... (Float32Array).

const STOP = 1;

/** A grid of about two points a cell over [-1, 1] x [-1, 1]. Cell c holds `items[starts[c]]` to
 * `items[starts[c + 1] - 1]`, in ascending order. */
export function buildGrid(points) {
  const n = points.length / 2;
  const side = Math.max(1, Math.min(1024, Math.floor(Math.sqrt(n / 2))));
  const starts = new Uint32Array(side * side + 1);
  const cells = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const cell = cellOf(points[2 * i], side) + side * cellOf(points[2 * i + 1], side);
    cells[i] = cell;
    starts[cell + 1]++;
  }
  for (let c = 0; c < side * side; c++) starts[c + 1] += starts[c];
  const items = new Uint32Array(n);
  const next = starts.slice(0, side * side);
  for (let i = 0; i < n; i++) items[next[cells[i]]++] = i;
  return { side, starts, items };
}

function cellOf(value, side) {
  return Math.max(0, Math.min(side - 1, Math.floor(((value + 1) / 2) * side)));
}

/** The visible point nearest to (x, y) within `reach`, or -1. `shown(i)` says what counts. */
export function nearest(points, grid, x, y, reach, shown) {
  const { side, starts, items } = grid;
  const low = [cellOf(x - reach, side), cellOf(y - reach, side)];
  const high = [cellOf(x + reach, side), cellOf(y + reach, side)];
  let best = -1;
  let least = reach * reach;
  for (let row = low[1]; row <= high[1]; row++) {
    const last = starts[row * side + high[0] + 1];
    for (let at = starts[row * side + low[0]]; at < last; at++) {
      const i = items[at];
      const dx = points[2 * i] - x;
      const dy = points[2 * i + 1] - y;
      const distance = dx * dx + dy * dy;
      // Of equal ones the first row, so that the answer does not depend on the grid.
      if (distance < least || (distance === least && i < best)) {
        if (shown(i)) {
          least = distance;
          best = i;
        }
      }
    }
  }
  return best;
}

/** Points inside the box, as a Uint8Array of 0 and 1; edges count as inside. */
export function inBox(points, grid, box, shown) {
  const found = new Uint8Array(points.length / 2);
  visit(grid, box, (i) => {
    const x = points[2 * i];
    const y = points[2 * i + 1];
    if (x >= box.left && x <= box.right && y >= box.bottom && y <= box.top && shown(i)) found[i] = 1;
  });
  return found;
}

/** Points inside the polygon `[[x, y], ...]` by the even-odd rule (PNPOLY, Franklin 1994), as a
 * Uint8Array of 0 and 1. A grid row looks only at the edges that reach into it. */
export function inPolygon(points, grid, polygon, shown) {
  const found = new Uint8Array(points.length / 2);
  const { side, starts, items } = grid;
  const box = boxOf(polygon);
  const first = cellOf(box.bottom, side);
  const last = cellOf(box.top, side);
  const left = cellOf(box.left, side);
  const right = cellOf(box.right, side);
  for (let row = first; row <= last; row++) {
    // The outermost cells also hold what lies beyond the grid.
    const bottom = row === 0 ? -Infinity : (2 * row) / side - 1 - 1e-6;
    const top = row === side - 1 ? Infinity : (2 * (row + 1)) / side - 1 + 1e-6;
    const edges = edgesBetween(polygon, bottom, top);
    const end = starts[row * side + right + 1];
    for (let at = starts[row * side + left]; at < end; at++) {
      const i = items[at];
      if (isInside(points[2 * i], points[2 * i + 1], edges) && shown(i)) found[i] = 1;
    }
  }
  return found;
}

function edgesBetween(polygon, bottom, top) {
  const edges = [];
  for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
    const [ax, ay] = polygon[a];
    const [bx, by] = polygon[b];
    if (Math.max(ay, by) >= bottom && Math.min(ay, by) <= top) edges.push(ax, ay, bx, by);
  }
  return Float64Array.from(edges);
}

function isInside(x, y, edges) {
  let inside = false;
  for (let e = 0; e < edges.length; e += 4) {
    const ay = edges[e + 1];
    const by = edges[e + 3];
    if (ay > y !== by > y && x < ((edges[e + 2] - edges[e]) * (y - ay)) / (by - ay) + edges[e]) {
      inside = !inside;
    }
  }
  return inside;
}

function visit(grid, box, look) {
  const { side, starts, items } = grid;
  const left = cellOf(box.left, side);
  const right = cellOf(box.right, side);
  for (let row = cellOf(box.bottom, side); row <= cellOf(box.top, side); row++) {
    const end = starts[row * side + right + 1];
    for (let at = starts[row * side + left]; at < end; at++) if (look(items[at]) === STOP) return;
  }
}

/** The least box around a polygon. */
export function boxOf(polygon) {
  const xs = polygon.map((corner) => corner[0]);
  const ys = polygon.map((corner) => corner[1]);
  return {
    left: Math.min(...xs), right: Math.max(...xs), bottom: Math.min(...ys), top: Math.max(...ys),
  };
}

/** The least box around the points whose flag is 1; null when there is none. */
export function boxOfFlags(points, flags) {
  const box = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  for (let i = 0; i < flags.length; i++) {
    if (!flags[i]) continue;
    const x = points[2 * i];
    const y = points[2 * i + 1];
    if (x < box.left) box.left = x;
    if (x > box.right) box.right = x;
    if (y < box.bottom) box.bottom = y;
    if (y > box.top) box.top = y;
  }
  return box.left <= box.right ? box : null;
}

/** The indices inside a box, at most `most` of them, in grid order. */
export function someInBox(points, grid, box, most, shown) {
  const found = [];
  visit(grid, box, (i) => {
    const x = points[2 * i];
    const y = points[2 * i + 1];
    if (x >= box.left && x <= box.right && y >= box.bottom && y <= box.top && shown(i)) found.push(i);
    return found.length >= most ? STOP : 0;
  });
  return found;
}

/** What a new selection makes of the one before: replace, add or subtract. */
export function combine(before, found, how) {
  const result = new Uint8Array(found.length);
  for (let i = 0; i < found.length; i++) {
    const had = before ? before[i] : 0;
    result[i] = how === "add" ? had | found[i] : how === "subtract" ? had & ~found[i] & 1 : found[i];
  }
  return result;
}

/** How many are 1. */
export function count(flags) {
  let total = 0;
  for (let i = 0; i < flags.length; i++) total += flags[i];
  return total;
}

/** Flags as bits, eight a byte, the first the highest (as numpy.packbits), in base64. */
export function packBits(flags) {
  const bytes = new Uint8Array(Math.ceil(flags.length / 8));
  for (let i = 0; i < flags.length; i++) if (flags[i]) bytes[i >> 3] |= 128 >> (i & 7);
  const parts = [];
  // fromCharCode takes its bytes as arguments, and those are limited.
  for (let at = 0; at < bytes.length; at += 32768) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  }
  return btoa(parts.join(""));
}

/** The n flags in bytes of eight bits, the first the highest (as numpy.packbits). */
export function spreadBits(bytes, n) {
  const flags = new Uint8Array(n);
  for (let i = 0; i < n; i++) flags[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  return flags;
}

/** The n flags of `packBits`. */
export function unpackBits(text, n) {
  return spreadBits(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), n);
}

/** The order to draw in: grey first, then categories from the most to the least frequent, so that
 * no small one is hidden by a big one. `codes` are palette places, `grey` is the place of noise. */
export function drawOrder(codes, grey) {
  const counts = new Uint32Array(65536);
  for (let i = 0; i < codes.length; i++) counts[codes[i]]++;
  const used = [];
  for (let code = 0; code < counts.length; code++) if (counts[code]) used.push(code);
  used.sort((a, b) => (b === grey) - (a === grey) || counts[b] - counts[a] || a - b);
  const next = new Uint32Array(65536);
  let at = 0;
  for (const code of used) {
    next[code] = at;
    at += counts[code];
  }
  const order = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) order[next[codes[i]]++] = i;
  return order;
}
