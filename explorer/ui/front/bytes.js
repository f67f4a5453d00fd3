// What is behind the server's addresses. An address names its content for ever, so the browser's own
// cache answers for what was let go here.

const stored = new Map();
const KEPT = 48 * 2 ** 20;
const PAUSES = [300, 1000, 3000, 6000];

/** Bytes, asked for once while they are on the way or lately used. `lost()` tells the server that it
 * does not have them any more; then they are asked for again. */
export function fetchBytes(url, lost = () => {}) {
  let entry = stored.get(url);
  if (!entry) {
    entry = { size: 0, asked: ask(url, lost) };
    entry.asked.then((bytes) => {
      entry.size = bytes.byteLength;
      let held = 0;
      for (const one of stored.values()) held += one.size;
      for (const [address, one] of stored) {
        if (held <= KEPT) break;
        if (one === entry) continue;
        held -= one.size;
        stored.delete(address);
      }
    }, () => stored.delete(url));
  }
  stored.delete(url);  // the last used stands last
  stored.set(url, entry);
  return entry.asked;
}

async function ask(url, lost) {
  for (const pause of PAUSES) {
    const answer = await fetch(url);
    if (answer.ok) return answer.arrayBuffer();
    if (answer.status !== 404) throw new Error(`the server answered ${answer.status}`);
    if (pause === PAUSES[0]) lost();
    await new Promise((go) => setTimeout(go, pause));
  }
  throw new Error("the server does not have them any more");
}
