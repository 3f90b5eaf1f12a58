/** Evaluations of folders: what is written, how a run continues, and what it refuses. */

import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FormatError, ShapeError } from '../../src/errors.js';
import { EVALUATED_METHODS } from '../../src/evaluate/index.js';
import type { Evaluation } from '../../src/node/evaluate/evaluation.js';
import {
  type EvaluateOptions,
  evaluateFolder,
  type Model,
  openModel,
} from '../../src/node/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { PNG_COLOR, png } from './pictures/picture-files.js';

const { folder, write } = temporaryFolder('evaluate');

/** A small PNG, another one for each seed. */
function picture(seed: number): Uint8Array {
  const rows = Array.from({ length: 32 }, (_, y) =>
    Array.from({ length: 3 * 32 }, (_, x) => (x * (7 + seed) + y * 31 * (1 + (seed % 3))) & 255),
  );
  return png(32, 32, { depth: 8, color: PNG_COLOR.rgb, rows });
}

const NAMES = ['goldfish/a.png', 'goldfish/b.png', 'bullfrog/c.png'];
const data = join(folder, 'data');
for (const [i, name] of NAMES.entries()) write(`data/${name}`, picture(i));
const boxes = write('boxes.csv', 'file,x0,y0,x1,y1\ngoldfish/a.png,0,0,15,31\n');
/** Quick: a small input, and two methods besides the floor. */
const QUICK = { size: 32, methods: ['saliency', 'gradient'], randomized: 1, boxes } as const;

let model: Model;
beforeAll(async () => {
  model = await openModel({ backend: 'simd' });
});
const evaluate = (options: EvaluateOptions = {}) =>
  evaluateFolder(data, { model, ...QUICK, ...options });

/** What does not tell the time, or where it is. */
const lasting = ({ methods, perPicture, files: _, ...rest }: Evaluation): unknown => ({
  ...rest,
  methods: methods.map(({ scores: { seconds: _s, ...scores }, ...method }) => ({
    ...method,
    scores,
  })),
  perPicture: perPicture.map(({ methods: own, ...one }) => ({
    ...one,
    methods: Object.entries(own).map(([name, { seconds: _s, ...scores }]) => [name, scores]),
  })),
});

describe('an evaluation', () => {
  const out = join(folder, 'out');
  let whole: Evaluation;
  beforeAll(async () => {
    whole = await evaluate({ out });
  }, 60_000);

  it('has every score of every method, with the floor among them, and writes what it returns', () => {
    expect(whole.methods.map(({ name }) => name)).toEqual([
      'saliency',
      'gradient',
      'random',
      'center',
    ]);
    expect(whole.methods.map(({ isFloor }) => isFloor)).toEqual([false, false, true, true]);
    for (const { name, scores } of whole.methods) {
      expect(Object.keys(scores).sort(), name).toEqual([
        'deletion',
        'drop',
        'energy',
        'increase',
        'insertion',
        'pointing',
        'road',
        'seconds',
      ]);
      expect(scores.insertion!.n).toBe(3);
      // One picture has a box.
      expect(scores.energy!.n).toBe(1);
    }
    expect(JSON.parse(readFileSync(join(out, 'evaluate.json'), 'utf8'))).toEqual(whole);
    expect(whole.pictures).toBe(3);
    expect(whole.perPicture.map(({ picture: name }) => name)).toEqual(NAMES);
  });

  it('has means of the pictures’ scores and of their curves', () => {
    const areas = whole.perPicture.map(({ methods }) => methods['gradient']!.deletion!);
    const mean = areas.reduce((sum, area) => sum + area, 0) / 3;
    expect(whole.methods[1]!.scores.deletion!.mean).toBeCloseTo(mean, 12);
    const curve = whole.curves.deletion['gradient']!.map((point) => point.mean);
    expect(curve.length).toBe(whole.curves.shares.length);
    // A curve begins at the picture itself.
    const first = whole.perPicture.reduce((sum, { probability }) => sum + probability, 0) / 3;
    expect(curve[0]).toBeCloseTo(first, 6);
    for (const accuracy of whole.curves.lerfAccuracy['saliency']!) {
      expect([0, 1, 2, 3]).toContain(Math.round(3 * accuracy.mean));
    }
  });

  it('has random weights for one picture: a fixed map stays alike, a random one has nothing in common', () => {
    const { depths, pictures, rho } = whole.randomization!;
    expect(depths).toEqual(['logits', 'layer4', 'layer3', 'layer2', 'layer1', 'relu']);
    expect(pictures).toBe(1);
    expect(rho['center']!.map(({ mean }) => mean)).toEqual([1, 1, 1, 1, 1, 1]);
    for (const { mean } of rho['random']!) expect(Math.abs(mean)).toBeLessThan(0.2);
    // SMOE Scale does not see the logits.
    expect(rho['saliency']![0]!.mean).toBe(1);
    expect(rho['gradient']![0]!.mean).toBeLessThan(1);
    expect(rho['saliency']!.at(-1)!.mean).toBeLessThan(0.99);
  });

  it('has a symmetric table of agreement, 1 with itself', () => {
    const { methods, rho, overlap } = whole.agreement!;
    expect(methods).toEqual(['saliency', 'gradient', 'random', 'center']);
    for (const [i, row] of rho.entries()) {
      expect([row[i], overlap[i]![i]]).toEqual([1, 1]);
      for (const [j, value] of row.entries()) expect(value).toBe(rho[j]![i]);
    }
  });

  it('draws each curve and each score', () => {
    const svgs = readdirSync(out)
      .filter((name) => name.endsWith('.svg'))
      .sort();
    expect(svgs).toEqual([
      ...['bars-deletion.svg', 'bars-drop.svg', 'bars-energy.svg', 'bars-increase.svg'],
      ...['bars-insertion.svg', 'bars-pointing.svg', 'bars-road.svg', 'bars-seconds.svg'],
      ...['deletion.svg', 'insertion.svg', 'randomization.svg', 'road-lerf.svg', 'road-morf.svg'],
    ]);
    expect(readFileSync(join(out, 'deletion.svg'), 'utf8')).toContain('>Centred Gaussian<');
    expect(whole.files.every((file) => existsSync(file))).toBe(true);
  });

  it('does nothing twice: a second run only reads, and gives the same', async () => {
    const started: number[][] = [];
    const onStart = (...counts: number[]): void => {
      started.push(counts);
    };
    const again = await evaluate({ out, onStart });
    expect(started).toEqual([[3, 3]]);
    expect(again).toEqual(whole);
  });

  it('continues after an interruption, in the middle of a line, with the same result', async () => {
    const half = join(folder, 'half');
    const metrics = ['drop', 'localization'] as const;
    const stop = new AbortController();
    const stopped = evaluate({
      ...{ out: half, metrics, signal: stop.signal },
      onProgress: (done) => done >= 1.5 && stop.abort('stopped'),
    });
    await expect(stopped).rejects.toBe('stopped');
    const path = join(half, 'pictures.jsonl');
    appendFileSync(path, '{"picture":"goldfish/b.png","tar');
    const started: number[] = [];
    const onStart = (count: number): void => {
      started.push(count);
    };
    const done = await evaluate({ out: half, metrics, onStart });
    expect(started).toEqual([1]);
    expect(lasting(done)).toEqual(lasting(await evaluate({ metrics })));
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBe(4);
  });

  it('is the same in two threads', async () => {
    const threaded = await evaluate({ jobs: 2, metrics: ['drop'] });
    const alone = await evaluate({ metrics: ['drop'] });
    expect(lasting(threaded)).toEqual(lasting(alone));
  });

  it('refuses to continue a run with other options, and names them', async () => {
    await expect(evaluate({ out, seed: 1 })).rejects.toThrow(
      'pictures.jsonl: is of a run with another seed: choose another folder',
    );
    await expect(evaluate({ out, limit: 1, metrics: ['drop'] })).rejects.toThrow(
      'another metrics, pictures, data, limit',
    );
    const other = write('other/pictures.jsonl', 'x\n');
    await expect(evaluate({ out: join(other, '..') })).rejects.toThrow(
      'is no file of fastcam evaluate',
    );
  });

  it('goes on after a picture that cannot be read, and says which', async () => {
    write('broken/goldfish/a.png', picture(0));
    write('broken/goldfish/b.png', 'no picture');
    const failed: string[] = [];
    const { pictures, failures } = await evaluateFolder(join(folder, 'broken'), {
      ...{ model, size: 32, methods: ['saliency'], metrics: ['drop'] },
      onFailure: ({ name }) => failed.push(name),
    });
    expect([pictures, failed]).toEqual([1, ['goldfish/b.png']]);
    expect(failures[0]!.error).toContain('b.png');
    write('none/goldfish/b.png', 'no picture');
    await expect(evaluateFolder(join(folder, 'none'), { model })).rejects.toThrow(FormatError);
  });

  it('keeps the reason of a method that the network does not allow', async () => {
    const vgg = await openModel({ model: 'test/goldens/graph/convnext.onnx', backend: 'simd' });
    write('small/0/a.png', picture(1));
    const { methods } = await evaluateFolder(join(folder, 'small'), {
      ...{ model: vgg, methods: ['saliency', 'gradient'], metrics: ['drop'] },
    });
    expect(methods[0]!.error).toContain('taps:');
    expect(methods[0]!.scores).toEqual({});
    expect(methods[1]!.scores.drop).toBeDefined();
  });

  it.each([
    [{ methods: ['none'] }, `expected some of ${EVALUATED_METHODS[0]!.name}`],
    [{ metrics: [] }, 'metrics: expected some of insertion'],
    [{ seed: -1 }, 'seed: expected a whole number ≥ 0, got -1'],
    [{ randomized: 0.5 }, 'randomized: expected a whole number'],
  ] as const)('refuses %o before any picture is read', async (options, message) => {
    const call = evaluate(options);
    await expect(call).rejects.toThrow(message);
    await expect(call).rejects.toThrow(ShapeError);
  });
});
