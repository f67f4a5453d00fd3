// Where the tiles of a gallery lie: lines of equal tiles, under a heading where there are groups.
// Only arithmetic: no element knows of a million others.

export const GAP = 8;
export const HEADING = 30;
const CAPTION = 34;
const CAPTION_OF_ONE_LINE = 19;
const SMALLEST_WITH_CAPTION = 72;

/** The size of one tile (CSS pixels). `side` is what the person chose, `width` the room there is;
 * cards of text (`words`) are widened so that a line is full. `grouped`: the caption does not name
 * the cluster, and has one line. */
export function tileSize(side, width, words, grouped) {
  const wanted = words ? Math.round(side * 2.7) : side;
  const columns = Math.max(1, Math.floor((width + GAP) / (wanted + GAP)));
  const lines = grouped ? CAPTION_OF_ONE_LINE : CAPTION;
  const caption = words || side >= SMALLEST_WITH_CAPTION ? lines : 0;
  const wide = words ? Math.floor((width + GAP) / columns) - GAP : Math.min(wanted, width);
  const face = words ? Math.round(side * 1.05) : side;
  return { columns, wide, high: face + caption, caption: caption > 0 };
}

export class Layout {
  /** `groups` are {start, end} in the order shown, or empty: then all n lie together. */
  constructor(n, groups, size) {
    this.n = n;
    this.size = size;
    this.sections = [];
    const line = size.high + GAP;
    let top = 0;
    for (const group of groups.length ? groups : [{ start: 0, end: n }]) {
      const heading = groups.length ? HEADING : 0;
      const lines = Math.ceil((group.end - group.start) / size.columns);
      this.sections.push({ group, top, heading, first: top + heading, start: group.start,
        end: group.end, lines });
      top += heading + lines * line;
    }
    this.line = line;
    this.height = top;
  }

  /** The section at that height (the last that begins at or above it). */
  sectionAt(y) {
    return this.find((section) => section.top <= y);
  }

  sectionOf(position) {
    return this.find((section) => section.start <= position);
  }

  /** The last section for which `holds`, by halving. */
  find(holds) {
    let [low, high] = [0, this.sections.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (holds(this.sections[middle])) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** What can be seen between two heights: the positions [first, last) of each section in sight. */
  between(from, to) {
    const seen = [];
    for (let at = this.sectionAt(from); at < this.sections.length; at++) {
      const section = this.sections[at];
      if (section.top > to) break;
      const { columns } = this.size;
      const above = Math.max(0, Math.floor((from - section.first) / this.line));
      const below = Math.max(0, Math.ceil((to - section.first) / this.line));
      const first = Math.min(section.end, section.start + above * columns);
      const last = Math.min(section.end, section.start + below * columns);
      seen.push({ section, first, last });
    }
    return seen;
  }

  /** The upper left corner of the tile at that position. */
  placeOf(position) {
    const section = this.sections[this.sectionOf(position)];
    const at = position - section.start;
    return {
      x: (at % this.size.columns) * (this.size.wide + GAP),
      y: section.first + Math.floor(at / this.size.columns) * this.line,
    };
  }

  /** The position so many lines below (above, when negative), in the same column where there is
   * one. */
  lineFrom(position, lines) {
    const { columns } = this.size;
    let at = this.sectionOf(position);
    let section = this.sections[at];
    const column = (position - section.start) % columns;
    let line = Math.floor((position - section.start) / columns) + lines;
    while (line < 0 && at > 0) {
      section = this.sections[--at];
      line += section.lines;
    }
    while (line >= section.lines && at < this.sections.length - 1) {
      line -= section.lines;
      section = this.sections[++at];
    }
    line = Math.max(0, Math.min(section.lines - 1, line));
    return Math.min(section.end - 1, section.start + line * columns + column);
  }
}
