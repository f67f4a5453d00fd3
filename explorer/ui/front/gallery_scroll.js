// Scrolling over more pixels than a browser gives an element. The room is then lower than the
// gallery: dragging the bar moves through all of it, the wheel moves by its own pixels.

export const MOST = 8_000_000;

export class Scroller {
  constructor(shelf, room, moved) {
    this.shelf = shelf;
    this.room = room;
    this.height = 0;
    this.offset = 0;
    this.expected = 0;
    shelf.addEventListener("scroll", () => {
      if (Math.abs(shelf.scrollTop - this.expected) > 1) this.offset = shelf.scrollTop * this.ratio;
      this.expected = shelf.scrollTop;
      moved();
    });
    shelf.addEventListener("wheel", (event) => {
      if (this.ratio === 1 || event.ctrlKey) return;
      event.preventDefault();
      const unit = [1, 16, shelf.clientHeight][event.deltaMode];
      this.moveTo(this.offset + event.deltaY * unit);
    }, { passive: false });
    this.moved = moved;
  }

  /** Gallery pixels for a pixel of the scroll bar. */
  get ratio() {
    const seen = this.shelf.clientHeight;
    if (this.height <= MOST || this.height <= seen) return 1;
    return (this.height - seen) / (MOST - seen);
  }

  setHeight(height) {
    this.height = height;
    this.room.style.height = `${Math.max(1, Math.min(height, MOST))}px`;
    this.moveTo(this.offset);
  }

  moveTo(offset) {
    this.offset = Math.max(0, Math.min(this.height - this.shelf.clientHeight, offset));
    this.shelf.scrollTop = this.offset / this.ratio;
    this.expected = this.shelf.scrollTop;
    if (this.ratio === 1) this.offset = this.expected;
    this.moved();
  }

  /** Where a height of the gallery lies in the room now. */
  inRoom(y) {
    return this.ratio === 1 ? y : y - this.offset + this.shelf.scrollTop;
  }
}
