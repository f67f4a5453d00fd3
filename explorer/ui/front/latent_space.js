// The codes of rows, and ways between them. A code is an array of the latent numbers.

const PAIRS = 2000;

export class Space {
  /** n rows (Uint32Array, ascending) with their codes (Float32Array, n x d). */
  constructor({ rows, codes, d }) {
    Object.assign(this, { rows, codes, d, n: rows.length });
  }

  /** The code at a place. */
  at(place) {
    return Array.from(this.codes.subarray(place * this.d, (place + 1) * this.d));
  }

  /** The place of a dataset row; -1 where its code is not here. */
  placeOf(row) {
    let [low, high] = [0, this.n];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle] < row) low = middle + 1;
      else high = middle;
    }
    return low < this.n && this.rows[low] === row ? low : -1;
  }

  /** The row nearest to a code by straight distance: {row, place, distance}. */
  nearest(code) {
    const { codes, d, n } = this;
    let [best, least] = [-1, Infinity];
    for (let place = 0, at = 0; place < n; place++, at += d) {
      let sum = 0;
      for (let i = 0; i < d && sum < least; i++) sum += (codes[at + i] - code[i]) ** 2;
      if (sum < least) [best, least] = [place, sum];
    }
    return { row: this.rows[best], place: best, distance: Math.sqrt(least) };
  }

  /** The share of pairs of rows that are nearer to each other than this: of 2,000 pairs, always the
   * same ones. */
  shareNearer(length) {
    if (!this.pairs) {
      let seed = 1;
      const draw = () => (seed = (seed * 48271) % 2147483647) % this.n;
      this.pairs = Float64Array.from({ length: this.n > 1 ? PAIRS : 0 }, () => {
        const one = draw();
        let other = draw();
        while (other === one) other = draw();
        return distance(this.at(one), this.at(other));
      }).sort();
    }
    return this.pairs.filter((pair) => pair < length).length / (this.pairs.length || 1);
  }
}

export function distance(a, b) {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0));
}

/** The code at `share` (0 to 1) of the straight way from a to b. */
export function straight(a, b, share) {
  return a.map((value, i) => value + share * (b[i] - value));
}

/** The code at `share` of the way from a to b along a great circle, its length going evenly from
 * the one's to the other's: codes of many numbers drawn from a normal distribution all lie far from
 * the middle, and the straight way leaves where they lie (T. White, Sampling Generative Networks,
 * 2016). Straight where there is no one circle. */
export function spherical(a, b, share) {
  const [long, other] = [length(a), length(b)];
  if (!long || !other) return straight(a, b, share);
  const cosine = a.reduce((sum, value, i) => sum + value * b[i], 0) / long / other;
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  if (sine < 1e-6) return straight(a, b, share);
  const [from, to] = [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  const reach = long + share * (other - long);
  return a.map((value, i) => reach * (from * value / long + to * b[i] / other));
}

function length(code) {
  return Math.sqrt(code.reduce((sum, value) => sum + value * value, 0));
}

/** `count` numbers from low to high, evenly. */
export function steps(low, high, count) {
  return Array.from({ length: count },
    (_, i) => count === 1 ? (low + high) / 2 : low + (high - low) * i / (count - 1));
}

/** The middles of `count` equal shares of the standard normal distribution, rising. */
export function gaussianSteps(count) {
  return Array.from({ length: count }, (_, i) => quantile((i + 0.5) / count));
}

/** Acklam's rational approximation; its relative error is below 1.2e-9. */
function quantile(p) {
  const a = [-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
    1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00];
  const b = [-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
    6.680131188771972e+01, -1.328068155288572e+01, 1];
  const c = [-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
    -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00];
  const e = [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
    3.754408661907416e+00, 1];
  const sum = (parts, x) => parts.reduce((so, part) => so * x + part);
  if (p > 0.5) return -quantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return sum(c, q) / sum(e, q);
  }
  const q = p - 0.5;
  return sum(a, q * q) * q / sum(b, q * q);
}

/** A latent number as text, short. */
export function said(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}
