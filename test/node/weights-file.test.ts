import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { type ExplainingNetwork, networkOf } from '../../src/explain.js';
import { jsKernels } from '../../src/kernels/index.js';
import { openModel } from '../../src/node/index.js';
import { writeSafetensors } from '../../src/node/safetensors-writer.js';
import { openWeights } from '../../src/node/weights-file.js';
import {
  checkpoint,
  dict,
  type Entries,
  legacyFile,
  OrderedDict,
  pickle,
  stateDict,
  tar,
  tarEntries,
  zip,
} from '../checkpoint-files.js';
import { hashImage, hashWeights, stateDictOf } from '../hash-weights.js';
import { temporaryFolder } from '../temporary-folder.js';
import { type Tensors, tensorsOf } from '../weight-namings.js';

const SMALL = { depths: [1, 2], width: 8, classes: 5 };
const TENSORS = tensorsOf(hashWeights(stateDictOf(SMALL), 3));

const { folder, write } = temporaryFolder('weights');

function entries(): Entries {
  const { dict, storages } = stateDict(TENSORS);
  return checkpoint(dict, storages);
}

/** Two shards and their index, in a folder of their own. @returns the index's path */
function shards(
  name: string,
  index: (map: Record<string, string>) => unknown = (map) => map,
): string {
  const names = Object.keys(TENSORS);
  const half = names.length >> 1;
  const map: Record<string, string> = {};
  for (const [i, part] of [names.slice(0, half), names.slice(half)].entries()) {
    const file = `model-0000${i + 1}-of-00002.safetensors`;
    const tensors: Tensors = Object.fromEntries(part.map((tensor) => [tensor, TENSORS[tensor]!]));
    write(join(name, file), writeSafetensors(tensors, { format: 'pt' }));
    for (const tensor of part) map[tensor] = file;
  }
  const json = JSON.stringify({ metadata: { total_size: 1 }, weight_map: index(map) }, null, 2);
  return write(join(name, 'model.safetensors.index.json'), json);
}

/** As `shards`, of one checkpoint. */
function binShards(name: string): string {
  write(join(name, 'pytorch_model-00001-of-00001.bin'), zip(entries()));
  const map = Object.keys(TENSORS).map((tensor) => [tensor, 'pytorch_model-00001-of-00001.bin']);
  const json = JSON.stringify({ weight_map: Object.fromEntries(map) });
  return write(join(name, 'pytorch_model.bin.index.json'), json);
}

function logitsOf(net: ExplainingNetwork): Float32Array {
  const pass = net.forward(1, 33, 33);
  pass.input.set(hashImage(3, pass.input.length));
  pass.run();
  return pass.logits.slice();
}

async function refusal(path: string): Promise<string> {
  const error = await openModel({ model: path }).then(
    () => expect.fail(`${path} was read`),
    (e: Error) => e,
  );
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message.startsWith(`${path}: `)).toBe(true);
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('openModel', async () => {
  const expected = logitsOf(
    networkOf(hashWeights(stateDictOf(SMALL), 3), { kernels: jsKernels() }),
  );

  it.each<[string, () => string]>([
    ['a safetensors file', () => write('a.safetensors', writeSafetensors(TENSORS))],
    ['a safetensors file that is called .pth', () => write('a.pth', writeSafetensors(TENSORS))],
    ['a PyTorch checkpoint', () => write('b.pth', zip(entries()))],
    ['a checkpoint without an ending', () => write('pytorch_model', zip(entries()))],
    ['a checkpoint that was packed again', () => write('c.bin', zip(entries(), { deflate: true }))],
    [
      'a checkpoint of before 1.6',
      () => {
        const { dict, storages } = stateDict(TENSORS);
        return write('legacy.pth', legacyFile(dict, storages));
      },
    ],
    ['an index and its shards', () => shards('two')],
    ['an index whose shards are checkpoints', () => binShards('bin')],
    [
      'an index with a byte order mark, under a name of its own',
      () => {
        const text = readFileSync(shards('bom'), 'utf8');
        return write(join('bom', 'weights'), `\ufeff\n ${text}`);
      },
    ],
  ])('reads %s by its content: the same bits', async (_, path) => {
    const { net, name } = await openModel({ model: path(), backend: 'js' });
    expect(name).toContain(folder);
    expect(logitsOf(net)).toEqual(expected);
  });

  it.runIf(process.platform === 'linux')(
    'leaves no file open, whatever becomes of it',
    async () => {
      const open = () => readdirSync('/proc/self/fd').length;
      const good = [write('d.pth', zip(entries())), shards('open')];
      const lost = shards('lost', (map) => ({ ...map, other: Object.values(map)[0]! }));
      const bad = [write('e.pth', zip({ a: Buffer.of() })), lost, write('f', 'GGUF')];
      // Once before: what is loaded on demand has files of its own.
      for (const path of good) await openModel({ model: path });
      const before = open();
      for (const path of good) await openModel({ model: path });
      for (const path of bad) await refusal(path);
      expect(open()).toBe(before);
    },
  );

  it('reads shards through links, as in a download cache', async () => {
    const index = shards('cache/blobs');
    const links = join(folder, 'cache', 'snapshot');
    mkdirSync(links);
    for (const name of readdirSync(dirname(index))) {
      symlinkSync(join('..', 'blobs', name), join(links, name));
    }
    const model = join(links, 'model.safetensors.index.json');
    expect(logitsOf((await openModel({ model })).net).length).toBe(5);
  });

  it('takes class names from --labels, else from the file, else there are none', async () => {
    const own = ['a', 'b', 'c', 'd', 'e'];
    const metadata = { labels: JSON.stringify(own) };
    const model = write('labels.safetensors', writeSafetensors(TENSORS, metadata));
    const labels = write('labels.txt', 'v\nw\nx\ny\nz\n');
    const plain = write('plain.safetensors', writeSafetensors(TENSORS));
    expect(await openModel({ model })).toMatchObject({ labelled: true, net: { labels: own } });
    expect((await openModel({ model, labels })).net.labels).toEqual(['v', 'w', 'x', 'y', 'z']);
    expect(await openModel({ model: plain })).toMatchObject({
      labelled: false,
      net: { labels: ['0', '1', '2', '3', '4'] },
    });
    const short = write('short.safetensors', writeSafetensors(TENSORS, { labels: '["a"]' }));
    expect(await openModel({ model: short })).toMatchObject({
      labelled: false,
      warnings: ['1 class names for 5 classes: the names are ignored'],
    });
  });

  it.each<[string, () => string, string]>([
    [
      'a missing shard',
      () => {
        const path = shards('gone');
        rmSync(join(dirname(path), 'model-00002-of-00002.safetensors'));
        return path;
      },
      'missing beside it: model-00002-of-00002.safetensors',
    ],
    ...[
      '../secret.safetensors',
      '/etc/x.safetensors',
      '..\\x.safetensors',
      'c:x.safetensors',
      'sub/x.safetensors',
      'model.h5',
      '',
    ].map((file, i): [string, () => string, string] => [
      `a shard called ${file}`,
      () => shards(`path${i}`, (map) => ({ ...map, 'fc.bias': file })),
      `tensor fc.bias is in ${JSON.stringify(file)}, expected a .safetensors, .bin or .pth beside it`,
    ]),
    [
      'a shard without its tensor',
      () => shards('less', (map) => ({ ...map, 'fc.more': map['fc.bias']! })),
      'tensor fc.more is not in model-00002',
    ],
    ['an index of nothing', () => shards('nothing', () => ({})), 'an index without tensors'],
    ['an index that is a list', () => shards('list', () => []), 'no object weight_map'],
    ['an index cut short', () => write('cut.json', '{"weight_map": {'), 'no valid JSON'],
    [
      'a bare pickle',
      () => write('old.pth', pickle(0x1950a86a20f9 /* torch’s is longer */)),
      'a Python pickle not written by torch.save',
    ],
    [
      'torch’s old magic number and nothing else',
      () => write('magic.pth', Buffer.from('80028a0a6cfc9c46f9206aa850192e8002', 'hex')),
      'pickle, byte 17: truncated',
    ],
    [
      'a tar of other things',
      () => write('tar.pth', tar({ a: Buffer.of(1) })),
      'a tar archive, but no PyTorch checkpoint: no storages',
    ],
    [
      'HDF5',
      () => write('m.h5', Buffer.from('\x89HDF\r\n\x1a\n      ', 'latin1')),
      'is HDF5, as Keras writes it',
    ],
    [
      'gzip',
      () => write('m.gz', Buffer.from('1f8b0800000000000203', 'hex')),
      'is a gzip archive; unpack it first',
    ],
    ['a web page', () => write('page.safetensors', '<!DOCTYPE html><html>'), 'is a web page'],
    [
      'a Git LFS pointer',
      () => write('lfs.safetensors', 'version https://git-lfs.github.com/spec/v1\n'),
      'git lfs pull',
    ],
    [
      'a zip of pictures',
      () => write('z.zip', zip({ 'a.png': Buffer.of(1) })),
      'a zip archive, but no PyTorch checkpoint',
    ],
    [
      'half a zip',
      () => write('half.pth', zip(entries()).subarray(0, 5000)),
      'not a readable zip archive',
    ],
    [
      'a zip with a path',
      () => write('slip.pth', zip({ '../data.pkl': Buffer.of(1) })),
      'not a readable zip archive: invalid relative path',
    ],
    [
      'a pickle that runs something',
      () =>
        write(
          'evil.pth',
          zip({ 'a/data.pkl': Buffer.from('\x80\x02cos\nsystem\nX\x01\0\0\0a\x85R.', 'latin1') }),
        ),
      'no state dict: save one',
    ],
    [
      'a bomb',
      () => {
        const bomb = zip({ 'a/data.pkl': Buffer.alloc(2 ** 20) }, { deflate: true });
        // The directory's record of the unpacked size, made smaller than the truth.
        const at = bomb.indexOf('PK\x01\x02');
        bomb.writeUInt32LE(1000, at + 24);
        return write('bomb.pth', bomb);
      },
      'entry a/data.pkl does not inflate',
    ],
    [
      'an entry that inflates to a gigabyte',
      () => {
        const huge = zip({ 'a/data.pkl': Buffer.alloc(10) }, { deflate: true });
        huge.writeUInt32LE(2 ** 30, huge.indexOf('PK\x01\x02') + 24);
        return write('huge.pth', huge);
      },
      'entry a/data.pkl inflates to 1073741824 bytes, at most 268435456',
    ],
  ])('refuses %s in one line', async (_, path, message) => {
    expect(await refusal(path())).toContain(message);
  });

  it('reads the tar of PyTorch 0.1', async () => {
    const path = write('old.pth', tar(tarEntries(new Float32Array(6))));
    const { source, close } = await openWeights(path);
    expect([...source.tensors.keys()]).toEqual(['a', 'b']);
    close();
  });

  it('reads the requested dictionary, else the one that fits best', async () => {
    const { dict: state, storages } = stateDict(TENSORS);
    const part = new OrderedDict(state.entries.slice(1));
    const path = write('two.pth', zip(checkpoint(dict({ ema: part, model: state }), storages)));
    const sizeOf = async (stateDict?: string) => {
      const { source, close } = await openWeights(path, path, stateDict);
      close();
      return source.tensors.size;
    };
    const all = state.entries.length;
    expect(await sizeOf()).toBe(all);
    expect(await sizeOf('ema')).toBe(all - 1);
    await expect(sizeOf('x')).rejects.toThrow(
      `${path}: no state dict is called x; there are ema, model`,
    );
  });

  it('closes what it opened: weights cannot be read after', async () => {
    const weights = await openWeights(write('g.safetensors', writeSafetensors(TENSORS)));
    weights.close();
    expect(() => weights.source.readInto(new Float32Array(1), 'fc.bias', 0)).toThrow(FormatError);
  });
});
