// Which categories the legend hides, and which it isolates.

import { DIMMED, HIDDEN } from "./draw.js";

export class Hiding {
  constructor() {
    this.hidden = new Set();
    this.alone = new Set();
  }

  set(hidden, alone) {
    this.hidden = new Set(hidden);
    this.alone = new Set(alone);
  }

  /** The state bits that the legend gives to a code. */
  stateOf(code) {
    if (this.hidden.has(code)) return HIDDEN;
    return this.alone.size && !this.alone.has(code) ? DIMMED : 0;
  }

  /** The same of all codes. */
  states() {
    const states = new Uint8Array(65536);
    if (!this.isPlain) for (let code = 0; code < 65536; code++) states[code] = this.stateOf(code);
    return states;
  }

  get isPlain() {
    return !this.hidden.size && !this.alone.size;
  }

  /** Only this one in colour; a second time, all again. `more`: beside those already isolated. A
   * hidden one comes back. */
  isolate(code, more) {
    if (this.hidden.delete(code)) return;
    const had = this.alone.has(code);
    if (more && had) this.alone.delete(code);
    else if (more) this.alone.add(code);
    else this.alone = new Set(had && this.alone.size === 1 ? [] : [code]);
  }

  hide(code) {
    this.alone.delete(code);
    this.hidden.add(code);
  }
}
