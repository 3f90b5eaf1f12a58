import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FormatError, ShapeError } from '../../src/errors.js';
import {
  explainFile,
  explainMany,
  type Input,
  makePool,
  type Outcome,
  openModel,
  type Pool,
  PoolBusyError,
  type Report,
  TooManyPixelsError,
} from '../../src/node/index.js';
import { PNG_COLOR, png } from './pictures/picture-files.js';

/** A small PNG, another one for each seed. */
function picture(seed: number): Uint8Array {
  const rows = Array.from({ length: 30 }, (_, y) =>
    Array.from({ length: 3 * 40 }, (_, x) => (x * (7 + seed) + y * 31) & 255),
  );
  return png(40, 30, { depth: 8, color: PNG_COLOR.rgb, rows });
}

/** What of a report does not tell of this run. */
const lasting = ({ ms: _, files: _f, ...report }: Report): object => report;

describe('a pool', () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await makePool({ size: 2, maxQueue: 4 });
  });
  afterAll(() => pool.close());

  test('gives the report and the pictures that explainFile gives, bit for bit', async () => {
    const only = ['overlay', 'scales'] as const;
    const inputs = [0, 1, 2, 3].map((seed) => ({ name: `${seed}.png`, bytes: picture(seed) }));
    const pooled = await Promise.all(inputs.map((input) => pool.explain(input, { only })));
    for (const [i, { report, pictures }] of pooled.entries()) {
      const own = await explainFile(inputs[i]!, { only });
      expect(lasting(report)).toEqual(lasting(JSON.parse(JSON.stringify(own.report))));
      expect(pictures.map(({ name }) => name)).toEqual([
        'overlay.png',
        ...[1, 2, 3, 4, 5].map((scale) => `scale-${scale}.png`),
      ]);
      for (const [p, { bytes }] of pictures.entries()) {
        expect(Buffer.compare(bytes, own.pictures[p]!.bytes)).toBe(0);
      }
    }
  });

  test('keeps the class and the words of errors, and goes on', async () => {
    await expect(pool.explain(Uint8Array.of(1, 2, 3))).rejects.toBeInstanceOf(FormatError);
    const wrong = pool.explain(picture(0), { target: 'unicorn' });
    await expect(wrong).rejects.toBeInstanceOf(ShapeError);
    await expect(wrong).rejects.toThrow('unicorn');
    expect((await pool.explain(picture(0))).report.top).toHaveLength(5);
  });

  test('decodes no more pixels than allowed, and has a separate error for this', async () => {
    expect((await pool.explain(picture(0), { maxPixels: 1200 })).report.input.height).toBe(30);
    const refused = pool.explain(picture(0), { maxPixels: 1199 });
    await expect(refused).rejects.toBeInstanceOf(TooManyPixelsError);
    await expect(refused).rejects.toThrow('picture: the picture is 40×30, 0.0012 megapixels');
    await expect(pool.explain(picture(0), { maxPixels: 2e8 })).rejects.toThrow('maxPixels');
  });

  test('refuses an input beyond the allowed number of waiting ones, by name', async () => {
    const all = Array.from({ length: 7 }, () => pool.explain(picture(1)));
    const ends = await Promise.allSettled(all);
    expect(ends.map(({ status }) => status)).toEqual([
      ...new Array<string>(6).fill('fulfilled'),
      'rejected',
    ]);
    expect((ends[6] as PromiseRejectedResult).reason).toBeInstanceOf(PoolBusyError);
  });

  test('drops aborted inputs, and continues', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const given = pool.explain(picture(2), { signal });
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(given).rejects.toThrow('enough');
    await expect(pool.explain(picture(2), { signal })).rejects.toThrow('enough');
    expect((await pool.explain(picture(2))).report.input.width).toBe(40);
  });
});

test('a pool of a missing model says so', async () => {
  await expect(makePool({ size: 1, model: { model: 'none.onnx' } })).rejects.toThrow(
    'none.onnx: no such file',
  );
  await expect(makePool({ size: 0 })).rejects.toThrow('makePool: size expected a whole number ≥ 1');
});

describe('many inputs', () => {
  let folder: string;
  let inputs: Input[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fastcam-many-'));
    inputs = Array.from({ length: 12 }, (_, i) => {
      const path = join(folder, `${i}.png`);
      writeFileSync(path, i === 5 ? 'no picture' : picture(i));
      return { path, name: `${i}.png` };
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function outcomes(jobs: number, out: string): Promise<Outcome[]> {
    const all: Outcome[] = [];
    const folders = inputs.map(({ name }) => join(out, name));
    const model = await openModel();
    for await (const outcome of explainMany(inputs, { model, jobs, folders, only: ['overlay'] })) {
      all.push(outcome);
    }
    return all;
  }

  test('have the same order, reports and files as one by one, and a failure does not stop the others', async () => {
    const [one, three] = [join(folder, 'one'), join(folder, 'three')];
    const alone = await outcomes(1, one);
    const together = await outcomes(3, three);
    expect(together.map(({ input }) => input)).toEqual(inputs);
    for (const [i, { results, error }] of together.entries()) {
      const name = inputs[i]!.name;
      if (i === 5) {
        expect(error).toBeInstanceOf(FormatError);
        expect((alone[i]!.error as Error).message).toBe((error as Error).message);
        continue;
      }
      expect(error).toBeUndefined();
      expect(results.map(({ report }) => lasting(report))).toEqual(
        JSON.parse(JSON.stringify(alone[i]!.results.map(({ report }) => lasting(report)))),
      );
      const files = readdirSync(join(three, name));
      expect(files).toEqual(['overlay.png', 'report.json']);
      const bytes = [one, three].map((out) => readFileSync(join(out, name, 'overlay.png')));
      expect(bytes[0]!.equals(bytes[1]!)).toBe(true);
    }
  });

  test.each([1, 2])(
    'are given up when they are aborted, with %i at once, and no half file is left',
    async (jobs) => {
      const controller = new AbortController();
      const out = join(folder, `aborted-${jobs}`);
      const folders = inputs.map(({ name }) => join(out, name));
      const options = { model: await openModel(), jobs, folders, signal: controller.signal };
      const told: string[] = [];
      const all = (async () => {
        for await (const { input } of explainMany(inputs, options)) {
          told.push(input.name);
          if (told.length === 2) controller.abort(new Error('enough'));
        }
      })();
      await expect(all).rejects.toThrow('enough');
      expect(told).toEqual(['0.png', '1.png']);
      const files = readdirSync(out, { recursive: true, encoding: 'utf8' });
      expect(files.filter((name) => name.endsWith('.part'))).toEqual([]);
      expect(files).toContain(join('1.png', 'report.json'));
    },
  );
});
