import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ARCHITECTURES } from '../../src/node/architectures.js';
import { KNOWN_MODELS, type ModelList } from '../../src/node/index.js';
import { cellsOf, failure, success } from './terminal.js';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'fastcam-cache-'));
  vi.stubEnv('FASTCAM_CACHE', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

describe('fastcam models', () => {
  test('lists the bundled model and those known by name, and says which are here', async () => {
    writeFileSync(join(cache, 'timm-resnet50.a1_in1k.safetensors'), 'weights');
    writeFileSync(join(cache, 'timm-resnet50.tv_in1k.safetensors.part'), 'half');
    writeFileSync(join(cache, 'mine-0123456789ab.pth'), 'weights');
    const text = await success('models');
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

    const list: ModelList = JSON.parse(await success('models', '--json'));
    expect(list.models.map(({ name }) => name)).toEqual([
      'bundled',
      ...KNOWN_MODELS.map(({ name }) => name),
    ]);
    expect(list.files).toEqual([{ path: join(cache, 'mine-0123456789ab.pth'), bytes: 7 }]);
  });

  test('lists them where there is no cache yet', async () => {
    rmSync(cache, { recursive: true });
    expect(cellsOf(await success('models'), 'torchvision/resnet152-v2').at(-1)).toBe('no');
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
