// Decodes beside the page, so that sliders move while a grid is filled.

import { Decoder } from "./decoder.js";

let decoder = null;

self.onmessage = ({ data: { bytes, ask, codes } }) => {
  if (bytes) decoder = new Decoder(bytes);
  else self.postMessage({ ask, rows: codes.map((code) => decoder.decode(code)) });
};
