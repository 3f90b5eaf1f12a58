// Lines, discs and bars. They are drawn larger and then shrunk, which smooths them.

import { Canvas } from '../dist/node/drawing/canvas.js';
import { shrinkPicture } from '../dist/node/drawing/pixels.js';

/** How many times larger they are drawn. */
const OVER = 4;

/** A white plot. All coordinates are in pixels of the finished picture. */
export class Plot {
  #large;
  #size;

  constructor(width, height) {
    this.#size = { width, height };
    this.#large = new Canvas(width * OVER, height * OVER).picture;
  }

  get picture() {
    return shrinkPicture(this.#large, this.#size);
  }

  /** A filled disc. */
  disc(x, y, radius, color) {
    const { data, width, height } = this.#large;
    const [cx, cy, r] = [x * OVER, y * OVER, radius * OVER];
    for (let py = Math.max(0, Math.ceil(cy - r)); py <= Math.min(height - 1, cy + r); py++) {
      for (let px = Math.max(0, Math.ceil(cx - r)); px <= Math.min(width - 1, cx + r); px++) {
        if ((px - cx) ** 2 + (py - cy) ** 2 <= r * r) data.set(color, 4 * (py * width + px));
      }
    }
  }

  /** A filled rectangle between two corners. */
  bar(left, top, right, bottom, color) {
    const { data, width } = this.#large;
    for (let y = Math.round(top * OVER); y < Math.round(bottom * OVER); y++) {
      for (let x = Math.round(left * OVER); x < Math.round(right * OVER); x++) {
        data.set(color, 4 * (y * width + x));
      }
    }
  }

  line(x0, y0, x1, y1, color, radius = 0.5) {
    const steps = 4 * Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
    for (let i = 0; i <= steps; i++) {
      const s = steps > 0 ? i / steps : 0;
      this.disc(x0 + s * (x1 - x0), y0 + s * (y1 - y0), radius, color);
    }
  }
}

/** Draws text, centred below (x, y). Each pixel keeps the darker of text and background. */
export function stamp({ data, width }, text, x, y) {
  const left = Math.round(x - text.width / 2);
  for (let i = 0; i < text.data.length; i++) {
    const pixel = i >> 2;
    const row = Math.round(y) + Math.floor(pixel / text.width);
    const to = 4 * (row * width + left + (pixel % text.width)) + (i % 4);
    data[to] = Math.min(data[to], text.data[i]);
  }
}
