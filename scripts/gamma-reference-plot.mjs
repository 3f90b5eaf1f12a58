// Draws docs/images/gamma-reference.png: P(k, y/θ) as a thin line, and its series cut after 8 terms as a thick line.
// Prints the table of docs/normalizers.md. Needs the build: `npm run build && node scripts/gamma-reference-plot.mjs`.

import { gammaP } from '../dist/kernels/index.js';
import { Canvas, Lettering } from '../dist/node/drawing/canvas.js';
import { gammaReference } from '../dist/viz/gamma-reference.js';
import { colorAt } from '../dist/viz/index.js';
import { Plot, stamp } from './plot.mjs';
import { writeSmallPng } from './small-png.mjs';

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 48;
const RIGHT = 620;
const TOP = 20;
const BOTTOM = 310;
const T_MAX = 40;
const LIMIT_BYTES = 30_000;
/** Levels to which a channel is rounded. A smooth edge needs no more, and the file is half as large. */
const LEVELS = 8;
const GRID = [225, 225, 225];
const SHAPES = [0.5, 1, 2, 5, 10, 18];
const DRAWN = [0.5, 2, 5, 10, 18];

const toX = (t) => LEFT + (t / T_MAX) * (RIGHT - LEFT);
const toY = (p) => BOTTOM - p * (BOTTOM - TOP);

printTable();
const size = await writeSmallPng('gamma-reference.png', await plot(), LEVELS);
if (size > LIMIT_BYTES) throw new Error(`${size} bytes, at most ${LIMIT_BYTES}`);

/** The maximum of the truncated series, found by golden section, and the values of the series and of P there. */
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
  const curves = new Plot(WIDTH, HEIGHT);
  for (const p of [0, 0.25, 0.5, 0.75, 1]) curves.line(LEFT, toY(p), RIGHT, toY(p), GRID);
  for (let t = 0; t <= T_MAX; t += 10) curves.line(toX(t), TOP, toX(t), BOTTOM, GRID);
  DRAWN.forEach((k, i) => {
    const color = colorAt('viridis', (0.88 * i) / (DRAWN.length - 1));
    curve(curves, (t) => gammaP(k, t), 0.6, color);
    curve(curves, (t) => gammaReference(k, t), 1.5, color);
    const turn = turnOf(k);
    curves.disc(toX(turn), toY(gammaReference(k, turn)), 4.5, color);
  });
  const lettering = await Lettering.load();
  const sheet = new Canvas(WIDTH, HEIGHT, lettering);
  sheet.place(curves.picture, 0, 0);
  for (const p of [0, 0.5, 1]) sheet.text(p.toFixed(1), 16, 16, Math.round(toY(p)) - 11, 'grey');
  for (let t = 0; t <= T_MAX; t += 10) {
    sheet.text(`${t}`, 16, Math.round(toX(t)) - (t < 10 ? 4 : 9), BOTTOM + 6, 'grey');
  }
  for (const k of DRAWN) {
    const [x, y] = [toX(turnOf(k)), toY(gammaReference(k, turnOf(k)))];
    stamp(sheet.picture, lettering.draw(`${k}`, 16), x, y + 8);
  }
  sheet.text('t = y/theta; thin: P(k, t), thick: its series cut after 8 terms', 16, 100, 335);
  return sheet.picture;
}

function curve(plot, value, radius, color) {
  for (let t = 1e-4; t < T_MAX; ) {
    plot.disc(toX(t), toY(value(t)), radius, color);
    const slope = (value(t + 1e-4) - value(t)) / 1e-4;
    // A quarter of a pixel along the curve.
    t += 0.25 / Math.hypot((RIGHT - LEFT) / T_MAX, slope * (BOTTOM - TOP));
  }
}
