// A decoded row as a picture: an image as its pixels, numbers as bars.

/** Paint decoded pixels (channels x height x width, 0 to 1) into a canvas, one pixel each: CSS
 * makes it larger (`image-rendering: pixelated`). */
export function paintImage(canvas, values, [channels, height, width]) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext("2d").putImageData(pixelsOf(values, [channels, height, width]), 0, 0);
}

/** The same as ImageData. */
export function pixelsOf(values, [channels, height, width]) {
  const pixels = new ImageData(width, height);
  const plane = width * height;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      pixels.data[4 * i + c] = Math.round(255 * values[(channels === 3 ? c : 0) * plane + i]);
    }
    pixels.data[4 * i + 3] = 255;
  }
  return pixels;
}

/** Paint numbers as bars from the middle of each number's range (`low` to `high`, arrays): up is
 * more. Fills the canvas at its own size. */
export function paintBars(canvas, values, low, high, { color, faint }) {
  const { width, height } = canvas;
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = faint;
  pen.fillRect(0, Math.floor(height / 2), width, 1);
  pen.fillStyle = color;
  const step = width / values.length;
  for (let i = 0; i < values.length; i++) {
    const share = (values[i] - low[i]) / (high[i] - low[i] || 1);
    const y = height * (1 - Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0.5)));
    const top = Math.min(y, height / 2);
    pen.fillRect(i * step, top, Math.max(1, step - (step > 4 ? 1 : 0)),
      Math.max(1, Math.abs(y - height / 2)));
  }
}
