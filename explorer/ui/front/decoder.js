// A trained decoder, computed here: what `explorer.train.layers.pack` wrote, and the arithmetic of
// its layers. Numbers are kept in double precision: faster here, and nearer to the exact value.

/** A decoder from the bytes of `decoder_content`: `latent` numbers go in; `shape` is of one row that
 * comes out, (d,) or (channels, height, width); `names` of its d numbers, `low` and `high` their
 * ends among the rows (not of images); `half` says whether the weights were rounded on their way. */
export class Decoder {
  constructor(bytes) {
    const length = new DataView(bytes).getUint32(0, true);
    const told = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    Object.assign(this, told);
    const arrays = new Map();
    let at = 4 + length;
    for (const { name, shape } of told.arrays) {
      const count = shape.reduce((product, side) => product * side, 1);
      arrays.set(name, { shape, values: told.half ? fromHalf(new Uint16Array(bytes, at, count))
        : Float64Array.from(new Float32Array(bytes, at, count)) });
      at += count * (told.half ? 2 : 4);
    }
    this.steps = told.layers.map((layer) => ({ ...layer,
      weight: arrays.get(layer.weight), bias: arrays.get(layer.bias)?.values ?? null }));
    const first = this.steps.find((step) => step.kind === "linear");
    this.latent = told.latent ?? first.weight.shape[1];
    const inUnits = (ends) => ends?.map((end, i) => told.unit ? told.middle[i] + told.unit[i] * end
      : end);
    this.low = inUnits(told.low);
    this.high = inUnits(told.high);
  }

  /** What the network makes of one code, in its own scale: Float64Array, channels before pixels. */
  raw(code) {
    return decode(this.steps, code);
  }

  /** The same in the units of the rows: pixels from 0 to 1, or the columns' numbers. */
  decode(code) {
    const made = this.raw(code);
    const { center, spread, unit, middle } = this;
    const image = this.shape.length === 3;
    const each = made.length / center.length;  // of images one number for each channel
    for (let i = 0; i < made.length; i++) {
      const part = Math.floor(i / each);
      made[i] = made[i] * (spread.length > 1 ? spread[part] : spread[0]) + center[part];
      if (image) made[i] = Math.min(1, Math.max(0, made[i]));
      else if (unit) made[i] = made[i] * unit[i] + middle[i];
    }
    return made;
  }
}

/** One code (numbers) through the layers (as in `Decoder.steps`). */
export function decode(steps, code) {
  let now = { values: Float64Array.from(code), channels: 1, height: 1, width: code.length };
  for (const step of steps) {
    const made = STEPS[step.kind];
    if (!made) throw new Error(`a layer of the kind ${step.name ?? step.kind} is not known here`);
    now = made(now, step);
  }
  return now.values;
}

const line = (values) => ({ values, channels: 1, height: 1, width: values.length });
const each = (work) => (now) => {
  const { values } = now;
  for (let i = 0; i < values.length; i++) values[i] = work(values[i]);
  return now;
};

const STEPS = {
  linear: (now, step) => line(linear(now.values, step)),
  convolution: convolve,
  group_norm: groupNorm,
  layer_norm: layerNorm,
  upsample,
  unflatten: ({ values }, { size: [channels, height, width] }) => ({ values, channels, height,
    width }),
  flatten: ({ values }) => line(values),
  gelu: each((x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2))),
  relu: each((x) => Math.max(0, x)),
  silu: each((x) => x / (1 + Math.exp(-x))),
  tanh: each(Math.tanh),
  sigmoid: each((x) => 1 / (1 + Math.exp(-x))),
};

function linear(values, { weight: { shape: [outside, inside], values: weight }, bias }) {
  if (values.length !== inside) throw new Error(`${inside} numbers go in, not ${values.length}`);
  const made = new Float64Array(outside);
  for (let o = 0, at = 0; o < outside; o++) {
    let sum = bias ? bias[o] : 0;
    for (let i = 0; i < inside; i++) sum += weight[at++] * values[i];
    made[o] = sum;
  }
  return made;
}

/** Step 1, the size stays. The planes get a frame of zeros first, so that no edge is a case. */
function convolve({ values, channels, height, width }, { weight, bias }) {
  const [outside, , high, wide] = weight.shape;
  const [above, left] = [high >> 1, wide >> 1];
  const across = width + 2 * left;
  const plane = across * (height + 2 * above);
  const framed = new Float64Array(channels * plane);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const from = (c * height + y) * width;
      framed.set(values.subarray(from, from + width), c * plane + (y + above) * across + left);
    }
  }
  const made = new Float64Array(outside * height * width);
  const add = high === 3 && wide === 3 ? addThree : addAny;
  for (let o = 0; o < outside; o++) {
    const sums = made.subarray(o * height * width, (o + 1) * height * width);
    if (bias) sums.fill(bias[o]);
    for (let c = 0; c < channels; c++) {
      add(sums, framed, c * plane, across, height, width, weight.values,
        (o * channels + c) * high * wide, high, wide);
    }
  }
  return { values: made, channels: outside, height, width };
}

function addThree(sums, framed, start, across, height, width, weight, at) {
  const w0 = weight[at], w1 = weight[at + 1], w2 = weight[at + 2];
  const w3 = weight[at + 3], w4 = weight[at + 4], w5 = weight[at + 5];
  const w6 = weight[at + 6], w7 = weight[at + 7], w8 = weight[at + 8];
  for (let y = 0, to = 0; y < height; y++) {
    let a = start + y * across, b = a + across, c = b + across;
    for (let x = 0; x < width; x++, a++, b++, c++) {
      sums[to++] += w0 * framed[a] + w1 * framed[a + 1] + w2 * framed[a + 2]
        + w3 * framed[b] + w4 * framed[b + 1] + w5 * framed[b + 2]
        + w6 * framed[c] + w7 * framed[c + 1] + w8 * framed[c + 2];
    }
  }
}

function addAny(sums, framed, start, across, height, width, weight, at, high, wide) {
  for (let row = 0; row < high; row++) {
    for (let column = 0; column < wide; column++) {
      const one = weight[at++];
      for (let y = 0, to = 0; y < height; y++) {
        let from = start + (y + row) * across + column;
        for (let x = 0; x < width; x++) sums[to++] += one * framed[from++];
      }
    }
  }
}

function groupNorm(now, { groups, eps, weight, bias }) {
  const { values, channels, height, width } = now;
  const [pixels, inGroup] = [height * width, channels / groups];
  for (let group = 0; group < groups; group++) {
    const part = values.subarray(group * inGroup * pixels, (group + 1) * inGroup * pixels);
    const { mean, wide } = moments(part, eps);
    for (let i = 0; i < part.length; i++) {
      const channel = group * inGroup + Math.floor(i / pixels);
      part[i] = (part[i] - mean) / wide * weight.values[channel] + bias[channel];
    }
  }
  return now;
}

function layerNorm(now, { eps, weight, bias }) {
  const { mean, wide } = moments(now.values, eps);
  for (let i = 0; i < now.values.length; i++) {
    now.values[i] = (now.values[i] - mean) / wide * weight.values[i] + bias[i];
  }
  return now;
}

function moments(values, eps) {
  let [mean, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) mean += values[i] / values.length;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return { mean, wide: Math.sqrt(squares / values.length + eps) };
}

function upsample({ values, channels, height, width }, { size: [high, wide] }) {
  const made = new Float64Array(channels * high * wide);
  for (let c = 0, to = 0; c < channels; c++) {
    for (let y = 0; y < high; y++) {
      const from = (c * height + Math.floor(y * height / high)) * width;
      for (let x = 0; x < wide; x++) made[to++] = values[from + Math.floor(x * width / wide)];
    }
  }
  return { values: made, channels, height: high, width: wide };
}

/** Abramowitz and Stegun 7.1.26: at most 1.5e-7 from the truth. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741
    + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x);
  return x < 0 ? tail - 1 : 1 - tail;
}

/** Half precision (IEEE 754 binary16) to doubles. */
function fromHalf(halves) {
  const made = new Float64Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const [power, rest] = [(half >> 10) & 31, half & 1023];
    const size = power ? (1 + rest / 1024) * 2 ** (power - 15) : rest / 1024 * 2 ** -14;
    made[i] = half & 32768 ? -size : size;
  }
  return made;
}
