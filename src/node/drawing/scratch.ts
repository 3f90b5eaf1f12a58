/**
 * The compiled assembly/index.ts and its memory of a few megabytes. A process that draws one picture has no time to
 * optimise JavaScript for it; WebAssembly is fast from the start.
 */

import { Buffer } from 'node:buffer';
import { type WasmMemory, webAssembly } from '../../kernels/wasm/webassembly.js';
import { MODULE } from './embedded.js';

interface PixelExports {
  lovi(
    out: number,
    scales: number,
    n: number,
    W: number,
    begin: number,
    end: number,
    x: number,
    y: number,
    width: number,
    height: number,
  ): void;
  resizeRows(
    out: number,
    x: number,
    rows: number,
    extent: number,
    outputs: number,
    first: number,
    count: number,
    weights: number,
    most: number,
  ): number;
  heapBase(): number;
  extremes(out: number, x: number, n: number): void;
  cross(
    cam: number,
    fastcam: number,
    nonClass: number,
    saliency: number,
    n: number,
    least: number,
    span: number,
  ): void;
  steps(out: number, values: number, n: number): number;
  mix(out: number, pixels: number, indices: number, colors: number, n: number): void;
  rgbDifferences(out: number, pixels: number, rows: number, width: number): void;
  byteDifferences(out: number, bytes: number, rows: number, width: number): void;
  addRow(sums: number, pixels: number, width: number, weight: number): void;
  means(
    out: number,
    sums: number,
    outputs: number,
    first: number,
    weights: number,
    count: number,
  ): void;
}

/** The bytes after the end of a row that the kernels read and write. */
export const SLACK = 64;
const PAGE_BYTES = 2 ** 16;
let loaded: { readonly exports: PixelExports; readonly memory: WasmMemory } | undefined;

function load() {
  if (!loaded) {
    const memory = new webAssembly!.Memory({ initial: 1 });
    const module = new webAssembly!.Module(Buffer.from(MODULE, 'base64'));
    const instance = new webAssembly!.Instance(module, { env: { memory } });
    loaded = { memory, exports: instance.exports as PixelExports };
  }
  return loaded;
}

/** Regions of these sizes, with undefined contents, and the kernels. Valid until the next call. */
export function scratch(...lengths: readonly number[]): { k: PixelExports; regions: Uint8Array[] } {
  const { exports: k, memory } = load();
  const starts: number[] = [];
  let end = k.heapBase() + 16;
  for (const length of lengths) {
    starts.push(end);
    end += 16 * Math.ceil((length + SLACK) / 16);
  }
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  const { buffer } = memory;
  return { k, regions: starts.map((start, i) => new Uint8Array(buffer, start, lengths[i]!)) };
}

/** Bytes to process at a time, half of a second-level cache; a row may have more. */
export const BAND_BYTES: number = 2 ** 18;

/** How many of `n` items to process at a time: as many as BAND_BYTES hold, and at least one. */
export function bandOf(n: number, bytesOfEach: number): number {
  return Math.min(n, Math.max(1, Math.floor(BAND_BYTES / bytesOfEach)));
}

/** Processes `n` items, `bandOf` of them at a time. */
export function inBands(
  n: number,
  bytesOfEach: number,
  run: (begin: number, end: number) => void,
): void {
  const band = bandOf(n, bytesOfEach);
  for (let begin = 0; begin < n; begin += band) run(begin, Math.min(n, begin + band));
}
