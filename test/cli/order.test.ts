import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrderReport } from '../../src/node/index.js';
import { failure, success } from './terminal.js';

const CAT = 'samples/chelsea.png';
const JS = ['--backend', 'js'];
const SMALL = ['--size', '32', ...JS];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-order-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('fastcam order', () => {
  test('prints four lines for each of the twelve others, and what docs/order-equivalence.md shows', async () => {
    const lines = (await success('order', CAT, ...JS)).split('\n');
    expect(lines[0]).toBe(`${CAT}: 451 × 300, seen by the bundled model at 192 × 128, backend js`);
    expect(lines.filter((line) => line.includes('Kendall'))).toHaveLength(12);
    expect(lines.filter((line) => line.includes('same maximum'))).toHaveLength(12);

    const page = readFileSync('docs/order-equivalence.md', 'utf8');
    const shown = /```text\n(.*?)```/s.exec(page)![1]!.trimEnd().split('\n');
    expect(lines.slice(1, 1 + shown.length)).toEqual(shown);
  });

  test('-o writes what --json prints to report.json, and writes nothing else', async () => {
    const out = join(folder, 'new', 'out');
    const printed = await success('order', CAT, ...SMALL, '--fit', 'stretch', '-o', out, '--json');
    const report: OrderReport = JSON.parse(printed);
    expect(report.input).toMatchObject({ path: CAT, networkInput: [32, 32] });
    expect(report.model).toMatchObject({ name: 'bundled', backend: 'js' });
    expect(readdirSync(out)).toEqual(['report.json']);
    expect(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))).toEqual(report);
  });

  test('a picture that cannot be read and a folder that cannot be made are one line each', async () => {
    expect(await failure(1, 'order', join(folder, 'no.png'), ...SMALL)).toContain('no such file');
    const line = await failure(1, 'order', CAT, ...SMALL, '-o', join(CAT, 'out'));
    expect(line).toContain('cannot be created');
  });

  test.each([
    [],
    [''],
    [CAT, 'b.png'],
    [CAT, '--statistic', 'gamma'],
    [CAT, '--size', '0'],
    [CAT, '--backend', 'gpu'],
  ])('order %s %s %s: one line that points to the help, exit code 2', async (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    expect(await failure(2, 'order', ...words)).toContain('; see fastcam order --help');
  });
});
