// Lines of equal density of the shown points.

const GRID = 128;
const LEVELS = [0.08, 0.2, 0.4, 0.65];

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
