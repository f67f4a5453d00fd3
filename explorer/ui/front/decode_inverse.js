// From a point of the map to a code of the latent space. Pure functions.

/** The code of a point where the picture is a linear one of the latent space: `origin` (numbers) and
 * the code each step of an axis adds (`along`, one list for each axis). */
export function onPlane({ origin, along }, point) {
  return origin.map((start, at) => along.reduce((sum, axis, k) => sum + point[k] * axis[at], start));
}

/** The places of the `most` shown points nearest to (x, y) with their distances, nearest first,
 * ties by place. `points` are x0 y0 x1 y1 ... */
export function fewNearest(points, x, y, most, shown) {
  const found = [];
  for (let i = 0; i < points.length / 2; i++) {
    const dx = points[2 * i] - x;
    const dy = points[2 * i + 1] - y;
    const distance = dx * dx + dy * dy;
    if (found.length === most && distance >= found[most - 1].distance) continue;
    if (!shown(i)) continue;
    let at = found.length;
    while (at > 0 && found[at - 1].distance > distance) at--;
    found.splice(at, 0, { place: i, distance });
    if (found.length > most) found.pop();
  }
  for (const one of found) one.distance = Math.sqrt(one.distance);
  return found;
}

/** The mean of the codes of these points, weighted by 1 / distance (Shepard, ACM 1968); the plain
 * mean of those at no distance at all, where there are any. `codes` holds `latent` numbers for each
 * place. */
export function weighted(codes, latent, near) {
  const hit = near.filter((one) => one.distance === 0);
  const used = hit.length ? hit : near;
  const weights = used.map((one) => (hit.length ? 1 : 1 / one.distance));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from({ length: latent }, (_, at) => used.reduce(
    (sum, one, k) => sum + weights[k] * codes[latent * one.place + at], 0) / total);
}
