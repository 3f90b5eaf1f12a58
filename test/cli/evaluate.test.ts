import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Evaluation } from '../../src/node/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { failure, fastcam, success } from './terminal.js';

const { folder, write } = temporaryFolder('evaluate-cli');
const cat = readFileSync('samples/chelsea.png');
const data = join(folder, 'data');
for (const name of ['goldfish/a.png', 'goldfish/b.png', 'bullfrog/c.png'])
  write(`data/${name}`, cat);
const boxes = write('boxes.csv', 'file,x0,y0,x1,y1\ngoldfish/a.png,0,0,99,99\n');
const QUICK = ['--size', '32', '--backend', 'simd', '--methods', 'saliency,gradcam'];

describe('fastcam evaluate', () => {
  test('prints a table of scores, of random weights and of agreement, and continues', async () => {
    const out = join(folder, 'out');
    const metrics = ['--metrics', 'drop,localization,agreement,randomization'];
    const more = ['--limit', '1', '--boxes', boxes, '--randomized', '1', '-o', out];
    const argv = [data, ...QUICK, ...metrics, ...more];
    const printed = await success('evaluate', ...argv);
    expect(printed).toMatch(/data: 2 pictures, bundled model, backend simd, \d+\.\d % classified/);
    for (const head of ['drop ↓', 'increase ↑', 'pointing ↑', 'energy ↑', 'seconds']) {
      expect(printed).toContain(head);
    }
    expect(printed).toMatch(/│ Centred Gaussian +│ +1\.00 │ +1\.00 │/);
    expect(printed).toContain('most alike');
    expect(printed).toContain(join(out, 'evaluate.json'));
    const json = await success('evaluate', ...argv, '--json');
    expect(JSON.parse(json)).toEqual(JSON.parse(readFileSync(join(out, 'evaluate.json'), 'utf8')));
    expect(readdirSync(out)).toContain('pictures.jsonl');
    expect(await failure(1, 'evaluate', ...argv, '--seed', '2')).toContain('another seed');
  });

  test('measures only what is asked for, of some classes; a broken picture is named and the exit code 1', async () => {
    write('broken/goldfish/a.png', cat);
    write('broken/goldfish/b.png', 'no picture');
    const argv = ['--metrics', 'drop', '--classes', '1', '-o', join(folder, 'some'), '--json'];
    const run = await fastcam('evaluate', join(folder, 'broken'), ...QUICK, ...argv);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^fastcam: .*b\.png: .*\n$/);
    const { methods, curves, files }: Evaluation = JSON.parse(run.stdout);
    expect(Object.keys(methods[0]!.scores)).toEqual(['drop', 'increase', 'seconds']);
    expect(curves.insertion).toEqual({});
    expect(files.map((file) => file.slice(join(folder, 'some').length + 1))).toEqual([
      ...['evaluate.json', 'bars-drop.svg', 'bars-increase.svg', 'bars-seconds.svg'],
    ]);
  });

  test.each([
    [['--methods', 'smoe'], 2, '--methods'],
    [['--metrics', 'all,drop'], 2, '--metrics'],
    // All is a name for all methods.
    [['--methods', 'all', '--limit', '0'], 2, 'from 1 to'],
    [['--classes', '201'], 2, '--classes 201: the model has 200'],
    [['--boxes', 'none.csv'], 1, 'none.csv: no such file'],
  ])('refuses %j', async (argv, code, message) => {
    expect(await failure(code, 'evaluate', data, ...QUICK, ...argv, '-o', folder)).toContain(
      message,
    );
  });
});
