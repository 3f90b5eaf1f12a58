import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
      /│ layer4\.2\.conv3 +│ +65536 │ +[\d.]+ │ +[\d.]+e-[45] │ +[\d.]+e-\d │/,
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
    const { layers, files, precision } = JSON.parse(stdout) as Conversion;
    // Fifty-three convolutions, each with its batch norm, and the classifier.
    expect(layers).toHaveLength(2 * 53 + 1);
    expect(precision).toBe('f16');
    expect(files).toHaveLength(3);
    expect(JSON.parse(readFileSync(files[2]!, 'utf8')).metadata.total_size).toBeGreaterThan(3e6);
  });

  test('what loses nothing says so; a terminal sees a bar', async () => {
    const out = join(folder, 'b.safetensors');
    const { stdout, stderr } = await inTerminal(true, ['convert', 'bundled', out]);
    expect(stdout).toContain('No weight changes.');
    expect(stderr).toContain('░');
  });

  test.each<[number, string[], RegExp]>([
    [2, [EXACT, EXACT], /would overwrite what is read/],
    [2, [EXACT], /missing required argument 'out'/],
    [2, [EXACT, 'x.bin', '--shard', '1MB'], /shards expected an output called/],
    [2, [EXACT, 'x', '--shard', '1 apple'], /Expected a size like 128MB/],
    [2, [EXACT, 'x', '--precision', 'int3'], /Allowed choices are f32, f16/],
    [1, ['none.pth', 'x'], /none\.pth: no such file/],
    [1, ['samples/chelsea.png', 'x'], /is a picture \(PNG\)/],
  ])('exit code %i for %j, on one line', async (code, argv, message) => {
    const outcome = await fastcam('convert', ...argv);
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toMatch(/^fastcam: [^\n]+\n$/);
    expect(outcome.stderr).toMatch(message);
  });
});
