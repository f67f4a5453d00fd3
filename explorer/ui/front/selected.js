// The selection as the server tells it, which may be older than the one on this page.

import { isConfirmed, isStale } from "./links.js";
import { count, spreadBits, unpackBits } from "./pick.js";

/** Whether the server tells of a selection that the view does not show yet. */
export function isNew(view, chosen) {
  if (isStale(chosen)) return false;
  if (isConfirmed(chosen) && view.chosenKey === "own") return false;
  return (chosen?.key ?? "") !== view.chosenKey;
}

/** Show the server's selection, unless this page has made a newer one since. `bytes` are what was
 * behind its address, where it has one. */
export function takeChosen(view, chosen, bytes) {
  if (!isNew(view, chosen)) return;
  if (chosen?.url && !bytes) return;  // chosen here while the bytes were on their way
  view.chosenKey = chosen?.key ?? "";
  view.chosen = !chosen ? null : bytes ? spreadBits(new Uint8Array(bytes), view.n)
    : unpackBits(chosen.bits, view.n);
  if (view.chosen && !count(view.chosen)) view.chosen = null;
}
