// The legend of numbers: the scale's colours under the histogram of the values, to brush over.

import { how } from "./choosing.js";
import { element } from "./element.js";

const BINS = 48;
const HIGH = 48;
const STEP = 4;

/** Drawn into `place`; brushing calls `legend.choose(low, high, how)` with codes, inclusive. */
export function drawScale(place, legend) {
  const { colors, counts, totals, passing } = legend;
  const { levels } = colors;
  const frame = element("div", "frame");
  const brush = element("div", "brush");
  brush.hidden = true;
  frame.append(histogram(colors, counts), brush);
  frame.tabIndex = 0;
  frame.setAttribute("role", "slider");
  frame.setAttribute("aria-label", `${colors.title}: the arrow keys move a range over the scale, `
    + "Shift + arrow widens it, Enter selects its rows");
  frame.title = "Drag over the scale to select rows (keys: arrows, Shift + arrows, Enter)";
  const ends = element("div", "ends");
  ends.append(element("span", "", colors.low), element("span", "", colors.high));
  const scale = element("div", "numbers");
  scale.append(frame, ends);
  if (colors.missing) {
    const [count, total] = [counts[levels], totals[levels]].map((value) =>
      value.toLocaleString("en"));
    scale.append(element("div", "note", `${passing ? `${count} of ${total}` : total} ${colors.missing}`));
  }
  place.append(scale);
  listen(frame, brush, legend);
}

function histogram({ palette, levels, title }, counts) {
  const canvas = element("canvas", "scale");
  canvas.width = 4 * BINS;
  canvas.height = 2 * (HIGH + 12);
  canvas.setAttribute("aria-label", `Histogram of ${title}`);
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  const bins = new Float64Array(BINS);
  for (let code = 0; code < levels; code++) {
    bins[Math.floor((code * BINS) / levels)] += counts[code];
  }
  const most = Math.max(1, ...bins);
  for (let bin = 0; bin < BINS; bin++) {
    pen.fillStyle = palette[Math.floor(((bin + 0.5) * levels) / BINS)];
    pen.fillRect(2 * bin, HIGH + 2, 2, 10);
    // By the root, so that rare values are seen at all.
    const tall = bins[bin] ? Math.max(1.5, (HIGH - 2) * Math.sqrt(bins[bin] / most)) : 0;
    pen.fillRect(2 * bin, HIGH - tall, 2, tall);
  }
  return canvas;
}

function listen(frame, brush, legend) {
  const { levels } = legend.colors;
  let from = null;
  let range = [0, levels - 1];
  const codeAt = (event) => {
    const box = frame.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    return Math.max(0, Math.min(levels - 1, Math.floor(share * levels)));
  };
  const mark = (a, b) => {
    range = [Math.min(a, b), Math.max(a, b)];
    brush.hidden = false;
    brush.style.left = `${(100 * range[0]) / levels}%`;
    brush.style.width = `${(100 * (range[1] - range[0] + 1)) / levels}%`;
  };
  frame.addEventListener("pointerdown", (event) => {
    from = codeAt(event);
    frame.setPointerCapture(event.pointerId);
    mark(from, from);
  });
  frame.addEventListener("pointermove", (event) => from !== null && mark(from, codeAt(event)));
  frame.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const still = from === codeAt(event);
    from = null;
    brush.hidden = still;
    if (!still) legend.choose(...range, how(event));
  });
  frame.addEventListener("pointercancel", () => {
    from = null;
    brush.hidden = true;
  });
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (step) {
      const bounded = (code) => Math.max(0, Math.min(levels - 1, code));
      const [low, high] = brush.hidden ? [0, Math.floor(levels / 8)] : range;
      const wide = high - low;
      if (event.shiftKey) mark(low, Math.max(low, bounded(high + step)));
      else {
        const start = Math.max(0, Math.min(levels - 1 - wide, low + (brush.hidden ? 0 : step)));
        mark(start, start + wide);
      }
    } else if (event.key === "Enter" && !brush.hidden) legend.choose(...range, "replace");
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
