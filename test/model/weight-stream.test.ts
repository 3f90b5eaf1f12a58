import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FormatError, ShapeError } from '../../src/errors.js';
import { type ExplainingNetwork, type LoadOptions, networkOf } from '../../src/explain.js';
import { loadResNet } from '../../src/index.js';
import { jsKernels, PRECISIONS, type Precision, wasmKernels } from '../../src/kernels/index.js';
import { parseSafetensors } from '../../src/model/index.js';
import { writeSafetensors } from '../../src/node/safetensors-writer.js';
import { hashImage, hashWeights, stateDictOf } from '../hash-weights.js';
import { BACKENDS } from '../kernels/backends.js';
import { watchLinearMemory } from '../linear-memory.js';
import { type FileTensor, fileOf, storedTensors } from '../stored-weights.js';
import { streamOf, type TestStream } from '../streams.js';
import { huggingFaceName, renameTensors, tensorsOf, toKeras } from '../weight-namings.js';

const SMALL = { depths: [1, 1, 1], width: 8, classes: 5 };
const SOURCE = hashWeights(stateDictOf(SMALL), 3);
const LABELS = ['a', 'b', 'ü', '猫', 'e'];
const METADATA = { labels: JSON.stringify(LABELS), architecture: '{"strideOn":"1x1"}' };

const byName = (a: FileTensor, b: FileTensor): number => (a.name < b.name ? -1 : 1);
const elementBytes = ({ shape, bytes }: FileTensor): number =>
  bytes.length / shape.reduce((product, size) => product * size, 1);

/** The orders that files come in. */
const ORDERS: Record<string, (tensors: readonly FileTensor[]) => FileTensor[]> = {
  'the forward pass': (tensors) => [...tensors],
  names: (tensors) => [...tensors].sort(byName),
  'dtypes, the widest first, then names': (tensors) =>
    [...tensors].sort((a, b) => elementBytes(b) - elementBytes(a) || byName(a, b)),
};

/** Kernels, and what belongs to them at the very end. */
const vectorsLast = (tensors: readonly FileTensor[]): FileTensor[] =>
  [...tensors].sort((a, b) => b.shape.length - a.shape.length);

const fileAs = (precision: Precision, order = ORDERS['names']!): Uint8Array =>
  fileOf(order(storedTensors(SOURCE, precision)), METADATA);

function logitsOf(net: ExplainingNetwork): Float32Array {
  const pass = net.forward(1, 33, 33);
  pass.input.set(hashImage(3, pass.input.length));
  pass.run();
  return pass.logits.slice();
}

describe.each(BACKENDS)('a network from a stream on $name', async ({ make }) => {
  const kernels = await make();
  const load = (bytes: Uint8Array, chunkBytes?: number[]): Promise<ExplainingNetwork> =>
    loadResNet(streamOf(bytes, chunkBytes).stream, { kernels });

  it('equals the network from the same bytes, to the last bit, for every stored precision and order', async () => {
    for (const precision of PRECISIONS) {
      for (const order of [...Object.values(ORDERS), vectorsLast]) {
        const bytes = fileAs(precision, order);
        const [expected, net] = [await loadResNet(bytes, { kernels }), await load(bytes, [1000])];
        const { architecture, labels, weightBytes, preprocessing } = expected;
        expect(net).toMatchObject({ architecture, labels, precision, weightBytes, preprocessing });
        expect(net.architecture.strideOn).toBe('1x1');
        expect(net.labels).toEqual(LABELS);
        expect(logitsOf(net)).toEqual(logitsOf(expected));
      }
    }
  });
});

describe('loadResNet from a stream', () => {
  const kernels = jsKernels();
  const bytes = fileAs('int8');
  const expected = logitsOf(networkOf(parseSafetensors(bytes, 'bytes'), { kernels }));

  it.each([[1], [7], [4096], [bytes.length]])('takes chunks of %i bytes', async (length) => {
    const { stream } = streamOf(bytes, [length]);
    expect(logitsOf(await loadResNet(stream, { kernels }))).toEqual(expected);
  });

  it('takes chunks of any sizes, empty ones too', async () => {
    const sizes = fc
      .array(fc.oneof(fc.nat(20), fc.nat(5000)), { minLength: 1, maxLength: 20 })
      .filter((lengths) => lengths.some((length) => length > 100));
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const { stream } = streamOf(bytes, lengths);
        expect(logitsOf(await loadResNet(stream, { kernels }))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('takes every naming', async () => {
    const tensors = tensorsOf(SOURCE);
    for (const named of [
      tensors,
      renameTensors(tensors, huggingFaceName),
      renameTensors(tensors, (name) => `module.${name}`),
      toKeras(tensors),
      toKeras(tensors, (layer, variable) => `${layer}/${layer}/${variable}:0`),
      renameTensors(toKeras(tensors), (name) => `module.${name}`),
    ]) {
      const file = writeSafetensors(named);
      const net = await loadResNet(streamOf(file, [500]).stream, { kernels });
      expect(logitsOf(net)).toEqual(logitsOf(await loadResNet(file, { kernels })));
    }
  });

  it('skips step counters of training and gaps between tensors', async () => {
    const counter = {
      name: 'bn1.num_batches_tracked',
      dtype: 'I64',
      shape: [],
      bytes: new Uint8Array(8),
    };
    const tensors = storedTensors(SOURCE, 'int8').sort(byName);
    const file = fileOf(
      [counter, ...tensors, { ...counter, name: 'bn9.num_batches_tracked' }],
      METADATA,
    );
    const net = await loadResNet(streamOf(file, [999]).stream, { kernels });
    expect(logitsOf(net)).toEqual(expected);
  });

  it.each(Object.entries(ORDERS))(
    'in the order of %s makes room for one weight, and for vectors, which are few',
    async (_, order) => {
      // Weights that outweigh the vectors, as real ones do.
      const source = hashWeights(stateDictOf({ ...SMALL, width: 32 }), 3);
      const tensors = order(storedTensors(source, 'f32'));
      const file = fileOf(tensors);
      const sizes = tensors.map(({ shape, bytes: b }) => (shape.length > 1 ? b.length : 0));
      const vectorBytes = tensors.reduce(
        (sum, t) => sum + (t.shape.length > 1 ? 0 : t.bytes.length),
        0,
      );
      const headerBytes = 8 + new DataView(file.buffer).getUint32(0, true);
      let made = 0;
      const { stream } = streamOf(file, [4096]);
      vi.stubGlobal(
        'Uint8Array',
        new Proxy(Uint8Array, {
          construct(target, args) {
            if (typeof args[0] === 'number') made += args[0];
            return Reflect.construct(target, args);
          },
        }),
      );
      try {
        await loadResNet(stream, { kernels });
      } finally {
        vi.unstubAllGlobals();
      }
      // All that is ever allocated for the file, freed or not.
      expect(made).toBe(headerBytes + Math.max(...sizes) + vectorBytes);
      expect(made).toBeLessThan(file.length / 3);
    },
  );

  it('packs a layer as soon as its last tensor is there', async () => {
    const tensors = ORDERS['names']!(storedTensors(SOURCE, 'f32'));
    const file = fileOf(tensors);
    const { tensors: infos } = parseSafetensors(file, 'file');
    const source = streamOf(file, [64]);
    const packedAt: number[] = [];
    const counting = { ...kernels };
    counting.packConv2d = (...args) => {
      packedAt.push(source.delivered);
      return kernels.packConv2d(...args);
    };
    await loadResNet(source.stream, { kernels: counting });
    const ends = [...infos].flatMap(([name, { end }]) =>
      /conv\d\.weight|downsample\.1\.weight|fc\.weight/.test(name) ? end : [],
    );
    // Sorted by name a batch norm comes before its kernel, but that of a projection.
    for (const at of packedAt) expect(ends.some((end) => at >= end && at < end + 64)).toBe(true);
    expect(packedAt).toHaveLength(1 + 3 * 4 + 1);
  });

  it('reserves memory, and refuses a network beyond the budget, before any tensor is read', async () => {
    const headerBytes = 8 + new DataView(bytes.buffer).getUint32(0, true);
    const source = streamOf(bytes, [headerBytes, 100]);
    const reserve = vi.fn(() => expect(source.delivered).toBe(headerBytes));
    await loadResNet(source.stream, { kernels: { ...kernels, reserve } });
    expect(reserve).toHaveBeenCalledOnce();

    const refused = streamOf(bytes, [headerBytes, 100]);
    const load = loadResNet(refused.stream, { kernels, budgetBytes: 1000 });
    await expect(load).rejects.toThrow(ShapeError);
    await expect(load).rejects.toThrow(
      /^load: an input of 1×224×224 takes .* MB beside 0\.\d MB of weights/,
    );
    expect(refused.delivered).toBe(headerBytes);
    expect(refused.cancelled).toBeInstanceOf(ShapeError);
  });

  it('reports the bytes received and the total', async () => {
    const told: number[] = [];
    const onProgress = (received: number, total: number): void => {
      expect(total).toBe(bytes.length);
      told.push(received);
    };
    await loadResNet(streamOf(bytes, [5000]).stream, { kernels, onProgress });
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(bytes.length);
    // Nothing is told before the header is there, and then every chunk.
    expect(told.length).toBeGreaterThan((0.8 * bytes.length) / 5000);
  });

  const cut = (length: number): TestStream => streamOf(bytes.subarray(0, length), [1000]);
  const failing = (end: Parameters<typeof streamOf>[2]): TestStream =>
    streamOf(bytes.subarray(0, 20_000), [1000], end);
  const sending = (value: unknown): TestStream =>
    failing((controller) => controller.enqueue(value as Uint8Array));
  const changed = (name: string, change: Partial<FileTensor>): TestStream => {
    const tensors = storedTensors(SOURCE, 'f32').map((tensor) =>
      tensor.name === name ? { ...tensor, ...change } : tensor,
    );
    return streamOf(fileOf(tensors), [1000]);
  };
  const headerOf = (length: number[]): TestStream => streamOf(Uint8Array.from(length));

  it.each<[string, () => TestStream, string | RegExp, 'cancelled'?]>([
    ['is empty', () => cut(0), 'the stream ended at byte 0, within the header'],
    ['ends in the header’s length', () => cut(5), 'the stream ended at byte 5, within the header'],
    ['ends in the header', () => cut(900), 'the stream ended at byte 900, within the header'],
    ['ends in a tensor', () => cut(30_000), `the stream ended at byte 30000 of ${bytes.length}`],
    [
      'lacks one byte',
      () => cut(bytes.length - 1),
      `the stream ended at byte ${bytes.length - 1} of ${bytes.length}`,
    ],
    [
      'goes on',
      () => streamOf(new Uint8Array([...bytes, 0]), [1000]),
      `the stream goes on at byte ${bytes.length}, where its header ends the file`,
      'cancelled',
    ],
    [
      'goes on in the chunk of the header',
      () => streamOf(new Uint8Array([...bytes, 0])),
      `the stream goes on at byte ${bytes.length}`,
      'cancelled',
    ],
    [
      'fails',
      () => failing((controller) => controller.error(new Error('socket hang up'))),
      'the stream failed at byte 20000: socket hang up',
    ],
    [
      'has strings',
      () => sending('text'),
      'the stream has a String at byte 20000, expected a Uint8Array',
      'cancelled',
    ],
    ['has null', () => sending(null), 'the stream has a Null at byte 20000', 'cancelled'],
    [
      'is no safetensors',
      () => headerOf([2, 0, 0, 0, 0, 0, 0, 0, 91, 93]),
      'the header at byte 8 is not a JSON object',
      'cancelled',
    ],
    [
      'claims a header that is too long',
      () => headerOf([1, 0, 0, 1, 0, 0, 0, 0, 123]),
      'header length 16777217 at byte 0, at most 16777216 are read from a stream',
      'cancelled',
    ],
    [
      'claims more than memory has',
      () => changed('bn1.weight', { shape: [2 ** 31] }),
      /tensor bn1\.weight expected 8589934592 bytes/,
      'cancelled',
    ],
    [
      'has a weight that is not finite',
      () => changed('fc.bias', { bytes: new Uint8Array(20).fill(0xff) }),
      'tensor fc.bias has NaN at element 0',
      'cancelled',
    ],
    [
      'is another network',
      () => changed('fc.bias', { name: 'layer1.1.bias' }),
      '1 unexpected tensors, the first is layer1.1.bias',
      'cancelled',
    ],
  ])('refuses a stream that %s, and cancels it', async (_, make, message, cancelled) => {
    const source = make();
    const load = loadResNet(source.stream, { kernels, name: 'file' });
    await expect(load).rejects.toThrow(FormatError);
    await expect(load).rejects.toThrow(message);
    await expect(load).rejects.toThrow(/^file: [^\n]+$/);
    // One that has ended or failed has nothing left to cancel.
    if (cancelled) expect(source.cancelled).toBeInstanceOf(FormatError);
  });

  it('gives a FormatError or the same network as from bytes, for any damage to the header', async () => {
    const headerBytes = new DataView(bytes.buffer).getUint32(0, true);
    const damage = fc.array(fc.tuple(fc.nat(headerBytes - 1), fc.nat(127)), {
      minLength: 1,
      maxLength: 3,
    });
    const outcome = async (load: Promise<ExplainingNetwork>): Promise<unknown> =>
      load.then(logitsOf, (error: Error) => {
        expect(error).toBeInstanceOf(FormatError);
        return 'refused';
      });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const damaged = bytes.slice();
        for (const [at, value] of changes) damaged[8 + at] = value;
        const options: LoadOptions = { kernels };
        expect(await outcome(loadResNet(streamOf(damaged, [3000]).stream, options))).toEqual(
          await outcome(loadResNet(damaged, options)),
        );
      }),
      { numRuns: 300 },
    );
  });
});

it('a load that fails releases its memory: after a hundred the backend is no larger than after one', async () => {
  const memory = watchLinearMemory();
  const kernels = await wasmKernels('simd');
  const spoiled = storedTensors(SOURCE, 'f32').map((tensor) =>
    tensor.name === 'layer3.0.conv3.weight'
      ? { ...tensor, bytes: new Uint8Array(tensor.bytes.length).fill(0xff) }
      : tensor,
  );
  const file = fileOf(spoiled);
  const fail = async (): Promise<void> => {
    const load = loadResNet(streamOf(file, [10_000]).stream, { kernels });
    await expect(load).rejects.toThrow('layer3.0.conv3.weight has NaN at element 0');
    await expect(loadResNet(file, { kernels })).rejects.toThrow('has NaN at element 0');
  };
  await fail();
  const { byteLength } = memory;
  for (let i = 0; i < 100; i++) await fail();
  expect(memory.byteLength).toBe(byteLength);
});
