// Decoding while somebody moves something: of what is asked under one name only the newest counts.

import { fetchBytes } from "./bytes.js";
import { Decoder } from "./decoder.js";

const TURN = 30;
const MOST = 64;

/** The decoder behind an address, beside the page. `lost()` as in `fetchBytes`. */
export async function openDecoder(url, lost) {
  return new LiveDecoder(await fetchBytes(url, lost));
}

/** `latent`, `shape`, `names`, `low`, `high` and `half` as in `Decoder`. */
export class LiveDecoder {
  constructor(bytes) {
    this.own = new Decoder(bytes);
    Object.assign(this, { latent: this.own.latent, shape: this.own.shape, names: this.own.names,
      low: this.own.low, high: this.own.high, half: this.own.half });
    this.waiting = new Map();
    this.asks = 0;
    this.busy = null;
    this.atOnce = 4;
    try {
      this.worker = new Worker(new URL("./decoder_worker.js", import.meta.url), { type: "module" });
      this.worker.onmessage = ({ data }) => this.take(data);
      this.worker.onerror = (error) => this.doWithout(error);
      this.worker.postMessage({ bytes });
    } catch (error) {
      this.doWithout(error);
    }
  }

  /** One code (numbers) decoded at once, in the page itself. */
  now(code) {
    return this.own.decode(code);
  }

  /** The rows of these codes, some at a time: `each(row, place)`, then `done()`. What was asked
   * under the same name before and is not done is dropped. Names asked first go first, but 'one'
   * goes before all. */
  ask(name, codes, each, done = () => {}) {
    this.waiting.set(name, { codes, each, done, at: 0 });
    this.next();
  }

  drop(name) {
    this.waiting.delete(name);
  }

  end() {
    this.waiting.clear();
    this.worker?.terminate();
  }

  next() {
    if (this.busy || !this.waiting.size) return;
    const name = this.waiting.has("one") ? "one" : this.waiting.keys().next().value;
    const wanted = this.waiting.get(name);
    const codes = wanted.codes.slice(wanted.at, wanted.at + this.atOnce);
    this.busy = { name, wanted, ask: ++this.asks, codes, asked: performance.now() };
    if (this.worker) this.worker.postMessage({ ask: this.asks, codes });
    else this.here();
  }

  take({ ask, rows }) {
    if (ask !== this.busy?.ask) return;
    const { name, wanted, asked } = this.busy;
    this.busy = null;
    // So many at a time that whatever is moved meanwhile need not wait for longer than a turn.
    const each = Math.max(0.05, performance.now() - asked) / rows.length;
    this.atOnce = Math.min(MOST, 2 * this.atOnce, Math.max(1, Math.round(TURN / each)));
    if (this.waiting.get(name) === wanted) {
      rows.forEach((row, i) => wanted.each(row, wanted.at + i));
      wanted.at += rows.length;
      if (wanted.at >= wanted.codes.length) {
        this.waiting.delete(name);
        wanted.done();
      }
    }
    this.next();
  }

  /** A browser without module workers decodes in the page, a few rows between two frames. */
  doWithout(error) {
    console.warn("decoding in the page itself:", error.message ?? error);
    this.worker = null;
    if (this.busy) this.here();
  }

  here() {
    const { ask, codes } = this.busy;
    setTimeout(() => this.take({ ask, rows: codes.map((code) => this.own.decode(code)) }));
  }
}
