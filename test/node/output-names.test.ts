import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { outputFolders } from '../../src/node/output-names.js';

describe('output folders', () => {
  test('are named for the inputs', () => {
    expect(outputFolders(['a/cat.png', 'dog.tar.gz'], 'out')).toEqual([
      join('out', 'cat'),
      join('out', 'dog.tar'),
    ]);
  });

  test('number the inputs of one name, in any case and with numbers of their own', () => {
    expect(outputFolders(['a/cat.png', 'b/Cat.jpg', 'cat-2.png', 'cat.gif'], 'o')).toEqual(
      ['cat', 'Cat-2', 'cat-2-2', 'cat-3'].map((name) => join('o', name)),
    );
  });

  test('pass over a folder that holds an input, and an input without an ending', () => {
    expect(outputFolders([join('sheet', 'sheet.png')], '.')).toEqual(['sheet-2']);
    expect(outputFolders([join('out', 'cat')], 'out')).toEqual([join('out', 'cat-2')]);
  });

  const path = fc
    .array(fc.constantFrom('a', 'A', 'a-2', 'b', '.png', '..', 'x.y'), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => parts.join('/'));
  test.prop([fc.array(path, { maxLength: 8 })])('never collide', (inputs) => {
    const folders = outputFolders(inputs, 'out').map((folder) => folder.toLowerCase());
    expect(new Set(folders).size).toBe(inputs.length);
  });
});
