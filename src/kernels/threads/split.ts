/** How the work of a step is split: into parts that write different elements, with the bits of the whole. */

import { type Conv2dShape, conv2dMacs } from '../conv2d-shape.js';
import type { Algorithm } from '../step.js';
import { NR } from '../wasm/conv2d.js';

/** A step with fewer multiplications, or floats, is not worth the handing over: some 10 microseconds. */
const LEAST_MACS = 2 ** 18;
const LEAST_FLOATS = 2 ** 14;

/** Rows, or Winograd's tiles, below which a thread loads weights more often than it uses them. */
const LEAST_ROWS = 64;

/** A part of a convolution's output: rows of pictures, or some of the channels. */
export interface ConvolutionPart {
  /** The first picture, and their number. */
  readonly n: number;
  readonly N: number;
  /** The first row of these pictures, and their number. */
  readonly oy: number;
  readonly rows: number;
  /** The first output channel, and their number. */
  readonly oc: number;
  readonly columns: number;
}

/** Splits a convolution for `threads` threads. One part stands for: not worth it. */
export function convolutionParts(
  shape: Conv2dShape,
  algorithm: Algorithm,
  threads: number,
): ConvolutionPart[] {
  const { N, Hout, Wout, Cout, groups } = shape;
  const whole = { n: 0, N, oy: 0, rows: Hout, oc: 0, columns: Cout };
  if (conv2dMacs(shape) < LEAST_MACS) return [whole];
  if (N >= threads) return ranges(N, threads, 1).map(([n, N]) => ({ ...whole, n, N }));
  const M = N * Hout * Wout;
  const rows = algorithm === 'winograd' ? M / 16 : M;
  if (rows < LEAST_ROWS * threads && groups === 1) {
    const parts = algorithm === 'sparse' ? sparseRanges(Cout, threads) : ranges(Cout, threads, NR);
    return parts.map(([oc, columns]) => ({ ...whole, oc, columns }));
  }
  const lines = ranges(Hout, threads, algorithm === 'winograd' ? 4 : 1);
  const pictures = Array.from({ length: N }, (_, n) => n);
  return pictures.flatMap((n) => lines.map(([oy, rows]) => ({ ...whole, n, N: 1, oy, rows })));
}

/**
 * Ranges of channels for the sparse kernel. It takes six panels at a time, or four, which is slower: where there are many
 * panels, all parts but the last have a multiple of six. A part of two panels is not possible.
 */
function sparseRanges(Cout: number, threads: number): [number, number][] {
  const six = 6 * NR;
  const rest = Cout % six;
  if (Cout < 2 * six * threads || rest === 2 * NR) {
    return ranges(Cout, Math.min(threads, Math.floor(Cout / (4 * NR))), 2 * NR);
  }
  return ranges(Cout - rest, threads, six).map(([oc, columns]) => {
    return [oc, oc + columns + rest === Cout ? columns + rest : columns];
  });
}

/** At most `parts` ranges of 0 … total − 1 that begin at multiples of `unit`: first and length. */
export function ranges(total: number, parts: number, unit: number): [number, number][] {
  const units = Math.ceil(total / unit);
  const count = Math.min(parts, units);
  const begins = Array.from({ length: count }, (_, i) => unit * Math.round((i * units) / count));
  return begins.map((begin, i) => [begin, (begins[i + 1] ?? total) - begin]);
}

/**
 * Splits the call of any other kernel.
 *
 * @param words its arguments: the addresses of out, inputs and vectors, then numbers
 * @returns the arguments of each part; nothing if the operator is not worth it
 */
export function operatorParts(
  name: string,
  words: readonly number[],
  threads: number,
): number[][] | undefined {
  const split = SPLITS[name as keyof typeof SPLITS] as Split | undefined;
  const parts = split?.(threads, ...words);
  return parts && parts.length > 1 ? parts : undefined;
}

type Split = (threads: number, ...words: number[]) => number[][] | undefined;

const SPLITS = {
  activate: (threads, out, x, length, ...rest) =>
    elements(length, threads, (begin, n) => [out + 4 * begin, x + 4 * begin, n, ...rest]),
  add: (threads, out, a, b, length, ...rest) =>
    elements(length, threads, (begin, n) => {
      const bytes = 4 * begin;
      return [out + bytes, a + bytes, b + bytes, n, ...rest];
    }),
  affine: (threads, out, x, vectors, pixels, C, width, ...rest) =>
    columns(pixels, C, threads, (begin, n) => {
      return [out + 4 * begin * width, x + 4 * begin * C, vectors, n, C, width, ...rest];
    }),
  concat: (threads, out, x, pixels, C, width, ...rest) =>
    columns(pixels, C, threads, (begin, n) => {
      return [out + 4 * begin * width, x + 4 * begin * C, n, C, width, ...rest];
    }),
  mul: (threads, out, x, factor, N, pixels, C) => {
    // One factor for each picture.
    if (N > 1) return undefined;
    return columns(pixels, C, threads, (begin, n) => {
      return [out + 4 * begin * C, x + 4 * begin * C, factor, N, n, C];
    });
  },
  smoe: (threads, out, x, M, C) =>
    columns(M, C, threads, (begin, n) => [out + 4 * begin, x + 4 * begin * C, n, C]),
  maxPool: pool,
  meanPool: pool,
} satisfies Record<string, Split>;

/** Parts of `length` floats, in whole vectors. */
function elements(
  length: number,
  threads: number,
  part: (begin: number, n: number) => number[],
): number[][] | undefined {
  if (length < LEAST_FLOATS) return undefined;
  return ranges(length, threads, 4).map(([begin, n]) => part(begin, n));
}

/** Parts of `pixels` columns of C, four pixels at a time. */
function columns(
  pixels: number,
  C: number,
  threads: number,
  part: (begin: number, n: number) => number[],
): number[][] | undefined {
  if (pixels * C < LEAST_FLOATS) return undefined;
  return ranges(pixels, threads, 4).map(([begin, n]) => part(begin, n));
}

/** Rows of the output: the first is moved up by padding less at the top. */
function pool(threads: number, ...words: number[]): number[][] | undefined {
  const [out, x, N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout, ...rest] = words as [
    number,
    number,
    ...number[],
  ];
  if (N !== 1 || H! * W! * C! < LEAST_FLOATS) return undefined;
  const window = [kH!, kW!, strideY!, strideX!];
  return ranges(Hout!, threads, 1).map(([oy, rows]) => [
    ...[out + 4 * oy * Wout! * C!, x, N, H!, W!, C!, ...window],
    ...[padY! - oy * strideY!, padX!, rows, Wout!, ...rest],
  ]);
}
