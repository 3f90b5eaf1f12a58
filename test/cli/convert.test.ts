import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSafetensors } from '../../src/model/index.js';
import type { Conversion } from '../../src/node/index.js';
import { fastcam, inTerminal } from './terminal.js';

/** The bundled model before it was rounded. */
const EXACT = 'test/goldens/tiny-resnet50-f32.safetensors';
const LABELS = 'models/tiny-resnet50-labels.json';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-convert-command-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('fastcam convert', () => {
  test('writes a file that explain needs no other option for', async () => {
    const out = join(folder, 'half.safetensors');
    const convert = ['convert', EXACT, out, '--precision', 'f16', '--labels', LABELS];
    const { code, stdout, stderr } = await fastcam(...convert);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      'resnet, block bottleneck, depths 3 4 6 3, width 16, stem 7x7, stride on 3x3, classes 200',
    );
    expect(stdout).toMatch(
      /│ layer4\.2\.conv3 +│ +65536 │ +[\d.]+ │ +[\d.]+e-[45] │ +[\d.]+e-\d │ +0\.02 % │/,
    );
    expect(stdout).toContain(`Written:\n  ${out}\n`);

    const explain = ['explain', 'samples/chelsea.png', '-o', folder, '--model', out, '--json'];
    const [top] = JSON.parse((await fastcam(...explain)).stdout).top;
    expect(top.label).toBe('Egyptian cat');
  });

  test('--json prints the loss of every layer on one line, and nothing else', async () => {
    const out = join(folder, 'j.safetensors');
    const argv = ['convert', EXACT, out, '--precision', 'f16', '--shard', '2MB', '--json'];
    const { code, stdout } = await fastcam(...argv);
    expect(code).toBe(0);
    expect(stdout.trimEnd()).not.toContain('\n');
    const { layers, files, precision, warnings } = JSON.parse(stdout) as Conversion;
    // Fifty-three convolutions, each with its batch norm, and the classifier.
    expect(layers).toHaveLength(2 * 53 + 1);
    expect(precision).toBe('f16');
    expect(warnings).toEqual([]);
    expect(layers.at(-1)!.relativeError).toBeCloseTo(2e-4, 4);
    expect(files).toHaveLength(3);
    expect(JSON.parse(readFileSync(files[2]!, 'utf8')).metadata.total_size).toBeGreaterThan(3e6);
  });

  test('warns below the table of a layer whose weights int8 cannot hold', async () => {
    const bytes = readFileSync(EXACT);
    const source = parseSafetensors(bytes, EXACT);
    const { begin, shape } = source.tensors.get('layer4.0.conv1.weight')!;
    const weights = source.read('layer4.0.conv1.weight');
    // 1×1 kernels: a row has an element for each input channel.
    for (let i = 0; i < weights.length; i++) if (i % shape[1]! < 3) weights[i]! *= 50;
    bytes.set(new Uint8Array(weights.buffer), begin);
    const outliers = join(folder, 'outliers.safetensors');
    writeFileSync(outliers, bytes);
    const out = join(folder, 'o.safetensors');
    const { stdout } = await fastcam('convert', outliers, out, '--precision', 'int8');
    expect(stdout).toMatch(
      /keep every bit\.\nWarning: layer4\.0\.conv1: int8 changes .* by \d\d\.\d % or more, .*: use --precision f16\nWritten:\n/,
    );
  });

  test('what loses nothing says so; a terminal sees a bar', async () => {
    const out = join(folder, 'b.safetensors');
    const { stdout, stderr } = await inTerminal(true, ['convert', 'bundled', out]);
    expect(stdout).toContain('No weight changes.');
    expect(stderr).toContain('░');
  });

  test.each<[number, string[], RegExp]>([
    [2, [EXACT, EXACT], /would overwrite an input/],
    [2, [EXACT], /missing required argument 'out'/],
    [2, [EXACT, 'x.bin', '--shard', '1MB'], /output expected a name that ends in \.safetensors/],
    [2, [EXACT, 'x.onnx'], /output expected a name that ends in \.safetensors, got/],
    [2, [EXACT, 'x', '--shard', '1 apple'], /Expected a size like 128MB/],
    [2, [EXACT, 'x', '--precision', 'int3'], /Allowed choices are f32, f16/],
    [1, ['none.pth', 'x.safetensors'], /none\.pth: no such file/],
    [1, ['samples/chelsea.png', 'x.safetensors'], /is a picture \(PNG\)/],
  ])('exit code %i for %j, on one line', async (code, argv, message) => {
    const outcome = await fastcam('convert', ...argv);
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toMatch(/^fastcam: [^\n]+\n$/);
    expect(outcome.stderr).toMatch(message);
  });
});
