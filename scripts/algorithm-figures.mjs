// Draws docs/images/algorithm-*.png, the figures of docs/algorithm.md: how the bundled model explains one picture. It
// needs the build: `npm run build && node scripts/algorithm-figures.mjs`.

import { readFileSync } from 'node:fs';
import { networkOf } from '../dist/index.js';
import { gammaScale, jsKernels, SMOE_EPS } from '../dist/kernels/index.js';
import { PRODUCT_MIN } from '../dist/kernels/statistics/smoe.js';
import { classActivationMap } from '../dist/methods/index.js';
import { fitPicture, parseSafetensors, preprocess, resize } from '../dist/model/index.js';
import { bundledWeights } from '../dist/node/assets.js';
import { Canvas, Lettering, LINE } from '../dist/node/drawing/canvas.js';
import { enlargePicture } from '../dist/node/drawing/enlarge.js';
import { kendallTau, readLabels, readPicture } from '../dist/node/index.js';
import {
  colorAt,
  colorize,
  combineMaps,
  hardMask,
  heatMap,
  keepMask,
  lovi,
  loviLegend,
  toNdArray,
  upsampleBilinear,
} from '../dist/viz/index.js';
import { Plot } from './plot.mjs';
import { writeSmallPng } from './small-png.mjs';

/** A tile has the size of the network's input, so that a pixel of a scale is a whole square in it. */
const TILE = { width: 192, height: 128 };
const SIZE = [TILE.height, TILE.width];
const GAP = 8;
const WIDTH = 5 * (TILE.width + GAP) + GAP;
const TEXT = 16;
/** The most bytes of all figures together. */
const LIMIT_BYTES = 400_000;
/** Levels to which a channel is rounded, in plots and in pictures: this halves the files. */
const FEW = 16;
const MANY = 32;

const GRID = [225, 225, 225];
const GREY = [150, 150, 150];
const BLUE = colorAt('viridis', 0.25);
const RED = [214, 39, 40];

const picture = await readPicture('samples/chelsea.png');
const lettering = await Lettering.load();
const { e, input, activations, classWeights } = await explainWatched();
const SCALES = ['conv1', 'layer1', 'layer2', 'layer3', 'layer4'];
const resized = { data: resize(picture, TILE.width, TILE.height, 'bilinear'), ...TILE };
const combined = combineMaps(e.scaleMaps, SIZE);

const figures = [
  ['input', MANY, [inputRow()]],
  ['columns', FEW, columnsRows()],
  ['smoe', MANY, [smoeRow()]],
  ['order', FEW, [orderRow()]],
  ['product', FEW, [productRow()]],
  ['normalize', MANY, normalizeRows()],
  ['combine', MANY, [combineRow()]],
  ['cam', MANY, [camRow()]],
  ['lovi', MANY, loviRows()],
  ['masks', MANY, [masksRow()]],
];
let total = 0;
for (const [name, levels, rows] of figures) {
  total += await writeSmallPng(`algorithm-${name}.png`, layOut(rows), levels);
}
console.log(`${(total / 1000).toFixed(0)} KB in all`);
if (total > LIMIT_BYTES) throw new Error(`docs/images: ${total} bytes, at most ${LIMIT_BYTES}`);

/** Explains the picture, and keeps the input and the activations [h, w, C] at the end of each scale. */
async function explainWatched() {
  const kernels = jsKernels();
  let program;
  const bind = (...plan) => {
    program = kernels.bind(...plan);
    return program;
  };
  const weights = parseSafetensors(readFileSync(bundledWeights()), 'bundled');
  const labels = await readLabels('models/tiny-resnet50-labels.json');
  const net = networkOf(weights, { kernels: { ...kernels, bind }, labels });
  const e = net.explain(picture);
  const forward = net.forward(1, ...SIZE);
  const { preprocessing } = net;
  const geometry = fitPicture(picture.width, picture.height, 'whole', preprocessing.size);
  preprocess(forward.input, picture, geometry, preprocessing);
  const input = forward.input.slice();
  // Step by step, because later steps overwrite the values of earlier ones.
  const activations = forward.plan.steps.flatMap((step, i) => {
    forward.runStep(i);
    return step.smoe === undefined ? [] : [program.buffer(step.out).slice()];
  });
  const classWeights = new Float32Array(forward.plan.kept[0].shape.C);
  net.classWeights(classWeights, e.target);
  return { e, input, activations, classWeights };
}

/** The resized picture, its channels as the network takes them, and their histograms. */
function inputRow() {
  const [low, high] = [-2.2, 2.7];
  const plot = new Plot(TILE.width, TILE.height);
  const toX = (v) => ((v - low) / (high - low)) * TILE.width;
  for (let v = -2; v <= 2; v++) plot.line(toX(v), 0, toX(v), TILE.height, GRID);
  const colors = [RED, [44, 140, 60], [31, 90, 200]];
  const channels = ['red', 'green', 'blue'].map((name, c) => {
    const values = input.filter((_, i) => i % 3 === c);
    const counts = histogram(values, low, high, 48);
    curve(plot, counts, 1 / 3500, 1.2, colors[c]);
    const grey = values.map((v) => (v - low) / (high - low));
    return { heading: `x, ${name}`, picture: greys(grey), note: describe(values) };
  });
  return [
    { heading: 'Resized', picture: resized, note: '192 × 128' },
    ...channels,
    { heading: 'Histograms', picture: plot.picture, note: 'from -2.2 to 2.7' },
  ];
}

/** For each scale, the means of its columns, and two of the columns. */
function columnsRows() {
  const means = [];
  const most = [];
  const least = [];
  for (const [i, { data: map, shape }] of e.rawMaps.entries()) {
    const [h, w] = shape;
    const C = activations[i].length / map.length;
    const column = (p) => activations[i].slice(p * C, (p + 1) * C).sort((a, b) => b - a);
    const mean = map.map((_, p) => column(p).reduce((sum, x) => sum + x) / C);
    const [top, bottom] = [map.indexOf(Math.max(...map)), map.indexOf(Math.min(...map))];
    const tile = blocks(toNdArray(mean, shape));
    ring(tile, centre(top, w, h), RED);
    ring(tile, centre(bottom, w, h), [255, 255, 255]);
    means.push({ heading: SCALES[i], picture: tile, note: `${w} × ${h} × ${C}` });
    const highest = Math.max(column(top)[0], column(bottom)[0]);
    const bars = (p, color) => ({
      picture: columnPlot(column(p), mean[p], highest, color),
      note: `SMOE Scale ${map[p].toFixed(3)}`,
    });
    most.push(bars(top, RED));
    least.push(bars(bottom, GREY));
  }
  return [means, most, least];
}

/** Sorted activations as bars up to `highest`, and their mean as a line. */
function columnPlot(column, mean, highest, color) {
  const plot = new Plot(TILE.width, 80);
  const toY = (x) => 79 - (78 * x) / highest;
  const step = TILE.width / column.length;
  column.forEach((x, c) => {
    plot.bar(c * step, toY(x), (c + 1) * step, 79, color);
  });
  plot.line(0, toY(mean), TILE.width, toY(mean), BLUE);
  plot.line(0, 79.5, TILE.width, 79.5, GREY);
  return plot.picture;
}

function smoeRow() {
  return e.rawMaps.map((map, i) => {
    const note = `0 to ${Math.max(...map.data).toFixed(3)}`;
    return { heading: SCALES[i], picture: blocks(map), note };
  });
}

/** θ against φ, between the two lines that bound it. */
function orderRow() {
  return e.rawMaps.map((map, i) => {
    const phi = map.data;
    const theta = new Float32Array(phi.length);
    gammaScale(theta, activations[i], activations[i].length / phi.length);
    const most = 1.04 * Math.max(...phi);
    const side = TILE.width;
    const plot = new Plot(side, side);
    const toX = (v) => 1 + ((side - 2) * v) / most;
    const toY = (v) => side - 2 - ((side - 3) * v) / (2 * Math.LN2 * most);
    plot.line(toX(0), toY(0), toX(most), toY(2 * Math.LN2 * most), GREY, 0.7);
    plot.line(toX(0), toY(0), toX(most), toY(Math.LN2 * most), GREY, 0.7);
    plot.line(toX(0), toY(0), toX(most), toY(0), GRID);
    plot.line(toX(0), toY(0), toX(0), 0, GRID);
    const radius = Math.max(0.9, Math.min(3, 30 / Math.sqrt(phi.length)));
    phi.forEach((v, p) => {
      plot.disc(toX(v), toY(theta[p]), radius, BLUE);
    });
    const note = `Kendall’s tau ${kendallTau(phi, theta).toFixed(3)}`;
    return { heading: SCALES[i], picture: plot.picture, note };
  });
}

/** The running product of a column, on a logarithmic axis, and the points where its logarithm is added to the sum. */
function productRow() {
  const C = 512;
  const [y, x] = [2, 3];
  const p = y * 6 + x;
  const column = activations[4].subarray(p * C, (p + 1) * C);
  const [width, height] = [WIDTH - 2 * GAP, 180];
  const right = width - 6; // room for the last disc
  const left = 60;
  const plot = new Plot(width, height);
  const toX = (c) => left + (c / C) * (right - left);
  const toY = (log) => 12 - ((height - 24) * log) / 150;
  for (let log = 0; log >= -150; log -= 50) plot.line(left, toY(log), right, toY(log), GRID);
  let product = 1;
  let folds = 0;
  column.forEach((value, c) => {
    const before = Math.log10(product);
    product *= value + SMOE_EPS;
    plot.line(toX(c), toY(before), toX(c + 1), toY(Math.log10(product)), BLUE, 0.8);
    if (product >= PRODUCT_MIN && c < C - 1) return;
    plot.disc(toX(c + 1), toY(Math.log10(product)), 4, RED);
    product = 1;
    folds++;
  });
  const canvas = new Canvas(width, height, lettering);
  canvas.place(plot.picture, 0, 0);
  for (let log = 0; log >= -150; log -= 50) {
    const label = log === 0 ? '1' : `1e${log}`;
    const y = Math.max(0, Math.min(Math.round(toY(log)) - 11, height - LINE[TEXT]));
    canvas.text(label, TEXT, left - 6 - lettering.width(label, TEXT), y, 'grey');
  }
  return [
    {
      heading: `layer4, pixel (${y}, ${x}): product of the first c channels, c = 0 ... ${C}`,
      picture: canvas.picture,
      note: `red: a logarithm is taken, ${folds} for ${C} channels`,
    },
  ];
}

/** The normalised maps. Below each map are its raw values and the distribution function. */
function normalizeRows() {
  const maps = e.scaleMaps.map((map, i) => ({ heading: SCALES[i], picture: blocks(map, 1) }));
  const plots = e.rawMaps.map(({ data: phi }, i) => {
    const most = Math.max(...phi);
    const plot = new Plot(TILE.width, TILE.height);
    const toX = (v) => 2 + ((TILE.width - 4) * v) / most;
    const toY = (F) => TILE.height - 3 - F * (TILE.height - 6);
    for (const F of [0, 0.5, 1]) plot.line(0, toY(F), TILE.width, toY(F), GRID);
    const bins = Math.min(48, Math.round(4 * Math.sqrt(phi.length)));
    const counts = histogram(phi, 0, most, bins);
    const largest = Math.max(...counts);
    const step = TILE.width / bins;
    counts.forEach((count, b) => {
      plot.bar(b * step, toY((0.9 * count) / largest), (b + 1) * step, toY(0), [190, 190, 190]);
    });
    const order = Array.from(phi.keys()).sort((a, b) => phi[a] - phi[b]);
    order.forEach((p, k) => {
      const before = order[Math.max(0, k - 1)];
      const F = e.scaleMaps[i].data;
      plot.line(toX(phi[before]), toY(F[before]), toX(phi[p]), toY(F[p]), BLUE, 0.9);
    });
    return { picture: plot.picture, note: `raw, 0 to ${most.toFixed(3)}` };
  });
  return [maps, plots];
}

function combineRow() {
  const weighted = [
    ['equal', '1, 1, 1, 1, 1'],
    ['ramp', '1, 2, 3, 4, 5'],
    ['prior', '.18, .15, .37, .4, .72'],
  ].map(([weights, note]) => {
    const map = combineMaps(e.scaleMaps, SIZE, weights);
    return { heading: `C, ${weights}`, picture: colorize(map), note };
  });
  const tops = [3, 4].map((i) => ({
    heading: `${SCALES[i]}, enlarged`,
    picture: colorize(enlarge(e.scaleMaps[i])),
    note: 'F',
  }));
  return [...tops, ...weighted];
}

function camRow() {
  const coarse = toNdArray(new Float32Array(e.scaleMaps[4].size), [...e.scaleMaps[4].shape]);
  classActivationMap(coarse.data, activations[4], classWeights, 'gradcam++');
  const tile = e.resized(TILE.width, TILE.height);
  return [
    { heading: 'CAM', picture: blocks(coarse), note: 'Grad-CAM++, 6 × 4' },
    { heading: 'CAM, enlarged', picture: colorize(tile.camMap), note: e.label(e.target) },
    { heading: 'SMOE Scale', picture: colorize(tile.combinedMap), note: 'C' },
    { heading: 'FastCAM', picture: colorize(tile.fastcamMap), note: 'C × CAM' },
    { heading: 'Non-class', picture: colorize(tile.nonClassMap), note: 'C × (1 − CAM)' },
  ];
}

function loviRows() {
  const black = ({ shape }) => toNdArray(new Float32Array(shape[0] * shape[1]), [...shape]);
  const alone = e.scaleMaps.map((_, scale) => ({
    heading: SCALES[scale],
    picture: lovi(
      e.scaleMaps.map((map, l) => (l === scale ? map : black(map))),
      SIZE,
    ),
  }));
  return [
    alone,
    [
      { heading: 'All in one', picture: enlargePicture(lovi(e.scaleMaps, SIZE), 2), span: 2 },
      {
        heading: 'Key, from the first scale to the last',
        picture: loviLegend(5, 3 * TILE.width + 2 * GAP, TILE.height),
        note: 'top: salient at that scale alone; bottom: at all scales',
      },
    ],
  ];
}

function masksRow() {
  const kept = (map, fraction) => hardMask(resized, keepMask(map, fraction));
  const { fastcamMap: fastcam } = e.resized(TILE.width, TILE.height);
  return [
    { heading: 'Heat map', picture: heatMap(e.scaleMaps, SIZE), note: 'pale: scales agree' },
    ...[0.1, 0.3, 0.5].map((fraction) => ({
      heading: `Top ${100 * fraction} %`,
      picture: kept(combined, fraction),
      note: 'of C',
    })),
    { heading: 'Top 10 %', picture: kept(fastcam, 0.1), note: 'of FastCAM' },
  ];
}

/** Rows of pictures, `span` columns wide, with their headings above and notes below, if any. */
function layOut(rows) {
  const heightOf = (row) => {
    const below = row.map(({ picture, note }) => picture.height + (note ? LINE[TEXT] : 0));
    return (row.some((cell) => cell.heading) ? LINE[TEXT] : 0) + Math.max(...below);
  };
  const height = rows.reduce((sum, row) => sum + heightOf(row) + GAP, GAP);
  const canvas = new Canvas(WIDTH, height, lettering);
  let top = GAP;
  for (const row of rows) {
    const pictureTop = top + (row.some((cell) => cell.heading) ? LINE[TEXT] : 0);
    let x = GAP;
    for (const { heading, picture, note, span = 1 } of row) {
      if (heading) canvas.text(heading, TEXT, x, top);
      canvas.place(picture, x, pictureTop);
      if (note) canvas.text(note, TEXT, x, pictureTop + picture.height, 'grey');
      x += span * (TILE.width + GAP);
    }
    top += heightOf(row) + GAP;
  }
  return canvas.picture;
}

/** A map at its own resolution, its pixels as squares, in colours from 0 to `most`. */
function blocks({ data, shape }, most = Math.max(...data)) {
  const scaled = toNdArray(
    data.map((value) => value / most),
    [...shape],
  );
  return enlargePicture(colorize(scaled), TILE.width / shape[1]);
}

/** A map at the tile's resolution, as it is combined. */
function enlarge(map) {
  const out = new Float32Array(TILE.width * TILE.height);
  upsampleBilinear(out, SIZE, map);
  return toNdArray(out, SIZE);
}

/** Values in [0, 1] as a grey tile. */
function greys(values) {
  const data = new Uint8ClampedArray(4 * values.length).fill(255);
  values.forEach((value, p) => {
    data.fill(255 * value, 4 * p, 4 * p + 3);
  });
  return { data, ...TILE };
}

/** The centre of pixel p of a map, in the tile. */
function centre(p, w, h) {
  return [((p % w) + 0.5) * (TILE.width / w), (Math.floor(p / w) + 0.5) * (TILE.height / h)];
}

function ring({ data, width, height }, [cx, cy], color) {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const radius = Math.hypot(x + 0.5 - cx, y + 0.5 - cy);
      if (radius > 6 && radius < 8.5) data.set(color, 4 * (y * width + x));
    }
  }
}

function histogram(values, low, high, bins) {
  const counts = new Array(bins).fill(0);
  for (const v of values) {
    counts[Math.min(bins - 1, Math.floor(((v - low) / (high - low)) * bins))]++;
  }
  return counts;
}

/** Counts as a line over the width of a tile. */
function curve(plot, counts, scale, radius, color) {
  const toX = (b) => ((b + 0.5) * TILE.width) / counts.length;
  const toY = (count) => TILE.height - 2 - count * scale * (TILE.height - 4);
  counts.slice(1).forEach((count, b) => {
    plot.line(toX(b), toY(counts[b]), toX(b + 1), toY(count), color, radius);
  });
}

function describe(values) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return `mean ${mean.toFixed(2)}, sd ${Math.sqrt(squares / (values.length - 1)).toFixed(2)}`;
}
