/** PyTorch's files on the page: told by their bytes, read as in Node, and by a reader that comes when it is needed. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { unzipRaw } from 'unzipit';
import { describe, expect, test } from 'vitest';
import { zip } from '../../../test/checkpoint-files.ts';
import { ENGINE } from './browser.ts';
import { explaining, overflow, saveReport, violations } from './driver.ts';
import {
  choose,
  drop,
  expectAsInNode,
  fileAt,
  type NamedFile,
  refused,
  scriptsOfWorker,
} from './own-files.ts';
import { page, usePage } from './setup.ts';

const DIST = new URL('../dist/', import.meta.url);

usePage();

function pathOf(name: string): string {
  return new URL(`../../../test/weights/files/${name}`, import.meta.url).pathname;
}

/** A file of test/weights/files, under its own name or another. */
function given(path: string, name?: string): NamedFile {
  return fileAt(pathOf(path), name);
}

test.each([
  ['zip.pth', 'of today'],
  ['legacy.pth', 'of before 1.6'],
  ['legacy-python2.pth', 'of before 1.6, from Python 2'],
  ['tar-2016.pth', 'of 2016'],
  ['module.pth', 'with a whole module'],
  ['script.pt', 'that is a TorchScript program'],
  ['half.pth', 'in half precision'],
  ['lightning-net.ckpt', 'of Lightning'],
  ['in-two-dicts.pth', 'of several dictionaries'],
  ['densenet-chexnet.pth.tar', 'of a DenseNet, named .pth.tar'],
])('%s, a checkpoint %s, is explained as in Node', async (path) => {
  await explaining(page, () => choose(given(path)));
  await expectAsInNode(pathOf(path));
  expect((await saveReport(page)).model.name).toBe(basename(path));
});

test('dropped files are told by their bytes, whatever they are called', async () => {
  await explaining(page, () => drop(given('legacy.pth', 'weights')));
  await expectAsInNode(pathOf('legacy.pth'));
  await explaining(page, () => drop(given('half-safetensors.safetensors', 'model.pth')));
  await expectAsInNode(pathOf('half-safetensors.safetensors'));
  await explaining(page, () => drop(given('zip.pth', 'model.safetensors')));
  await expectAsInNode(pathOf('zip.pth'));
});

test('a checkpoint that was packed again, deflated, is explained too', async () => {
  const { entries } = await unzipRaw(readFileSync(pathOf('zip.pth')));
  const unpacked: Record<string, Uint8Array> = {};
  for (const entry of entries) unpacked[entry.name] = new Uint8Array(await entry.arrayBuffer());
  await explaining(page, () =>
    choose({ name: 'packed.pth', bytes: zip(unpacked, { deflate: true }) }),
  );
  await expectAsInNode(pathOf('zip.pth'));
});

test('a checkpoint in several files is explained from all of them, with its index or without', async () => {
  const part = (i: number) => given(`shards-bin/pytorch_model-0000${i}-of-00002.bin`);
  const index = given('shards-bin/pytorch_model.bin.index.json');
  expect(await refused(part(2))).toBe(
    'pytorch_model-00002-of-00002.bin: one of 2 files; choose them all at once.',
  );
  await explaining(page, () => choose(index, part(1), part(2)));
  await expectAsInNode(pathOf('shards-bin/pytorch_model.bin.index.json'));
  const { model, scales } = await saveReport(page);
  expect(model.name).toBe('pytorch_model.bin (2 files)');
  await explaining(page, () => drop(part(2), part(1)));
  expect((await saveReport(page)).scales).toEqual(scales);
});

test('what goes along with weights is left out: notes, and a checkpoint beside safetensors', async () => {
  const notes = given('other-notes.txt');
  await explaining(page, () => choose(notes, given('zip.pth')));
  await expectAsInNode(pathOf('zip.pth'));
  await explaining(page, () =>
    choose(given('module.pth'), notes, given('half-safetensors.safetensors')),
  );
  await expectAsInNode(pathOf('half-safetensors.safetensors'));
  expect((await saveReport(page)).model.name).toBe('half-safetensors.safetensors');
});

test.each([320, 1280])(
  'what is to be said of weights stands below their name, %i pixels wide',
  async (width) => {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.isVisible('#notes')).toBe(false);
    await explaining(page, () => choose(given('byol.pth')));
    const lines = (await page.innerText('#notes')).split('\n');
    expect(lines).toEqual([
      'Note: read online_network_state_dict; the file also has target_network_state_dict; to read another: fastcam --state-dict',
      expect.stringMatching(
        /^Note: 8 tensors are part of no layer, and left out: projetion\.net\./,
      ),
    ]);
    expect(await overflow(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await explaining(page, () => choose(given('heads-two.safetensors')));
    expect(await page.innerText('#notes')).toMatch(
      /^Note: 2 tensors are part of no layer, and left out: fc_gender\./,
    );
    await explaining(page, () => choose(given('zip.pth')));
    expect(await page.isVisible('#notes')).toBe(false);
  },
);

describe('what cannot be explained is called by its name, in one line, and the network stays', () => {
  const files: readonly (readonly [name: string, says: string])[] = [
    ['other-model.h5', 'is HDF5, as Keras writes it (.h5); save its weights as safetensors:'],
    ['other-model.onnx', 'ONNX with no input of four dimensions, as a picture has'],
    ['other-model.keras', 'is a Keras model (.keras); save its weights as safetensors:'],
    ['other-weights.npz', "is NumPy's arrays (.npz); save them as safetensors:"],
    ['other-model.pth.gz', 'is a gzip archive; unpack it first'],
    ['other-notes.txt', 'is plain text, not weights: "'],
    ['other-empty.pth', 'is empty'],
    ['other-quantized-static.pth', ''],
  ];

  test('files of test/weights', async () => {
    for (const [name, says] of files) {
      const told = await refused(given(name));
      expect(told.startsWith(`${name}: ${says}`), told).toBe(true);
      expect(told).not.toMatch(/\n|header/);
    }
    expect((await saveReport(page)).model.name).toBe('tiny ResNet-50');
  });

  test('damaged, empty and unknown ones, and class names alone', async () => {
    const { bytes } = given('zip.pth');
    const cut = await refused({ name: 'cut.pth', bytes: bytes.subarray(0, 20_000) });
    expect(cut).toMatch(/^cut\.pth: not a readable zip archive: /);
    const legacy = given('legacy.pth').bytes.subarray(0, 15_000);
    expect(await refused({ name: 'short.pth', bytes: legacy })).toMatch(/^short\.pth: /);
    expect(await refused({ name: 'none.pth', bytes: new Uint8Array() })).toBe('none.pth: is empty');
    expect(await refused({ name: 'some.dat', bytes: Uint8Array.of(250, 1, 2, 3) })).toBe(
      'some.dat: is not a supported kind of file (a picture, ONNX, safetensors, a PyTorch checkpoint); it begins with the bytes fa 01 02 03',
    );
    expect(await refused({ name: 'names.json', bytes: Buffer.from('["cat"]') })).toBe(
      'names.json: class names alone; choose them together with the weights.',
    );
    expect((await saveReport(page)).model.name).toBe('tiny ResNet-50');
  });
});

test.runIf(ENGINE === 'chromium')(
  'the reader is loaded when a checkpoint comes, and for safetensors not at all',
  async () => {
    expect(await scriptsOfWorker()).toEqual([]);
    await explaining(page, () => choose(given('half-safetensors.safetensors')));
    expect(await scriptsOfWorker()).not.toContain('checkpoints');
    await explaining(page, () => choose(given('zip.pth')));
    expect(await scriptsOfWorker()).toContain('checkpoints');
  },
);

test('the service worker keeps every file of the build, those of onnxruntime-web once they are used', () => {
  const source = readFileSync(new URL('service-worker.js', DIST), 'utf8');
  const names = (list: string) =>
    JSON.parse(new RegExp(`^const ${list} = (\\[.*\\]);$`, 'm').exec(source)![1]!) as string[];
  const assets = readdirSync(new URL('assets/', DIST)).map((name) => `assets/${name}`);
  expect([...names('FILES'), ...names('LATER')].toSorted()).toEqual(['./', ...assets].toSorted());
  const later = names('LATER').map((name) => name.replace(/-[\w-]{8}(?=\.\w+$)/, ''));
  expect(later.toSorted()).toEqual([
    'assets/onnxruntime.js',
    'assets/ort-wasm-simd-threaded.asyncify.wasm',
  ]);
});
