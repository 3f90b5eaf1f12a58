// Draws docs/images/gamma-reference.png: P(k, y/θ), thin, against its series cut after 8 terms, thick, and prints the
// table of docs/normalizers.md. The build must be there: `npm run build && node scripts/gamma-reference-plot.mjs`.

import { statSync, writeFileSync } from 'node:fs';
import { Jimp, PNGColorType } from 'jimp';
import { gammaP } from '../dist/kernels/index.js';
import { Canvas, Lettering } from '../dist/node/canvas.js';
import { shrinkPicture } from '../dist/node/resample.js';
import { gammaReference } from '../dist/viz/gamma-reference.js';
import { colorAt } from '../dist/viz/index.js';

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 48;
const RIGHT = 620;
const TOP = 20;
const BOTTOM = 310;
const T_MAX = 40;
/** Curves are drawn this many times as large, then shrunk: that smooths them. */
const OVER = 4;
const LIMIT_BYTES = 30_000;
/** Levels a channel is rounded to: a smooth edge needs no more, and the file is half as large. */
const LEVELS = 8;
const SHAPES = [0.5, 1, 2, 5, 10, 18];
const DRAWN = [0.5, 2, 5, 10, 18];

const toX = (t) => LEFT + (t / T_MAX) * (RIGHT - LEFT);
const toY = (p) => BOTTOM - p * (BOTTOM - TOP);

printTable();
const size = await write(await plot());
console.log(
  `docs/images/gamma-reference.png: ${WIDTH} × ${HEIGHT}, ${(size / 1000).toFixed(1)} KB`,
);
if (size > LIMIT_BYTES) throw new Error(`${size} bytes, at most ${LIMIT_BYTES}`);

/** Where the truncated series turns, by golden section, and what it and P are there. */
function turnOf(k) {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [0, 60];
  while (high - low > 1e-6) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (gammaReference(k, a) > gammaReference(k, b)) high = b;
    else low = a;
  }
  return (low + high) / 2;
}

function printTable() {
  console.log('| k | falls from y/θ = | its value there | P there | its value at twice that |');
  console.log('|---|---|---|---|---|');
  for (const k of SHAPES) {
    const t = turnOf(k);
    const values = [gammaReference(k, t), gammaP(k, t), gammaReference(k, 2 * t)];
    console.log(`| ${k} | ${t.toFixed(2)} | ${values.map((v) => v.toFixed(3)).join(' | ')} |`);
  }
}

async function plot() {
  const large = new Canvas(WIDTH * OVER, HEIGHT * OVER);
  for (const p of [0, 0.25, 0.5, 0.75, 1]) line(large, LEFT, toY(p), RIGHT, toY(p), 225);
  for (let t = 0; t <= T_MAX; t += 10) line(large, toX(t), TOP, toX(t), BOTTOM, 225);
  DRAWN.forEach((k, i) => {
    const color = colorAt('viridis', (0.88 * i) / (DRAWN.length - 1));
    curve(large, (t) => gammaP(k, t), 0.6, color);
    curve(large, (t) => gammaReference(k, t), 1.5, color);
    const turn = turnOf(k);
    disc(large, toX(turn), toY(gammaReference(k, turn)), 4.5, color);
  });
  const lettering = await Lettering.load();
  const sheet = new Canvas(WIDTH, HEIGHT, lettering);
  sheet.place(shrinkPicture(large.picture, { width: WIDTH, height: HEIGHT }), 0, 0);
  for (const p of [0, 0.5, 1]) sheet.text(p.toFixed(1), 16, 16, Math.round(toY(p)) - 11, 'grey');
  for (let t = 0; t <= T_MAX; t += 10) {
    sheet.text(`${t}`, 16, Math.round(toX(t)) - (t < 10 ? 4 : 9), BOTTOM + 6, 'grey');
  }
  for (const k of DRAWN) {
    const [x, y] = [toX(turnOf(k)), toY(gammaReference(k, turnOf(k)))];
    stamp(sheet, lettering.draw(`${k}`, 16), x, y + 8);
  }
  sheet.text('t = y/theta; thin: P(k, t), thick: its series cut after 8 terms', 16, 100, 335);
  return sheet.picture;
}

/** Text centred below (x, y), over what is there: the darker of both. */
function stamp({ picture: { data, width } }, text, x, y) {
  const left = Math.round(x - text.width / 2);
  for (let i = 0; i < text.data.length; i++) {
    const pixel = i >> 2;
    const row = Math.round(y) + Math.floor(pixel / text.width);
    const to = 4 * (row * width + left + (pixel % text.width)) + (i % 4);
    data[to] = Math.min(data[to], text.data[i]);
  }
}

function curve(canvas, value, radius, color) {
  for (let t = 1e-4; t < T_MAX; ) {
    disc(canvas, toX(t), toY(value(t)), radius, color);
    const slope = (value(t + 1e-4) - value(t)) / 1e-4;
    // A quarter of a pixel along the curve.
    t += 0.25 / Math.hypot((RIGHT - LEFT) / T_MAX, slope * (BOTTOM - TOP));
  }
}

function line(canvas, x0, y0, x1, y1, grey) {
  const steps = 4 * Math.max(x1 - x0, y1 - y0, y0 - y1);
  for (let i = 0; i <= steps; i++) {
    const s = i / steps;
    disc(canvas, x0 + s * (x1 - x0), y0 + s * (y1 - y0), 0.5, [grey, grey, grey]);
  }
}

/** A filled disc, in pixels of the finished picture. */
function disc({ picture: { data, width, height } }, x, y, radius, color) {
  const [cx, cy, r] = [x * OVER, y * OVER, radius * OVER];
  for (let py = Math.max(0, Math.ceil(cy - r)); py <= Math.min(height - 1, cy + r); py++) {
    for (let px = Math.max(0, Math.ceil(cx - r)); px <= Math.min(width - 1, cx + r); px++) {
      if ((px - cx) ** 2 + (py - cy) ** 2 <= r * r) data.set(color, 4 * (py * width + px));
    }
  }
}

/** Writes the smallest PNG that the encoder can make, and returns its size in bytes. */
async function write({ data, width, height }) {
  const url = new URL('../docs/images/gamma-reference.png', import.meta.url);
  const step = 255 / (LEVELS - 1);
  const rounded = Buffer.from(data.map((byte) => Math.round(byte / step) * step));
  const image = new Jimp({ data: rounded, width, height });
  const packing = { colorType: PNGColorType.COLOR, deflateLevel: 9, filterType: -1 };
  writeFileSync(url, await image.getBuffer('image/png', packing));
  return statSync(url).size;
}
