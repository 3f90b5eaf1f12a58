import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { KNOWN_MODELS, readLabels } from '../../src/node/index.js';
import { labelsFor } from '../../src/node/labels.js';
import { temporaryFolder } from '../temporary-folder.js';

const NAMES = ['tench, Tinca tinca', "potter's wheel", 'crane'];

const { write } = temporaryFolder('labels');

describe('readLabels', () => {
  it.each<[string, string, string]>([
    ['a JSON array', 'a.json', JSON.stringify(NAMES)],
    ['one a line', 'a.txt', `${NAMES.join('\n')}\n`],
    ['lines of Windows, blank ones at the end', 'b.txt', `${NAMES.join('\r\n')}\r\n\r\n \r\n`],
    ['a byte order mark', 'c.txt', `\ufeff${NAMES.join('\n')}`],
    ['a byte order mark before JSON', 'c.json', `\ufeff${JSON.stringify(NAMES)}`],
    [
      'Hugging Face’s config.json',
      'config.json',
      JSON.stringify({
        model_type: 'resnet',
        label2id: { 'tench, Tinca tinca': 0, "potter's wheel": 1, crane: 2 },
        id2label: { 0: NAMES[0], 1: NAMES[1], 2: NAMES[2] },
      }),
    ],
    ['an id2label', 'id2label.json', JSON.stringify({ ...NAMES })],
    ['indices in another order', 'd.json', `{${pair(2, 0, 1)}}`],
    [
      'class_to_idx',
      'e.json',
      JSON.stringify({ crane: 2, "potter's wheel": 1, 'tench, Tinca tinca': 0 }),
    ],
    ['class_to_idx inside', 'f.json', JSON.stringify({ class_to_idx: { ...flipped() } })],
    [
      'imagenet_class_index',
      'g.json',
      JSON.stringify({ ...NAMES.map((name, i) => [`n0000000${i}`, name]) }),
    ],
    [
      'a CSV with a header, quoted names',
      'a.csv',
      `index,name\n0,"tench, Tinca tinca"\n1,potter's wheel\n2,crane\n`,
    ],
    [
      'a CSV of other columns, rows in another order',
      'b.csv',
      `Class Name,Samples,Class ID\ncrane,5,2\n"tench, Tinca tinca",5,0\n"potter's wheel",7,1`,
    ],
    ['a CSV without a header', 'c.csv', `0,"tench, Tinca tinca"\r\n1,potter's wheel\r\n2,crane`],
    ['a CSV of names alone', 'd.csv', `"tench, Tinca tinca"\npotter's wheel\ncrane\n`],
    [
      'a CSV of names under a header',
      'e.csv',
      `label\n"tench, Tinca tinca"\npotter's wheel\ncrane`,
    ],
    ['a CSV of semicolons', 'f.csv', `id;label\n0;tench, Tinca tinca\n1;potter's wheel\n2;crane`],
    ['a TSV', 'a.tsv', `0\ttench, Tinca tinca\n1\tpotter's wheel\n2\tcrane\n`],
    [
      'a table that its header tells',
      'g.txt',
      `class_id,class_name\n0,"tench, Tinca tinca"\n1,potter's wheel\n2,crane\n`,
    ],
    ['pandas’ own', 'g.csv', `,name\n0,"tench, Tinca tinca"\n1,potter's wheel\n2,crane\n`],
    [
      'pandas’ own with tabs',
      'b.tsv',
      `\tname\n0\ttench, Tinca tinca\n1\tpotter's wheel\n2\tcrane`,
    ],
    [
      'a label that is a number',
      'h.csv',
      `label,name\n0,"tench, Tinca tinca"\n1,potter's wheel\n2,crane`,
    ],
    [
      'a class that is a number',
      'i.csv',
      `class,label\n0,"tench, Tinca tinca"\n1,potter's wheel\n2,crane`,
    ],
    [
      'a class that is a name',
      'j.csv',
      `idx,class\n0,"tench, Tinca tinca"\n1,potter's wheel\n2,crane`,
    ],
    [
      'names under a header of their own',
      'k.csv',
      `id,species\n2,crane\n1,potter's wheel\n0,"tench, Tinca tinca"`,
    ],
    [
      'ids of WordNet in a table',
      'l.csv',
      `n00000000,"tench, Tinca tinca"\nn00000001,potter's wheel\nn00000002,crane`,
    ],
    ['a list of YAML', 'a.yaml', `- tench, Tinca tinca\n- "potter's wheel"\n- crane`],
    ['the items of a program’s list', 'a.inc', `"tench, Tinca tinca",\n"potter's wheel",\n"crane"`],
    [
      'synset_words.txt',
      'synset_words.txt',
      `n01440764 tench, Tinca tinca\nn03992509 potter's wheel\nn03126707 crane\n`,
    ],
    ['an index and a space', 'h.txt', `0 tench, Tinca tinca\n1 potter's wheel\n2 crane`],
    ['an index and a colon', 'i.txt', `0: tench, Tinca tinca\n1: potter's wheel\n2: crane`],
    ['an index and a comma', 'j.txt', `0,tench, Tinca tinca\n1,potter's wheel\n2,crane`],
    ['an index and quotes', 'k.txt', `1,"potter's wheel"\n0,"tench, Tinca tinca"\n2,'crane'`],
    [
      'Python’s dict',
      'imagenet1000_clsidx_to_labels.txt',
      `{0: 'tench, Tinca tinca',\n 1: "potter's wheel",\n 2: 'crane'}`,
    ],
    [
      'Python’s, escaped',
      'l.txt',
      String.raw`{0: u'tench, Tinca tinca', 1: 'potter\'s wheel', 2: 'cr\x61ne',}`,
    ],
    [
      'Python’s class_to_idx',
      'm.txt',
      `{'crane': 2, "potter's wheel": 1, 'tench, Tinca tinca': 0}\n`,
    ],
    ['Python’s list', 'n.txt', `['tench, Tinca tinca', "potter's wheel", 'crane']\n`],
  ])('reads %s', async (_, name, text) => {
    expect(await readLabels(write(name, text))).toEqual(NAMES);
  });

  it('reads text in UTF-16, as Windows’ shells write it', async () => {
    const bytes = Buffer.from(`\ufeff${NAMES.join('\r\n')}\r\n`, 'utf16le');
    expect(await readLabels(write('utf16.txt', bytes))).toEqual(NAMES);
  });

  it.each([
    ['numbers in some names', 'plain.txt', '7 up\ncola'],
    ['ids of WordNet alone', 'wnids.txt', 'n01440764\nn01443537'],
    ['a word of headers', 'words.txt', 'no\nlabel'],
    ['a word of headers of indices', 'words.csv', 'number\nletter'],
  ])('leaves %s as they are', async (_, name, text) => {
    expect(await readLabels(write(name, text))).toEqual(text.split('\n'));
  });

  it('accepts folders with numbers as names', async () => {
    expect(await readLabels(write('mnist.json', '{"7": 1, "3": 0}'))).toEqual(['3', '7']);
  });

  it('reads labels in every supported format', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((n) => n.trim() === n);
    const names = fc.uniqueArray(name, { minLength: 2, maxLength: 8 });
    const quoted = (n: string): string => `"${n.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(names, async (given) => {
        for (const [file, text] of [
          ['p.json', JSON.stringify(given)],
          ['p.json', JSON.stringify({ ...given })],
          [
            'p.json',
            JSON.stringify({ class_to_idx: Object.fromEntries(given.map((n, i) => [n, i])) }),
          ],
          ['p.csv', `index,name\n${given.map((n, i) => `${i},${quoted(n)}\n`).join('')}`],
        ] as const) {
          if (text.includes('__proto__')) continue;
          expect(await readLabels(write(file, text))).toEqual(given);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('reads ImageNet’s labels by their name, and a file called imagenet by its path', async () => {
    const names = await readLabels('imagenet');
    expect(names).toHaveLength(1000);
    expect(names.slice(0, 2)).toEqual(['tench', 'goldfish']);
    expect(await readLabels(write('imagenet', 'a\nb'))).toEqual(['a', 'b']);
  });

  it.each<[string, string, string, string]>([
    ['a gap', 'gap.json', '{"0": "a", "2": "b"}', 'no name for class 1: 2 names, of 0 … 1'],
    [
      'indices from 1',
      'one.txt',
      '1 a\n2 b',
      'no name for class 0: 2 names, of 0 … 1; if the numbers',
    ],
    ['an index twice', 'twice.txt', '0 a\n1 b\n1 c', 'class 1 has two names: b, c'],
    ['an index twice in Python’s', 'twice.py', "{0: 'a', 0: 'b'}", 'class 0 has two names: a, b'],
    ['an index of two names', 'bi.json', '{"a": 0, "b": 0}', 'class 0 has two names: a, b'],
    ['an index twice in a table', 'twice.csv', '0,a\n0,b', 'class 0 has two names: a, b'],
    ['a negative index', 'neg.json', '{"a": 0, "b": -1}', 'no name for class 1'],
    ['a huge index', 'huge.json', '{"999999999": "a"}', 'no name for class 0'],
    ['a row without its index', 'row.csv', 'index,name\n0,a\n,b', 'row 3 expected a whole number'],
    [
      'a row that is longer',
      'long.csv',
      'index,name\n0,a,b',
      'row 2 has 3 cells, row 1 has 2: put',
    ],
    ['an open quote', 'open.csv', '0,"a\n1,b', 'row 1: Quoted field unterminated'],
    ['two columns of text', 'two.csv', 'a,b\nc,d', 'add a header, index,name'],
    ['nothing', 'blank.txt', ' \n\n', 'has no class names'],
    ['an empty list', 'empty.json', '{}', 'has no class names'],
    ['JSON cut short', 'cut.json', '["a", "b"', 'not valid JSON'],
    ['Python’s cut short', 'cut.txt', "{0: 'a', 1: 'b'", 'not valid JSON'],
    ['Python’s with more behind', 'more.txt', "{0: 'a'} 1", 'not valid JSON'],
    ['a list of numbers', 'numbers.json', '[1, 2]', 'expected ["name", …]'],
    ['another JSON', 'other.json', '{"epochs": 3, "lr": 0.1}', 'it has epochs, lr'],
    ['a list of lists', 'lists.json', '[["a", "b"]]', 'expected ["name", …]'],
    ['bytes', 'bytes.bin', 'a\0b', 'expected class names, is not text'],
  ])('refuses %s in one line that names the file', async (_, name, text, message) => {
    const path = write(name, text);
    const error = await readLabels(path).then(
      () => expect.fail('it was read'),
      (e: Error) => e,
    );
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message.startsWith(`${path}: `)).toBe(true);
    expect(error.message).not.toContain('\n');
    expect(error.message).toContain(message);
  });

  it('refuses text in Latin-1, and a file of more than 16 MiB before it is read', async () => {
    const latin1 = write('latin1.txt', Buffer.from('Löwe\n', 'latin1'));
    await expect(readLabels(latin1)).rejects.toThrow('is not text in UTF-8');
    const large = write('large.txt', Buffer.alloc(2 ** 24 + 1, 'a'));
    await expect(readLabels(large)).rejects.toThrow(
      'large.txt: 16777217 bytes are too many for class names, at most 16777216',
    );
  });
});

describe('labelsFor', () => {
  const firstOf = async (model: string, classes = 1000): Promise<string | undefined> =>
    (await labelsFor(classes, { model }))?.[0];

  it('uses ImageNet’s classes for models that are published with them', async () => {
    for (const { name, url } of KNOWN_MODELS) {
      expect([await firstOf(name), await firstOf(url)]).toEqual(['tench', 'tench']);
    }
    for (const model of [
      ...['resnet18-f37072fd.pth', 'models/resnet50-0676ba61.pth', 'C:\\w\\vgg16-397923af.pth'],
      ...['vgg16_bn-6c64b313.pth', 'alexnet-owt-7be5be79.pth', 'densenet161-8d451a50.pth'],
      ...['resnext50_32x4d-7cdf4587.pth', 'wide_resnet101_2-32ee1156.pth'],
      'https://download.pytorch.org/models/densenet121-a639ec97.pth',
    ]) {
      expect([model, await firstOf(model)]).toEqual([model, 'tench']);
    }
  });

  it('has no names for other networks of 1000 classes', async () => {
    for (const model of [
      ...['food.safetensors', 'resnet50.pth', 'resnet50-1234.pth', 'my-resnet50-0676ba61.pth'],
      'fasterrcnn_resnet50_fpn_coco-258fb6c6.pth',
    ]) {
      expect([model, await firstOf(model)]).toEqual([model, undefined]);
    }
    expect(await firstOf('resnet18-f37072fd.pth', 10)).toBe(undefined);
  });

  it('has them if they are requested and the number of classes fits', async () => {
    const labels = 'imagenet';
    expect((await labelsFor(1000, { model: 'x.pth', labels }))![1]).toBe('goldfish');
    await expect(labelsFor(10, { model: 'x.pth', labels })).rejects.toThrow(
      'imagenet: 1000 class names for a model of 10 classes',
    );
  });

  it('prefers the metadata’s names to the package’s', async () => {
    const said = ['a', 'b'];
    expect(await labelsFor(2, { model: 'resnet18-f37072fd.pth', said })).toEqual(said);
  });
});

function pair(...indices: number[]): string {
  return indices.map((i) => `"${i}": ${JSON.stringify(NAMES[i])}`).join(', ');
}

function flipped(): Record<string, number> {
  return Object.fromEntries(NAMES.map((name, i) => [name, i]));
}
