import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Statistic } from '../../src/kernels/index.js';
import { Calibrator, openModel, readCalibration, readPicture } from '../../src/node/index.js';
import { jpeg } from './pictures/picture-files.js';

const PICTURES = ['samples/chelsea.png', 'samples/coffee.png'];
const model = await openModel({ backend: 'js' });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-calibrate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Raw values of one scale of all pictures. */
async function pooled(statistic: Statistic, scale: number): Promise<number[]> {
  const values: number[] = [];
  for (const path of PICTURES) {
    const e = model.net.explain(await readPicture(path), { size: 48, statistic });
    values.push(...e.rawMaps[scale]!.data);
  }
  return values;
}

async function calibrated(statistic: Statistic) {
  const calibrator = new Calibrator(model, { size: 48, statistic });
  for (const path of PICTURES) await calibrator.add(path);
  return calibrator.calibration();
}

describe('Calibrator', () => {
  test.each(['smoe', 'log-normal-entropy'] as const)(
    'the constants of %s are those of all pixels together, within 1e-12',
    async (statistic) => {
      const { scales, ...about } = await calibrated(statistic);
      expect(about).toMatchObject({ statistic, model: 'bundled', pictures: 2, size: 48 });
      expect(scales.map(({ name }) => name).join()).toBe('relu,layer1,layer2,layer3,layer4');
      for (const [s, { gaussian, gamma, range }] of scales.entries()) {
        const values = await pooled(statistic, s);
        const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
        const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
        expect(gaussian.mean / mean).toBeCloseTo(1, 12);
        expect(gaussian.sd / Math.sqrt(squares / (values.length - 1))).toBeCloseTo(1, 12);
        expect(range).toEqual({ min: Math.min(...values), max: Math.max(...values) });
        // Spread begins at 0; what can be negative begins at its least value.
        expect(gamma.min).toBe(statistic === 'smoe' ? 0 : range.min);
        const shift = mean - gamma.min;
        expect((gamma.shape * gamma.scale) / shift).toBeCloseTo(1, 5);
      }
    },
  );

  test('a picture that cannot be read is not counted, and the others are', async () => {
    const [first] = PICTURES;
    const calibrator = new Calibrator(model, { size: 48 });
    await calibrator.add(first!);
    await expect(calibrator.add(join(folder, 'none.png'))).rejects.toThrow('no such file');
    const alone = new Calibrator(model, { size: 48 });
    await alone.add(first!);
    expect(await calibrator.calibration()).toEqual(await alone.calibration());
  });

  test('no picture, and a scale of one value, have no constants', async () => {
    const calibrator = new Calibrator(model, { size: 1 });
    await expect(calibrator.calibration()).rejects.toThrow('expected at least 1 picture, got 0');
    const grey = join(folder, 'grey.jpg');
    writeFileSync(grey, jpeg([[[128]]]));
    await calibrator.add(grey);
    await expect(calibrator.calibration()).rejects.toThrow(
      /^calibrate: scale layer4: expected values that differ, got 1 times /,
    );
  });
});

describe('readCalibration', () => {
  const read = (content: string) => {
    const path = join(folder, 'c.json');
    writeFileSync(path, content);
    return readCalibration(path);
  };

  test('reads back what was written', async () => {
    const calibration = await calibrated('smoe');
    expect(await read(JSON.stringify(calibration))).toEqual(calibration);
  });

  test.each([
    ['', 'is empty, expected a calibration file'],
    ['{"statistic":', 'not valid JSON'],
    ['null', 'expected a calibration, {'],
    ['[]', 'expected a calibration, {'],
    ['{"statistic":"smoe"}', 'expected a calibration, {'],
    ['{"statistic":"median","scales":[]}', 'expected a calibration, {'],
    ['{"statistic":"smoe","scales":[null]}', 'expected a calibration, {'],
    ['{"statistic":"smoe","scales":[{"gaussian":null}]}', 'expected a calibration, {'],
    ['{"statistic":"smoe","scales":[{"gaussian":{"mean":0}}]}', 'scale 1: gaussian.sd expected'],
    ['{"statistic":"smoe","scales":[{"range":{"min":0,"max":1e999}}]}', 'got Infinity'],
    ['{"statistic":"smoe","scales":[{"range":{"min":"0","max":1}}]}', 'range.min expected'],
  ])('refuses %s in one line that names the file', async (content, reason) => {
    await expect(read(content)).rejects.toThrow(`${join(folder, 'c.json')}: `);
    await expect(read(content)).rejects.toThrow(reason);
  });
});
