/**
 * Hundreds of small ONNX files of one operator or idiom each, and their answers by an oracle that follows the
 * specification (make.py); files that are refused, and what the message must say.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { loadNetwork } from '../../src/onnx.js';
import { distance } from '../compare.js';
import { hashImage } from '../hash-weights.js';
import { BACKENDS } from '../kernels/backends.js';

interface Case {
  readonly name: string;
  /** Base64. */
  readonly file: string;
  /** Shape of the input in the file. */
  readonly shape: readonly number[];
  readonly layout: 'NCHW' | 'NHWC';
  readonly pixels: 'unit' | 'byte';
  readonly output?: string;
  readonly labels?: readonly string[];
  /** Base64 of float32: logits, or where there are `logits` too, the map that they are linear in, channels last. */
  readonly expected: string;
  readonly logits?: string;
  /** How far float32 is from float64, of the largest, in the oracle's order of sums. */
  readonly rounding: number;
}

interface RefusedCase extends Pick<Case, 'name' | 'file'> {
  /** The text of the message. */
  readonly refused: readonly string[];
}

const ALL = JSON.parse(
  readFileSync(new URL('../goldens/onnx-cases.json', import.meta.url), 'utf8'),
) as (Case | RefusedCase)[];
const CASES = ALL.filter((entry): entry is Case => 'expected' in entry);
const REFUSED = ALL.filter((entry): entry is RefusedCase => 'refused' in entry);

/** Other orders of sums, and functions of the kernels' own: 16 times the oracle's rounding, at least 2⁻¹⁸. */
function toleranceOf({ rounding }: Case): number {
  return Math.max(16 * rounding, 2 ** -18);
}

/** [H, W, C] of the input, and the picture in that order. */
function pictureOf({ shape, layout, pixels }: Case): { extents: number[]; data: Float32Array } {
  const [, a, b, c] = shape as [number, number, number, number];
  const [C, H, W] = layout === 'NCHW' ? [a, b, c] : [c, a, b];
  const planes = hashImage(0, C * H * W);
  const values = pixels === 'byte' ? planes.map((v) => Math.floor((v + 2) * 64)) : planes;
  const data = values.map((_, i) => values[(i % C) * H * W + Math.floor(i / C)]!);
  return { extents: [H, W, C], data };
}

function floats(text: string): Float32Array {
  const { buffer, byteOffset, length } = Buffer.from(text, 'base64');
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
}

/** Winograd's algorithm is for larger maps. */
const TESTED = BACKENDS.filter(({ name }) => name !== 'simd without Winograd');

describe.each(TESTED)('ONNX on $name', async ({ make }) => {
  const kernels = await make();

  it.each(CASES)('$name', async (entry) => {
    const { name, file, output, labels } = entry;
    const named = { name, ...(output !== undefined && { output }) };
    const net = await loadNetwork(Buffer.from(file, 'base64'), { kernels, ...named });
    try {
      const { extents, data } = pictureOf(entry);
      const [H, W] = extents as [number, number];
      const expected = floats(entry.expected);
      // Behind another picture, so that a batch is seen to be two.
      const pass = net.forward(2, H, W, { taps: false });
      pass.input.set(data.slice().reverse());
      pass.input.set(data, data.length);
      pass.run();
      const value = entry.logits === undefined ? pass.logits : pass.features;
      const got = value.slice(expected.length);
      expect(distance(got, expected).largest).toBeLessThanOrEqual(toleranceOf(entry));
      const logits = pass.logits.slice(pass.logits.length / 2);
      const known = floats(entry.logits ?? entry.expected);
      expect(distance(logits, known).largest).toBeLessThanOrEqual(toleranceOf(entry));
      if (labels) expect(net.labels).toEqual(labels);
      if (net.scales.length === 0) return;
      // Taps change nothing.
      const tapped = net.forward(1, H, W);
      tapped.input.set(data);
      tapped.run();
      expect(distance(tapped.logits, logits).largest).toBeLessThanOrEqual(toleranceOf(entry));
    } finally {
      net.dispose();
    }
  });
});

describe('an ONNX file that is refused', async () => {
  const kernels = await BACKENDS[0]!.make();

  it.each(REFUSED)('$name', async ({ file, refused }) => {
    const loaded = loadNetwork(Buffer.from(file, 'base64'), { kernels, name: 'case' });
    const error = await loaded.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FormatError);
    for (const word of ['case', ...refused]) expect((error as FormatError).message).toContain(word);
  });
});
