/**
 * Every file of make.py: what PyTorch computes of it in float64, or the line that says why it is not read.
 * README.md tells what expected.json has.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { parseSafetensors } from '../../src/model/index.js';
import { convertModel, type Model, type ModelOptions, openModel } from '../../src/node/index.js';

interface Case {
  readonly file: string;
  readonly input: string;
  readonly options: Partial<ModelOptions>;
  readonly should: 'right' | 'maps' | 'warned' | 'refused';
  readonly why: string;
  /** [N, classes], in one row; none without a classifier; null where nothing is said of them. */
  readonly logits: readonly number[] | null;
  /** A pattern that the warnings match; null: there are no warnings. */
  readonly warns: string | null;
  readonly refuses?: string;
  readonly labels?: readonly string[];
  readonly preprocessing?: Readonly<Record<string, unknown>>;
}

/** Float32 against float64: correctly read files have an error of 3e-7, wrongly read ones of at least 1e-3. */
const TOLERANCE = 2e-5;

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CASES: Readonly<Record<string, Case>> = JSON.parse(readFileSync(at('expected.json'), 'utf8'));

/** The options of a case, the path of a config.json as it is seen from here. */
function optionsOf({ options }: Case): Partial<ModelOptions> {
  const { architecture } = options;
  const config = architecture?.endsWith('.json') && { architecture: at(architecture) };
  return { ...options, ...config };
}

function open(expected: Case): Promise<Model> {
  return openModel({ model: at(expected.file), backend: 'js', ...optionsOf(expected) });
}

/** Runs the network on an input that is stored as [N, channels, H, W]. */
function run({ net }: Model, input: string): { logits: Float32Array; maps: Float32Array[] } {
  const source = parseSafetensors(readFileSync(at(input)), input);
  const [N, C, H, W] = source.tensors.get('input')!.shape as [number, number, number, number];
  const x = new Float32Array(N * C * H * W);
  source.readInto(x, 'input', 0);
  const pass = net.forward(N, H, W);
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      const plane = x.subarray((n * C + c) * H * W, (n * C + c + 1) * H * W);
      for (const [i, value] of plane.entries()) pass.input[(n * H * W + i) * C + c] = value;
    }
  }
  pass.run();
  return { logits: pass.logits.slice(), maps: pass.maps.map((map) => map.slice()) };
}

/** `(?i)` in front ignores case, as in Python. */
function regex(text: string): RegExp {
  return text.startsWith('(?i)') ? new RegExp(text.slice(4), 'i') : new RegExp(text);
}

async function expectNetwork(expected: Case): Promise<void> {
  const model = await open(expected);
  const { logits, maps } = run(model, expected.input);
  if (expected.logits !== null) {
    expect(logits.length).toBe(expected.logits.length);
    const errors = expected.logits.map((logit, i) => Math.abs(logit - logits[i]!));
    // None of no logits: −∞.
    expect(Math.max(...errors)).toBeLessThan(TOLERANCE);
  }
  expect(maps.length).toBeGreaterThan(0);
  for (const map of maps) expect(map.every(Number.isFinite)).toBe(true);
  const { warnings } = model;
  if (expected.warns === null) expect(warnings).toEqual([]);
  else expect(warnings.join('\n')).toMatch(regex(expected.warns));
  if (expected.labels) expect(model.net.labels).toEqual(expected.labels);
  if (expected.preprocessing) expect(model.net.preprocessing).toMatchObject(expected.preprocessing);
}

async function expectRefusal(expected: Case): Promise<void> {
  const error = await open(expected).then(
    () => expect.fail('it was read'),
    (e: Error) => e,
  );
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message.startsWith(`${at(expected.file)}: `)).toBe(true);
  expect(error.message).not.toContain('\n');
  expect(error.message.replace(at(expected.file), '')).toMatch(regex(expected.refuses!));
}

/** A file written by `convert` needs no option, and computes the same as the original file. */
async function expectConversion(expected: Case): Promise<void> {
  const { file, input } = expected;
  const model = await open(expected);
  const output = join(folder, `${basename(file)}.safetensors`);
  const { model: _, ...options } = optionsOf(expected);
  await convertModel(at(file), output, options);
  const converted = await openModel({ model: output, backend: 'js' });
  expect(converted.assumption).toBeUndefined();
  expect(converted.warnings).toEqual([]);
  expect(converted.net.labels).toEqual(model.net.labels);
  expect(converted.net.preprocessing).toEqual(model.net.preprocessing);
  const [before, after] = [run(model, input), run(converted, input)];
  const error = before.logits.map((logit, i) => Math.abs(logit - after.logits[i]!));
  expect(Math.max(0, ...error)).toBeLessThan(TOLERANCE / 10);
  expect(after.maps.map(({ length }) => length)).toEqual(before.maps.map(({ length }) => length));
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-cases-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('weights that people have', () => {
  it.each(Object.entries(CASES))('%s', async (_, expected) => {
    await (expected.should === 'refused' ? expectRefusal(expected) : expectNetwork(expected));
  });

  it.each(Object.entries(CASES).filter(([, { should }]) => should !== 'refused'))(
    '%s, converted, is the same network',
    async (_, expected) => expectConversion(expected),
  );
});
