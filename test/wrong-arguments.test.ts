/** Wrong arguments of JavaScript callers, and the errors: each names the argument, the value, and what to pass. */

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { explainActivations } from '../src/explain-activations.js';
import {
  type ExplainingNetwork,
  jsKernels,
  loadNetwork,
  makeKernels,
  networkOf,
  wasmKernels,
} from '../src/index.js';
import { parseSafetensors } from '../src/model/index.js';
import { decodePicture, explainFile } from '../src/node/index.js';
import { loadNetwork as loadOnnx } from '../src/onnx.js';
import { combineMaps, heatMap, lovi, overlay } from '../src/viz/index.js';

const WEIGHTS = readFileSync(new URL('../models/tiny-resnet50.safetensors', import.meta.url));
const PAGE = new TextEncoder().encode('<!DOCTYPE html><html><title>404 Not Found</title></html>');
const PICTURE = { data: new Uint8Array(4 * 32 * 32), width: 32, height: 32 };
const kernels = jsKernels();

// The compiler would refuse all of these.
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript passes
type Any = any;
const load = (file: Any, options: Any = { kernels }) => loadNetwork(file, options);

let net: ExplainingNetwork;
beforeAll(async () => {
  net = await load(WEIGHTS);
});
const explain = (image: Any, options?: Any) => net.explain(image, options);
const activations = (given: Any, options?: Any) => explainActivations(given, options);
const tap = (part: Any) => ({
  data: new Float32Array(4),
  shape: [2, 2, 1],
  layout: 'nhwc',
  ...part,
});

type Case = readonly [mistake: string, call: () => unknown, error: string, told: RegExp];

const FILES: readonly Case[] = [
  [
    'a path',
    () => load('model.safetensors'),
    'TypeError',
    /^loadNetwork: file expected .* \(no path\), got "model.safetensors"$/,
  ],
  [
    'a Response',
    () => load(new Response(WEIGHTS)),
    'TypeError',
    /ReadableStream \(its body\), got Response$/,
  ],
  [
    'a Blob',
    () => load(new Blob([WEIGHTS])),
    'TypeError',
    /ReadableStream \(its stream\), got Blob$/,
  ],
  [
    'a Promise of bytes',
    () => load(Promise.resolve(WEIGHTS)),
    'TypeError',
    /got a Promise: await it$/,
  ],
  ['nothing', () => load(undefined), 'TypeError', /file expected an ArrayBuffer.*got undefined$/],
  ['a body that is null', () => load(null), 'TypeError', /got null$/],
  ['floats', () => load(new Float32Array(4)), 'TypeError', /got Float32Array$/],
  ['an array', () => load([1, 2]), 'TypeError', /got Array$/],
  [
    'an ONNX file by its path',
    () => loadOnnx('model.onnx' as Any, { kernels }),
    'TypeError',
    /\(no path\), got "model.onnx"$/,
  ],
  [
    'bytes where tensors are wanted',
    () => networkOf(WEIGHTS as Any, { kernels }),
    'TypeError',
    /^weights: .*bytes: loadNetwork.*got Uint8Array$/,
  ],
  [
    'a page of an error',
    () => load(PAGE),
    'FormatError',
    /^weights: not a safetensors file: .*"<!DOCTYPE ht": a page of an error\?$/,
  ],
  [
    'a page in a stream',
    () => load(new Blob([PAGE]).stream()),
    'FormatError',
    /"<!DOCTYP": a page/,
  ],
  ['a page to parse', () => parseSafetensors(PAGE, 'w'), 'FormatError', /^w: .*a page/],
  [
    'a path to parse',
    () => parseSafetensors('w' as Any, 'w'),
    'TypeError',
    /\(no path\), got "w"$/,
  ],
];

const OPTIONS: readonly Case[] = [
  [
    'no options',
    () => load(WEIGHTS, null),
    'TypeError',
    /^kernels: expected await makeKernels\(\), got undefined$/,
  ],
  ['no kernels', () => load(WEIGHTS, {}), 'TypeError', /^kernels: .*got undefined$/],
  [
    'kernels without await',
    () => load(WEIGHTS, { kernels: makeKernels('js') }),
    'TypeError',
    /^kernels: .*got a Promise: await it$/,
  ],
  [
    'kernels by name',
    () => load(WEIGHTS, { kernels: 'simd' }),
    'TypeError',
    /^kernels: .*got "simd"$/,
  ],
  [
    'a dtype as precision',
    () => load(WEIGHTS, { kernels, precision: 'float32' }),
    'ShapeError',
    /^precision: expected f32, f16, int8, got float32$/,
  ],
  [
    'a budget in words',
    () => load(WEIGHTS, { kernels, budgetBytes: '128MB' }),
    'ShapeError',
    /^budgetBytes: .*got 128MB$/,
  ],
  [
    'a backend that there is not',
    () => makeKernels('wasm' as Any),
    'ShapeError',
    /^backend: expected auto, js, simd, relaxed, got wasm$/,
  ],
  [
    'a backend as an object',
    () => makeKernels({ backend: 'js' } as Any),
    'ShapeError',
    /^backend: .*got Object$/,
  ],
  [
    'a build that there is not',
    () => wasmKernels('fast' as Any),
    'ShapeError',
    /^module: expected relaxed, simd, got fast$/,
  ],
  [
    'bytes of a build',
    () => wasmKernels(new ArrayBuffer(8)),
    'TypeError',
    /must be a WebAssembly.Module/,
  ],
  ['one tap', () => explain(PICTURE, { taps: 'layer1' }), 'TypeError', /^taps: .*got "layer1"$/],
  [
    'a target that is null',
    () => explain(PICTURE, { target: null }),
    'TypeError',
    /^target: .*got null$/,
  ],
  [
    'a size in words',
    () => explain(PICTURE, { size: '64' }),
    'ShapeError',
    /size expected a whole number/,
  ],
  [
    'a statistic that there is not',
    () => explain(PICTURE, { statistic: 'SMOE' }),
    'ShapeError',
    /^statistic: expected smoe,.*got SMOE$/,
  ],
  [
    'a normaliser that is null',
    () => explain(PICTURE, { normalizer: null }),
    'ShapeError',
    /^normalizer: .*got null$/,
  ],
  [
    'weights by a wrong name',
    () => explain(PICTURE, { scaleWeights: 'best' }),
    'TypeError',
    /^scaleWeights: .*got best$/,
  ],
  [
    'a calibration by its path',
    () => explain(PICTURE, { calibration: 'c.json' }),
    'TypeError',
    /^calibration: .*got "c.json"$/,
  ],
];

const PICTURES: readonly Case[] = [
  ['nothing', () => explain(undefined), 'TypeError', /^explain: picture expected .*got undefined$/],
  ['a Promise', () => explain(Promise.resolve(PICTURE)), 'TypeError', /got a Promise: await it$/],
  ['a path', () => explain('cat.png'), 'TypeError', /got "cat.png"$/],
  ['a Blob', () => explain(new Blob([])), 'TypeError', /got Blob$/],
  [
    'float pixels',
    () => explain({ ...PICTURE, data: new Float32Array(4096) }),
    'TypeError',
    /a tensor .* of floats.*got Float32Array$/,
  ],
  [
    'pixels in an array',
    () => explain({ ...PICTURE, data: [...PICTURE.data] }),
    'TypeError',
    /got Array$/,
  ],
  [
    'RGB',
    () => explain({ ...PICTURE, data: new Uint8Array(3 * 32 * 32) }),
    'ShapeError',
    /4096 bytes for 32×32 RGBA, got 3072$/,
  ],
  [
    'a tensor of doubles',
    () => explain({ data: new Float64Array(3), shape: [1, 3, 1, 1] }),
    'TypeError',
    /^explain: tensor expected a Float32Array, got Float64Array$/,
  ],
  [
    'a tensor without a batch',
    () => explain({ data: new Float32Array(3), shape: [3, 1, 1] }),
    'ShapeError',
    /expected 1 picture, got 3/,
  ],
  [
    'a picture as a batch',
    () => net.explainBatch(PICTURE as Any),
    'TypeError',
    /^explain: tensor expected a Float32Array, got Uint8Array$/,
  ],
  [
    'no batch',
    () => net.explainBatch(undefined as Any),
    'TypeError',
    /^explain: tensor .*got undefined$/,
  ],
  [
    'float pixels to draw on',
    () => overlay({ ...PICTURE, data: new Float32Array(4096) } as Any, {} as Any),
    'TypeError',
    /^overlay: picture .*got Float32Array$/,
  ],
  [
    'no map',
    () => overlay(PICTURE, undefined as Any),
    'TypeError',
    /^overlay: map expected an ndarray.*got undefined$/,
  ],
  [
    'no maps',
    () => lovi(undefined as Any, [2, 2]),
    'TypeError',
    /^lovi: maps expected an array of maps, got undefined$/,
  ],
  ['a map for maps', () => heatMap({} as Any, [2, 2]), 'TypeError', /^heatMap: maps .*got Object$/],
  [
    'maps that are none',
    () => combineMaps('x' as Any, [2, 2]),
    'TypeError',
    /^combineMaps: maps .*got "x"$/,
  ],
];

const ELSEWHERE: readonly Case[] = [
  [
    'no activations',
    () => activations(undefined),
    'TypeError',
    /^explainActivations: activations expected \{ taps.*got undefined$/,
  ],
  ['a list of taps', () => activations([tap({})]), 'TypeError', /got Array$/],
  [
    'doubles',
    () => activations({ taps: [tap({ data: new Float64Array(4) })] }),
    'TypeError',
    /taps\[0\] expected a Float32Array, got Float64Array$/,
  ],
  [
    'no shape',
    () => activations({ taps: [tap({ shape: undefined })] }),
    'ShapeError',
    /taps\[0\] expected one picture, nhwc, .*got \[\] with 4$/,
  ],
  [
    'no layout',
    () => activations({ taps: [tap({ layout: undefined })] }),
    'ShapeError',
    /layout: expected nhwc, nchw, got undefined$/,
  ],
  [
    'kernels without await',
    () => activations({ taps: [tap({})] }, { kernels: makeKernels('js') }),
    'TypeError',
    /^kernels: .*await it$/,
  ],
  [
    'a picture file without a name',
    () => decodePicture(PAGE, undefined as Any),
    'TypeError',
    /^decodePicture: name expected .*got undefined$/,
  ],
  [
    'options for a name',
    () => decodePicture(PAGE, {} as Any),
    'TypeError',
    /^decodePicture: name .*got Object$/,
  ],
  [
    'a path to decode',
    () => decodePicture('a.png' as Any, 'a.png'),
    'TypeError',
    /^decodePicture: bytes expected a Uint8Array, got "a.png"$/,
  ],
  [
    'bytes alone to explain',
    () => explainFile(PAGE as Any),
    'TypeError',
    /^explainFile: input expected a path, or \{ name, bytes \}, got Uint8Array$/,
  ],
];

describe.each([
  ['weights', FILES],
  ['options', OPTIONS],
  ['pictures and maps', PICTURES],
  ['activations and files', ELSEWHERE],
])('wrong %s', (_, cases) => {
  it.each(cases)('%s: one line that says so', async (_mistake, call, error, told) => {
    const thrown = await Promise.resolve()
      .then(call)
      .then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
    expect(thrown?.name).toBe(error);
    expect(thrown?.message).toMatch(told);
    expect(thrown?.message).not.toContain('\n');
  });
});
