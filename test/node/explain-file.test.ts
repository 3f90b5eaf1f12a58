import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundledModel, explainFile, readPicture } from '../../src/node/index.js';
import { exif, jpeg } from './pictures/picture-files.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('without a folder nothing is written, and the explanation is that of the pixels', async () => {
  const path = join(folder, 'turned.jpg');
  writeFileSync(path, jpeg([[[20], [220], [90]]], { exif: exif(6) }));
  const before = readdirSync(folder);
  const { explanation, report, files } = await explainFile(path, { cam: 'gradcam' });
  expect(readdirSync(folder)).toEqual(before);
  expect(files).toEqual([]);
  expect(report.files).toEqual([]);
  // Maps come in the pixels of the picture as it is seen, not as it is stored.
  expect(explanation.combinedMap.shape).toEqual([24, 8]);
  const { net } = await bundledModel();
  const direct = net.explain(await readPicture(path), { cam: 'gradcam' });
  expect(explanation.logits).toEqual(direct.logits);
});

test('report.json is the report, and lists every file of its folder', async () => {
  const path = join(folder, 'flat.jpg');
  writeFileSync(path, jpeg([[[20]], [[220]]]));
  const out = join(folder, 'out');
  const progress: number[] = [];
  const { report, files } = await explainFile(path, { out, onProgress: (p) => progress.push(p) });
  expect(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(report)),
  );
  expect([...files].sort()).toEqual(
    readdirSync(out)
      .map((name) => join(out, name))
      .sort(),
  );
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(progress.at(-1)).toBe(1);
});

test.runIf(process.platform === 'linux')(
  'a folder that nobody can make is told at once',
  async () => {
    const path = join(folder, 'grey.jpg');
    writeFileSync(path, jpeg([[[20]]]));
    // Node's own recursive mkdir does not return from here.
    await expect(explainFile(path, { out: '/proc/no/such/place' })).rejects.toThrow(
      '/proc/no/such/place: cannot be created',
    );
  },
);
