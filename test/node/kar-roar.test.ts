/** KAR and ROAR over a small data set in files: at the scales and at the input, interrupted, and by the command. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { recognizeNetwork } from '../../src/model/index.js';
import { encodePng } from '../../src/node/drawing/png.js';
import { openModel } from '../../src/node/index.js';
import { type KarRoarOptions, karRoar } from '../../src/node/kar-roar/kar-roar.js';
import { writeSafetensors } from '../../src/node/safetensors-writer.js';
import { failure, success } from '../cli/terminal.js';
import { temporaryFolder } from '../temporary-folder.js';
import { narrowResNet, tensorsOf } from '../train/narrow-resnet.js';
import { SHAPES, shapeExamples } from '../train/shapes.js';

const SIDE = 64;
const { folder, write } = temporaryFolder('kar-roar');
const data = join(folder, 'data');
const weights = join(folder, 'narrow.safetensors');

beforeAll(async () => {
  for (const [set, seed, count] of [
    ['train', 1, 20],
    ['val', 2, 10],
  ] as const) {
    const { pictures } = shapeExamples(count, SIDE, seed);
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8ClampedArray(SIDE * SIDE * 4).fill(255);
      for (let p = 0; p < SIDE * SIDE; p++) {
        for (let c = 0; c < 3; c++) {
          bytes[4 * p + c] = 70 * (1.5 + pictures[(i * SIDE * SIDE + p) * 3 + c]!);
        }
      }
      const picture = { data: bytes, width: SIDE, height: SIDE };
      write(`data/${set}/${SHAPES[i % SHAPES.length]}/${i}.png`, await encodePng(picture));
    }
  }
  const arrays = Object.fromEntries(
    [...tensorsOf('before')].map(([name, { shape, data: values }]) => [
      name,
      { shape, data: values as Float32Array },
    ]),
  );
  // What the weights do not show.
  const { architecture } = recognizeNetwork(narrowResNet());
  const metadata = { architecture, preprocessing: { size: SIDE } };
  const texts = Object.entries(metadata).map(([key, value]) => [key, JSON.stringify(value)]);
  writeFileSync(weights, writeSafetensors(arrays, Object.fromEntries(texts)));
});

async function run(out: string, options: Partial<KarRoarOptions>) {
  const model = await openModel({ model: weights });
  return karRoar(data, { ...{ model, out: join(folder, out), batch: 10 }, ...options });
}

describe('karRoar', () => {
  it('runs every statistic at every scale, keeps the results, and averages seeds', async () => {
    const options = { rankings: ['smoe', '-mean'], scales: [1, 5] } as const;
    const [first] = await run('scales', options);
    expect(first!.settings).toMatchObject({
      at: 'scales',
      classes: 5,
      training: 20,
      validation: 10,
    });
    expect(first!.results.map(({ name, mode, place }) => `${place} ${name} ${mode}`)).toEqual(
      ['relu', 'layer4'].flatMap((place) =>
        ['random', 'smoe', '-mean'].flatMap((name) =>
          ['kar', 'roar'].map((mode) => `${place} ${name} ${mode}`),
        ),
      ),
    );
    const file = join(folder, 'scales', 'scales-seed-1.json');
    const before = readFileSync(file, 'utf8');
    const both = await run('scales', { ...options, seed: 2 });
    expect(both.map(({ seed }) => seed)).toEqual([1, 2]);
    // Nothing is computed again.
    await run('scales', options);
    expect(readFileSync(file, 'utf8')).toBe(before);
    await expect(run('scales', { ...options, epochs: 2 })).rejects.toThrow(
      /was made with epochs 1, and it is 2 now/,
    );
  });

  it('goes on after an interruption with the same results', async () => {
    const options = { rankings: ['sd'], scales: [4, 5] } as const;
    const [whole] = await run('whole', options);
    const controller = new AbortController();
    let seen = 0;
    const onProgress = (_: number, what: string) => {
      if (what.startsWith('layer3 sd') && ++seen === 2) controller.abort(new Error('enough'));
    };
    const { signal } = controller;
    await expect(run('parts', { ...options, signal, onProgress })).rejects.toThrow('enough');
    const [parts] = await run('parts', options);
    const accuracies = (of: typeof parts) => of!.results.map(({ seconds: _, ...rest }) => rest);
    expect(accuracies(parts)).toEqual(accuracies(whole));
  });

  it('masks pictures at the input, by the methods of the paper', async () => {
    const [first] = await run('input', { at: 'input', methods: ['fastcam'] });
    const { results } = first!;
    expect(results).toHaveLength(2 * 2 * 5);
    expect(new Set(results.map(({ name }) => name))).toEqual(new Set(['random', 'fastcam']));
    expect(results.every(({ accuracy }) => accuracy >= 0 && accuracy <= 1)).toBe(true);
  });

  it('trains from scratch: other results than from the network’s weights, in a folder of their own', async () => {
    const options = { at: 'input', methods: [], training: 1, batch: 1, epochs: 2 } as const;
    const [first] = await run('scratch', { ...options, fromScratch: true });
    expect(first!.settings.fromScratch).toBe(true);
    const accuracies = first!.results.map(({ accuracy }) => accuracy);
    expect(accuracies).toHaveLength(2 * 5);
    const [tuned] = await run('tuned', options);
    expect(accuracies).not.toEqual(tuned!.results.map(({ accuracy }) => accuracy));
    await expect(run('scratch', options)).rejects.toThrow(
      /was made with fromScratch true, and it is false now/,
    );
    await expect(run('no', { fromScratch: true })).rejects.toThrow('use it at the input');
  });

  it('refuses what it cannot do, before it reads pictures', async () => {
    await expect(run('no', { classes: 9 })).rejects.toThrow('classes: expected at most 5, got 9');
    await expect(run('no', { scales: [6] })).rejects.toThrow('scales: expected 1 … 5, got 6');
    await expect(run('no', { at: 'input', methods: ['none'] })).rejects.toThrow('there is no none');
    const model = await openModel({ model: weights });
    const four = { ...model, net: Object.create(model.net, { scales: { value: ['a'] } }) };
    await expect(karRoar(data, { model: four, out: folder, at: 'input' })).rejects.toThrow(
      'prior weights are for five scales, and the network has 1',
    );
    await expect(karRoar(folder, { model, out: join(folder, 'no') })).rejects.toThrow(/train/);
    write('damaged/scales-seed-1.json', '{"settings"');
    await expect(run('damaged', {})).rejects.toThrow(/is no result of kar-roar/);
  });
});

describe('fastcam kar-roar', () => {
  const argv = (out: string, ...more: string[]) => [
    ...['kar-roar', data, '--model', weights, '--batch', '10', '-o', join(folder, out), ...more],
  ];

  it('prints the accuracies, the scores and the ranks', async () => {
    const printed = await success(...argv('command', '--statistics', 'smoe,sd', '--scales', '5'));
    expect(printed).toMatch(/5 classes: 20 pictures for training, 10 for validation, epochs 1/);
    expect(printed).toMatch(/│ SMOE Scale +│ +[\d.]+ │ +[\d.]+ │ +-?[\d.]+ │/);
    const again = await success(
      ...argv('command', '--statistics', 'smoe,sd', '--scales', '5', '--json'),
    );
    expect(JSON.parse(again)[0].results).toHaveLength(6);
  });

  it('prints KAR, ROAR and their sum for a method at the input', async () => {
    // Nothing is computed again.
    const more = ['--at', 'input', '--methods', 'fastcam'];
    expect(await success(...argv('input', ...more))).toMatch(
      /│ SMOE Scale, .* Grad-CAM\+\+ +│ +\d\.\d\d │ +-\d/,
    );
  });

  it('refuses wrong options in one line', async () => {
    expect(await failure(2, ...argv('command', '--scales', '7'))).toMatch(/--scales/);
    expect(await failure(2, ...argv('command', '--statistics', 'none'))).toMatch(
      /Expected some of/,
    );
    expect(await failure(1, 'kar-roar', folder, '--model', weights)).toMatch(/train/);
  });
});
