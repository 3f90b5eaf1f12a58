import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { findInputs, type Input, outputFolders } from '../../src/node/inputs.js';

const named = (...paths: string[]): Input[] =>
  paths.map((path) => ({ path, name: basename(path) }));

describe('output folders', () => {
  test('are named after the inputs', () => {
    expect(outputFolders(named('a/cat.png', 'dog.tar.gz'), 'out')).toEqual([
      join('out', 'cat'),
      join('out', 'dog.tar'),
    ]);
  });

  test('number inputs with the same name, ignoring case, also if the names have numbers', () => {
    expect(outputFolders(named('a/cat.png', 'b/Cat.jpg', 'cat-2.png', 'cat.gif'), 'o')).toEqual(
      ['cat', 'Cat-2', 'cat-2-2', 'cat-3'].map((name) => join('o', name)),
    );
  });

  test('avoid a folder that contains an input, and the name of an input without an extension', () => {
    expect(outputFolders(named(join('sheet', 'sheet.png')), '.')).toEqual(['sheet-2']);
    expect(outputFolders(named(join('out', 'cat')), 'out')).toEqual([join('out', 'cat-2')]);
  });

  test('are arranged as the pictures of a folder are', () => {
    const inputs = ['b.png', join('in', 'b.png'), join('in', 'b.jpg')].map((name) => ({
      path: join('photos', name),
      name,
    }));
    expect(outputFolders(inputs, 'out')).toEqual(
      ['b', join('in', 'b'), join('in', 'b-2')].map((name) => join('out', name)),
    );
  });

  const path = fc
    .array(fc.constantFrom('a', 'A', 'a-2', 'b', '.png', '..', 'x.y'), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => parts.join('/'));
  test.prop([fc.array(path, { maxLength: 8 })])('never collide', (inputs) => {
    const folders = outputFolders(named(...inputs), 'out').map((folder) => folder.toLowerCase());
    expect(new Set(folders).size).toBe(inputs.length);
  });
});

describe('inputs', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fastcam-inputs-'));
    const files = ['p/10.png', 'p/9.JPG', 'p/a/x.webp', 'p/a/notes.txt', 'p/.git/y.png'];
    for (const file of [...files, 'p/node_modules/m.png', 'p/out/9/sheet.png', 'empty/x.txt']) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), '');
    }
    symlinkSync('..', join(folder, 'p', 'round'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('are the pictures of a folder and its subfolders, in natural order (2 before 10)', async () => {
    const photos = join(folder, 'p');
    const inputs = await findInputs([photos], join(photos, 'out'));
    expect(inputs.map(({ name }) => name)).toEqual(['9.JPG', '10.png', join('a', 'x.webp')]);
    expect(inputs.map(({ path }) => path)).toEqual(inputs.map(({ name }) => join(photos, name)));
  });

  test('are the named files, of any kind, in the given order', async () => {
    const files = [join(folder, 'p', 'a', 'notes.txt'), join(folder, 'none.png')];
    expect(await findInputs(files)).toEqual(named(...files));
  });

  test('a folder without pictures is an input that fails', async () => {
    const [only, ...rest] = await findInputs([join(folder, 'empty')]);
    expect(rest).toEqual([]);
    expect(only!.failure!.message).toBe(
      `${join(folder, 'empty')}: a folder without pictures (png, jpg, webp …)`,
    );
  });
});
