// How a view looks: theme of the page, size and opacity of points.

/** Whether the page is dark. */
export function isDark(root) {
  const color = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  const number = parseInt(color.slice(1, 7), 16);
  const [red, green, blue] = [number >> 16, (number >> 8) & 255, number & 255];
  return color.length >= 7 && 0.3 * red + 0.59 * green + 0.11 * blue < 128;
}

/** Size (CSS pixels) and opacity of points so that n of them, of which the zoom shows a part, are
 * seen singly where there is room and as a density where there is none. */
export function lookFor(n, viewport, factor) {
  const share = Math.min(1, 1 / (viewport.zoom * viewport.zoom));
  const room = (viewport.width * viewport.height) / Math.max(1, n * share);
  const size = Math.max(1.2, Math.min(11, 0.62 * Math.sqrt(room)));
  const opacity = Math.max(0.22, Math.min(0.9, 0.3 + room / 90));
  return { size: Math.max(1, size * factor), opacity };
}
