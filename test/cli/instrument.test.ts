import { copyFileSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Instrumentation } from '../../src/node/instrument.js';
import { temporaryFolder } from '../temporary-folder.js';
import { failure, fastcam, success } from './terminal.js';

const FILES = 'test/onnx/instrument';

const { folder, write } = temporaryFolder('instrument-command');

describe('fastcam instrument', () => {
  test('writes a file, and tells of its outputs', async () => {
    const out = join(folder, 'maps.onnx');
    expect(await success('instrument', `${FILES}/opset11.onnx`, '-o', out)).toBe(
      [
        `${out}: ${statSync(out).size - statSync(`${FILES}/opset11.onnx`).size} bytes more, with the outputs`,
        '  saliency  [N, H, W]  combined',
        '  scale_0   [N, h, w]  /Relu_output_0',
        '  scale_1   [N, h, w]  /Relu_1_output_0',
        '  scale_2   [N, h, w]  /Relu_2_output_0',
        '  cam       [N, H, W]  gradcam++ of the top class',
        '  fastcam   [N, H, W]  saliency × cam',
        '',
      ].join('\n'),
    );
    expect(readdirSync(folder)).toEqual(['maps.onnx']);
  });

  test('tells what became of a file of an old opset, and of the input that chooses the class', async () => {
    const out = join(folder, 'old.onnx');
    const argv = ['--class-input', '--cam', 'xgradcam', '--statistic', 'sd'];
    const text = await success('instrument', `${FILES}/opset7.onnx`, '-o', out, ...argv);
    expect(text).toContain('xgradcam of the given class\n');
    expect(text).toContain('Input class: int64 [N], the class of each picture.\n');
    expect(text).toContain(
      'Converted from opset 7 to 11; rewritten: 1 BatchNormalization, 1 Pad, 1 Slice, 1 Clip.\n',
    );
  });

  test('--json prints one line: names, opset, sizes', async () => {
    const out = join(folder, 'j.onnx');
    const argv = ['--cam', 'none', '--scale-weights', 'ramp', '--size', '64x96', '--json'];
    const text = await success('instrument', `${FILES}/opset13.onnx`, '-o', out, ...argv);
    expect(text.trimEnd()).not.toContain('\n');
    const told = JSON.parse(text) as Instrumentation;
    expect(told).toMatchObject({
      output: out,
      outputs: { saliency: 'saliency', scales: ['scale_0', 'scale_1', 'scale_2'] },
      opset: { before: 13, after: 13 },
      rewritten: {},
      warnings: [],
      cam: 'none',
    });
    expect(told.bytes).toBe(statSync(out).size);
    expect(told.taps).toHaveLength(3);
  });

  test('notes weights that lie beside a file and do not come along', async () => {
    const out = join(folder, 'moved.onnx');
    const { code, stderr } = await fastcam('instrument', `${FILES}/external.onnx`, '-o', out);
    expect(code).toBe(0);
    expect(stderr).toBe(
      `fastcam: note: ${FILES}/external.onnx: weights are in external.bin: copy them to where ${out} is\n`,
    );
    for (const name of ['external.onnx', 'external.bin']) {
      copyFileSync(`${FILES}/${name}`, join(folder, name));
    }
    await success('instrument', join(folder, 'external.onnx'), '-o', join(folder, 'beside.onnx'));
  });

  test('writes over nothing that is read', async () => {
    const own = join(folder, 'opset11.onnx');
    copyFileSync(`${FILES}/opset11.onnx`, own);
    const link = join(folder, 'link.onnx');
    symlinkSync(own, link);
    for (const out of [own, link]) {
      expect(await failure(2, 'instrument', own, '-o', out)).toContain('would overwrite an input');
    }
    expect(readFileSync(own).equals(readFileSync(`${FILES}/opset11.onnx`))).toBe(true);
  });

  test.each<[string[], number, RegExp]>([
    [['opset11.onnx'], 2, /required option '-o, --out <file>' not specified/],
    [['opset11.onnx', '-o', 'maps.bin'], 2, /output expected a name that ends in \.onnx/],
    [['opset11.onnx', '-o', 'none/maps.onnx'], 1, /its folder does not exist/],
    [['none.onnx', '-o', 'maps.onnx'], 1, /none\.onnx: no such file/],
    [['opset11.onnx', '-o', 'maps.onnx', '--statistic', 'gamma'], 2, /--statistic: gamma cannot/],
    [
      ['opset11.onnx', '-o', 'maps.onnx', '--size', '8'],
      2,
      /--size: the file takes inputs of 16×20/,
    ],
    [['opset11.onnx', '-o', 'maps.onnx', '--size', '8x9x1'], 2, /height and width like 224x320/],
    [
      ['opset11.onnx', '-o', 'maps.onnx', '--scale-weights', 'prior'],
      2,
      /--scale-weights: expected 3/,
    ],
    [
      ['rewrites7.onnx', '-o', 'maps.onnx', '--taps', 'y0', '--cam', 'gradcam'],
      2,
      /--cam: gradcam expected a class/,
    ],
    [
      ['rewrites7.onnx', '-o', 'maps.onnx', '--taps', 'y0', '--class-input'],
      2,
      /--class-input: without a class/,
    ],
    [
      ['rewrites7.onnx', '-o', 'maps.onnx'],
      1,
      /no value ends a scale: name some by --taps, such as y0/,
    ],
  ])('refuses %j', async ([input, ...argv], code, message) => {
    const [o, out, ...rest] = argv;
    const own = o === undefined ? [] : [o, join(folder, out!), ...rest];
    const before = readdirSync(folder);
    expect(await failure(code, 'instrument', `${FILES}/${input}`, ...own)).toMatch(message);
    expect(readdirSync(folder)).toEqual(before);
  });

  test('names a damaged file, and the byte', async () => {
    const bytes = readFileSync(`${FILES}/opset11.onnx`);
    const path = write('cut/opset11.onnx', bytes.subarray(0, 5000));
    const line = await failure(1, 'instrument', path, '-o', join(folder, 'cut.onnx'));
    expect(line).toMatch(
      /opset11\.onnx: not an ONNX model: damaged at byte \d+, or the file is cut short/,
    );
  });
});
