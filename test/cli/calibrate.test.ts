import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, fastcam, success } from './terminal.js';

const CAT = 'samples/chelsea.png';
const CUP = 'samples/coffee.png';
const SMALL = ['--size', '48', '--backend', 'js'];

let folder: string;
let file: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-calibrate-'));
  file = join(folder, 'c.json');
  await success('calibrate', CAT, CUP, '-o', file, ...SMALL);
});
afterAll(() => rmSync(folder, { recursive: true }));

const explain = (...argv: string[]): string[] => [
  ...['explain', CAT, '-o', join(folder, 'out'), '--cam', 'none'],
  ...SMALL,
  ...argv,
];

describe('fastcam calibrate', () => {
  test('writes what --json prints, and tells a person each scale’s constants', async () => {
    const text = await success('calibrate', CAT, CUP, '-o', file, ...SMALL);
    expect(text).toMatch(/^SMOE Scale of 2 pictures, bundled model\n/);
    for (const word of ['relu', 'layer4', `Written: ${file}`]) expect(text).toContain(word);
    const other = join(folder, 'd.json');
    const printed = await success('calibrate', CAT, CUP, '-o', other, ...SMALL, '--json');
    expect(JSON.parse(printed)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
    expect(readFileSync(other, 'utf8')).toBe(readFileSync(file, 'utf8'));
  });

  test('--calibration is used, and the report tells it', async () => {
    const calibration = JSON.parse(readFileSync(file, 'utf8'));
    const report = JSON.parse(await success(...explain('--calibration', file, '--json')));
    expect(report.options.calibration).toEqual(calibration);
    expect(JSON.parse(await success(...explain('--json'))).options).not.toHaveProperty(
      'calibration',
    );
  });

  test('takes all pictures of a folder', async () => {
    const photos = join(folder, 'photos');
    cpSync(CAT, join(photos, 'a.png'));
    cpSync(CUP, join(photos, 'in', 'b.png'));
    const out = join(folder, 'all.json');
    await success('calibrate', photos, '-o', out, ...SMALL);
    expect(readFileSync(out, 'utf8')).toBe(readFileSync(file, 'utf8'));
  });

  test('a picture that cannot be read is one line, the rest is done, the exit code is 1', async () => {
    const out = join(folder, 'some.json');
    const missing = join(folder, 'none.png');
    const { code, stderr } = await fastcam('calibrate', missing, CAT, '-o', out, ...SMALL);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `fastcam: ${missing}: no such file\n` });
    expect(JSON.parse(readFileSync(out, 'utf8')).pictures).toBe(1);
  });

  test('where no picture can be read nothing is written', async () => {
    const out = join(folder, 'nothing.json');
    await failure(1, 'calibrate', join(folder, 'none.png'), '-o', out);
    expect(existsSync(out)).toBe(false);
  });

  test('a calibration that does not fit is one line that names it, exit code 1', async () => {
    const refused = (...argv: string[]) => failure(1, ...explain('--calibration', ...argv));
    const line = await refused(file, '--statistic', 'gamma');
    expect(line).toBe(`fastcam: ${file}: statistic expected gamma, got smoe\n`);

    const write = (name: string, value: unknown): string => {
      writeFileSync(join(folder, name), JSON.stringify(value));
      return join(folder, name);
    };
    const { scales, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
    const four = write('four.json', { ...rest, scales: scales.slice(1) });
    expect(await refused(four)).toContain(`${four}: scales expected 5, one for each map, got 4`);
    const without = write('without.json', { ...rest, scales: scales.map(() => ({})) });
    expect(await refused(without)).toContain(`${without}: scale 1 has no constants for gaussian`);
    const picture = await refused(CAT);
    expect(picture).toContain(`${CAT}: not valid JSON`);
  });

  test('no input is overwritten', async () => {
    expect(await failure(2, 'calibrate', CAT, '-o', CAT)).toContain('would overwrite');
    const argv = explain('--calibration', file, '--tensors', file);
    expect(await failure(2, ...argv)).toContain('would overwrite');
  });

  test.each([
    [],
    [CAT, ''],
    [CAT, '--statistic', 'median'],
    [CAT, '--fit', 'whatever'],
    [CAT, '--out', ''],
    [CAT, '--normalizer', 'gamma'],
  ])('calibrate %s %s %s: one line that points to the help, exit code 2', async (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    expect(await failure(2, 'calibrate', ...words)).toContain('; see fastcam calibrate --help');
  });
});
