import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ARCHITECTURES } from '../../src/node/architectures.js';
import { KNOWN_MODELS, type MemoryFit, type ModelList, openModel } from '../../src/node/index.js';
import { failure, fastcam } from './terminal.js';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'fastcam-cache-'));
  vi.stubEnv('FASTCAM_CACHE', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

async function print(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await fastcam('models', ...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** The cells of a table's row that begins so. */
function cellsOf(text: string, ...begin: string[]): string[] {
  const rows = text.split('\n').map((line) =>
    line
      .split('│')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.find((cells) => begin.every((cell, i) => cells[i] === cell))!;
}

describe('fastcam models', () => {
  test('lists the bundled model and those known by name, and says which are here', async () => {
    writeFileSync(join(cache, 'timm-resnet50.a1_in1k.safetensors'), 'weights');
    writeFileSync(join(cache, 'timm-resnet50.tv_in1k.safetensors.part'), 'half');
    writeFileSync(join(cache, 'mine-0123456789ab.pth'), 'weights');
    const text = await print();
    const from = ['huggingface.co', 'BSD-3-Clause', 'no'];
    expect(cellsOf(text, 'timm/resnet50.tv_in1k')).toEqual([
      'timm/resnet50.tv_in1k',
      'resnet50',
      '102.4',
      ...from,
    ]);
    expect(cellsOf(text, 'timm/resnet50.a1_in1k').at(-1)).toBe('yes');
    expect(cellsOf(text, 'bundled').at(-1)).toBe('yes');
    expect(text).toContain(`The cache: ${cache}\nAlso in it:\n  ${cache}/mine-0123456789ab.pth`);
    expect(text).not.toContain('.part');

    const list: ModelList = JSON.parse(await print('--json'));
    expect(list.models.map(({ name }) => name)).toEqual([
      'bundled',
      ...KNOWN_MODELS.map(({ name }) => name),
    ]);
    expect(list.files).toEqual([{ path: join(cache, 'mine-0123456789ab.pth'), bytes: 7 }]);
  });

  test('lists them where there is no cache yet', async () => {
    rmSync(cache, { recursive: true });
    expect(cellsOf(await print(), 'torchvision/resnet152-v2').at(-1)).toBe('no');
  });
});

describe('the known models', () => {
  test('have names, files and defaults of their own, and architectures of the table', () => {
    const names = KNOWN_MODELS.flatMap(({ name, alias }) => (alias ? [name, alias] : [name]));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(KNOWN_MODELS.map(({ file }) => file)).size).toBe(KNOWN_MODELS.length);
    for (const { alias, architecture, url, file, sha256Prefix } of KNOWN_MODELS) {
      expect(Object.keys(ARCHITECTURES)).toContain(architecture);
      expect([undefined, architecture]).toContain(alias);
      expect(url).toMatch(/^https:\/\/(huggingface\.co|download\.pytorch\.org)\//);
      expect(file).toMatch(sha256Prefix ? new RegExp(`-${sha256Prefix}\\.pth$`) : /\.safetensors$/);
    }
  });
});

describe('fastcam models --fit', () => {
  test('has what is really allocated, and says what fits', async () => {
    const fit: MemoryFit = JSON.parse(await print('--fit', '10MB', '--backend', 'simd', '--json'));
    expect(fit).toMatchObject({ budgetBytes: 1e7, backend: 'simd' });
    const [tiny] = fit.networks;
    const { net } = await openModel({ backend: 'simd', precision: 'f32' });
    expect(tiny).toMatchObject({ network: 'bundled', precision: 'f32', largest: 192 });
    for (const { size, weightBytes, arenaBytes, scratchBytes, totalBytes, fits } of tiny!.inputs) {
      expect(weightBytes).toBe(net.weightBytes);
      expect(arenaBytes + scratchBytes).toBe(net.forward(1, size, size).bytes);
      expect(fits).toBe(totalBytes <= 1e7);
    }
    expect(fit.networks).toHaveLength(3 * (1 + Object.keys(ARCHITECTURES).length));
  });

  test('puts in brackets what does not fit', async () => {
    const text = await print('--fit', '128MB');
    expect(cellsOf(text, 'resnet18', 'f32').slice(3, 6).join()).not.toContain('(');
    expect(cellsOf(text, 'resnet152', 'f32')[4]).toMatch(/^\(2\d\d\.\d\)$/);
    expect(cellsOf(text, 'resnet152', 'f32').at(-1)).toBe('none');
    expect(text).toContain('In brackets: more than 128.0 MB.');
  });

  test.each([
    ['photo.png'],
    ['--fit'],
    ['--fit', 'much'],
    ['--fit', '0'],
    ['--fit', '1MB', '--backend', 'gpu'],
  ])('models %s %s: one line that points to the help, exit code 2', async (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    expect(await failure(2, 'models', ...words)).toContain('see fastcam models --help');
  });
});
