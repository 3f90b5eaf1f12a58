/** `--threads`: as many as asked for, with the same results. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/node/index.js';
import { failure, success } from './terminal.js';

const CAT = 'samples/chelsea.png';
const ROCKET = 'samples/rocket.jpg';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-threads-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function explain(...args: readonly string[]): Promise<Report[]> {
  const printed = await success('explain', ...args, '--only', 'overlay', '--json', '-o', folder);
  return printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('--threads', () => {
  test('gives the bits of one thread, and is in the report', async () => {
    const tensors = ['1', '2'].map((threads) => join(folder, `${threads}.safetensors`));
    for (const [i, path] of tensors.entries()) {
      const [report] = await explain(CAT, '--threads', `${i + 1}`, '--tensors', path);
      expect(report!.model.threads).toBe(i + 1);
    }
    const [one, two] = tensors.map((path) => readFileSync(path));
    expect(one!.equals(two!)).toBe(true);
  });

  test('is by default the number of cores, at most 4', async () => {
    const [report] = await explain(CAT);
    expect(report!.model.threads).toBe(Math.min(availableParallelism(), 4));
  });

  test('is 1 by default where several pictures are explained at the same time', async () => {
    const reports = await explain(CAT, ROCKET, '--jobs', '2');
    expect(reports.map(({ model }) => model.threads)).toEqual([1, 1]);
  });

  test('says why there is one thread', async () => {
    const [report] = await explain(CAT, '--threads', '2', '--backend', 'js');
    const { threads, fallback } = report!.model;
    expect([threads, fallback]).toEqual([1, 'one thread: plain JavaScript has no threads']);
  });

  test.each(['0', '-1', '1.5', '1000', 'many'])('refuses %s', async (threads) => {
    expect(await failure(2, 'explain', CAT, `--threads=${threads}`)).toMatch(
      /^fastcam: option '--threads <number>' argument .* is invalid\. Expected a whole number of threads from 1 to 256; see/,
    );
  });
});
