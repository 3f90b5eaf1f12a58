import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FormatError, ShapeError } from '../../src/errors.js';
import { labelledPictures } from '../../src/node/labelled-pictures.js';
import { temporaryFolder } from '../temporary-folder.js';

const { folder, write } = temporaryFolder('labelled');
const LABELS = ['cat', 'Dog', 'grey fox'];

function fill(name: string, files: readonly string[]): string {
  for (const file of files) write(`${name}/${file}`, '');
  return join(folder, name);
}

const named = fill('named', [
  'dog/2.png',
  'dog/10.png',
  'dog/1.png',
  'Cat/deep/a.jpg',
  'Cat/n.txt',
]);
const sorted = fill('sorted', ['n02/a.png', 'n01/b.png', 'n03/c.png', 'n03/d.png']);

/** Name and class of each picture. */
async function listed(...call: Parameters<typeof labelledPictures>) {
  return (await labelledPictures(...call)).map(({ name, target }) => [name, target]);
}

describe('pictures in folders of their classes', () => {
  it('have the class that their folder is called, in any case', async () => {
    expect(await listed(named, LABELS)).toEqual([
      ['Cat/deep/a.jpg', 0],
      ['dog/1.png', 1],
      ['dog/2.png', 1],
      ['dog/10.png', 1],
    ]);
    expect((await labelledPictures(named, LABELS))[0]!.path).toBe(join(named, 'Cat/deep/a.jpg'));
  });

  it('have classes in sorted order if the folders are called differently, and are as many', async () => {
    expect(await listed(sorted, LABELS)).toEqual([
      ['n01/b.png', 0],
      ['n02/a.png', 1],
      ['n03/c.png', 2],
      ['n03/d.png', 2],
    ]);
    await expect(labelledPictures(sorted, [...LABELS, 'owl'])).rejects.toThrow(
      'n01: no class of the model is called n01, and 3 folders are not its 4 classes in sorted order',
    );
  });

  it('have an index as class if no class is called so', async () => {
    const digits = fill('digits', ['2/a.png', '0/b.png']);
    expect(await listed(digits, LABELS)).toEqual([
      ['0/b.png', 0],
      ['2/a.png', 2],
    ]);
    expect(await listed(digits, ['2', '1', '0'])).toEqual([
      ['2/a.png', 0],
      ['0/b.png', 2],
    ]);
  });

  it('are refused if some folders are no class, or a picture is in none', async () => {
    const half = fill('half', ['cat/a.png', 'owl/b.png']);
    await expect(labelledPictures(half, LABELS)).rejects.toThrow(
      'no class of the model is called owl',
    );
    const loose = fill('loose', ['cat/a.png', 'b.png']);
    await expect(labelledPictures(loose, LABELS)).rejects.toThrow(
      'b.png: is in no folder of a class',
    );
    await expect(labelledPictures(join(folder, 'none'), LABELS)).rejects.toThrow(
      'none: no such file',
    );
  });

  it('can be limited to some of each class, and to some classes', async () => {
    expect(await listed(named, LABELS, { limit: 1, classes: ['dog'] })).toEqual([['dog/1.png', 1]]);
    expect((await listed(named, LABELS, { limit: 2, classes: [1, 0] })).length).toBe(3);
    await expect(labelledPictures(named, LABELS, { classes: ['owl'] })).rejects.toThrow(ShapeError);
    await expect(labelledPictures(named, LABELS, { classes: [3] })).rejects.toThrow('no class 3');
    await expect(labelledPictures(named, LABELS, { classes: [2] })).rejects.toThrow(FormatError);
    await expect(labelledPictures(named, LABELS, { limit: 0 })).rejects.toThrow(ShapeError);
  });
});

describe('boxes', () => {
  it('are found by file names relative to the folder or to the table, several a picture', async () => {
    const beside = write(
      'boxes.csv',
      'file,x0,y0,x1,y1\ndog/1.png,1,2,3,4\ndog/1.png,0,0,9,9\nnamed/dog/2.png,5,6,7,8\n',
    );
    const found = await labelledPictures(named, LABELS, { boxes: beside, classes: [1] });
    expect(found.map(({ boxes }) => boxes)).toEqual([
      [
        { x0: 1, y0: 2, x1: 3, y1: 4 },
        { x0: 0, y0: 0, x1: 9, y1: 9 },
      ],
      [{ x0: 5, y0: 6, x1: 7, y1: 8 }],
      undefined,
    ]);
  });

  it.each([
    ['a missing column', 'file,x0,y0,x1\na,1,2,3\n', 'line 1: expected a header file,x0,y0,x1,y1'],
    ['crossed corners', 'file,x0,y0,x1,y1\n\ndog/1.png,3,0,1,9\n', 'line 3: expected a box'],
    ['words', 'file,x0,y0,x1,y1\ndog/1.png,a,0,1,9\n', 'line 2: expected a box'],
    ['half a box', 'file,x0,y0,x1,y1\ndog/1.png,1,,1,9\n', 'line 2: expected a box'],
    ['too few cells', 'file,x0,y0,x1,y1\ndog/1.png,1\n', 'line 2: 2 cells, expected 5'],
    ['other files only', 'file,x0,y0,x1,y1\nx.png,1,1,2,2\n', 'has a box in it'],
    ['no rows', 'file,x0,y0,x1,y1\n', 'has no rows'],
  ])('are refused for %s', async (name, text, message) => {
    const boxes = write(`${name}.csv`, text);
    await expect(labelledPictures(named, LABELS, { boxes })).rejects.toThrow(message);
  });
});

describe('a table of labelled pictures', () => {
  it('gives files relative to itself, classes by name or index, and boxes where it has them', async () => {
    const table = write(
      'named/table.csv',
      'Label;File;xmin;ymin;xmax;ymax\nDOG;dog/10.png;;;;\n0;Cat/deep/a.jpg;1;1;2;2\n0;Cat/deep/a.jpg;3;3;4;4\n',
    );
    expect(await labelledPictures(table, LABELS)).toEqual([
      {
        ...{ path: join(named, 'Cat/deep/a.jpg'), name: 'Cat/deep/a.jpg', target: 0 },
        boxes: [
          { x0: 1, y0: 1, x1: 2, y1: 2 },
          { x0: 3, y0: 3, x1: 4, y1: 4 },
        ],
      },
      { path: join(named, 'dog/10.png'), name: 'dog/10.png', target: 1 },
    ]);
  });

  it.each([
    ['unknown-class', 'file,label\ndog/1.png,owl\n', 'line 2: the model has no class owl'],
    ['twice', 'file,label\ndog/1.png,1\ndog/1.png,1\n', 'line 3: dog/1.png is there twice'],
    ['two-labels', 'file,label\ndog/1.png,1\ndog/1.png,0\n', 'line 3: dog/1.png has another label'],
    ['no-label', 'file,size\ndog/1.png,1\n', 'it has no label'],
    ['no-file', 'file,label\n,1\n', 'line 2: no file'],
    ['missing-file', 'file,label\ndog/3.png,1\n', '3.png: no such file'],
  ])('is refused with its line: %s', async (name, text, message) => {
    const table = write(`named/${name}.csv`, text);
    await expect(labelledPictures(table, LABELS)).rejects.toThrow(message);
  });
});
