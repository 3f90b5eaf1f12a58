import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FormatError, ShapeError } from '../../src/errors.js';
import type { ExplainingNetwork } from '../../src/explain.js';
import { PRECISIONS } from '../../src/kernels/index.js';
import { CAFFE_PREPROCESSING, parseSafetensors } from '../../src/model/index.js';
import { convertModel, type Model, openModel } from '../../src/node/index.js';
import { writeSafetensors } from '../../src/node/safetensors-writer.js';
import { LARGE_ERROR } from '../../src/node/weight-loss.js';
import { checkpoint, stateDict, zip } from '../checkpoint-files.js';
import { distance } from '../compare.js';
import { hashImage, hashWeights, stateDictOf } from '../hash-weights.js';
import { temporaryFolder } from '../temporary-folder.js';
import { huggingFaceName, renameTensors, tensorsOf, toKeras } from '../weight-namings.js';

/** Two stages that are stored finer, and one that is not. */
const SMALL = { depths: [1, 1, 1], width: 8, classes: 5 };
const TENSORS = tensorsOf(hashWeights(stateDictOf(SMALL), 3));
const LABELS = ['a', 'b', 'ü', '猫', 'e'];

const { folder, write } = temporaryFolder('convert');

function pth(name: string): string {
  const { dict, storages } = stateDict(TENSORS);
  return write(name, zip(checkpoint(dict, storages)));
}

const js = (model: string): Promise<Model> => openModel({ model, backend: 'js' });

function logitsOf(net: ExplainingNetwork): Float32Array {
  const pass = net.forward(1, 33, 33);
  pass.input.set(hashImage(3, pass.input.length));
  pass.run();
  return pass.logits.slice();
}

const parts = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.part'));

describe('convertModel', () => {
  it('of a checkpoint keeps every bit as f32, and explains itself: names, stride, labels, source', async () => {
    const input = pth('in.pth');
    const output = join(folder, 'out.safetensors');
    const labels = write('labels.json', JSON.stringify(LABELS));
    const done: number[] = [];
    const conversion = await convertModel(input, output, {
      labels,
      strideOn: '1x1',
      onProgress: (share) => done.push(share),
    });
    const { metadata, tensors } = parseSafetensors(readFileSync(output), output);
    expect([...tensors.keys()].sort()).toEqual(Object.keys(TENSORS).sort());
    const architecture = { ...SMALL, strideOn: '1x1' as const };
    expect(JSON.parse(metadata.get('architecture')!)).toEqual({
      ...architecture,
      ...{ family: 'resnet', block: 'bottleneck', stem: '7x7', activation: 'softmax' },
      ...{ batchNormEps: 1e-5, activationFunction: 'relu', strides: [], dilations: [] },
    });
    const sha256 = createHash('sha256').update(readFileSync(input)).digest('hex');
    expect(JSON.parse(metadata.get('source')!)).toEqual({ file: 'in.pth', sha256 });
    expect(metadata.get('format')).toBe('pt');

    // Nothing has to be told a second time.
    const { net, labelled } = await js(output);
    expect({ labelled, labels: net.labels }).toEqual({ labelled: true, labels: LABELS });
    expect(net.architecture).toMatchObject(architecture);
    const told = await openModel({ model: input, strideOn: '1x1', backend: 'js' });
    expect(logitsOf(net)).toEqual(logitsOf(told.net));

    expect(conversion).toMatchObject({
      input,
      files: [output],
      architecture,
      precision: 'f32',
      sha256,
    });
    expect(conversion.bytes).toBe(readFileSync(output).length);
    expect(conversion.layers.every(({ largestError }) => largestError === 0)).toBe(true);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(1);
    expect(parts()).toEqual([]);
  });

  it('of Keras’ weights says what they imply: stride, eps, bytes in BGR; the bits stay', async () => {
    const input = write('keras.safetensors', writeSafetensors(toKeras(TENSORS)));
    const output = join(folder, 'from-keras.safetensors');
    await convertModel(input, output);
    const { tensors, metadata } = parseSafetensors(readFileSync(output), output);
    expect(tensors.get('layer1.0.conv2.weight')!.shape).toEqual([8, 8, 3, 3]);
    expect(JSON.parse(metadata.get('architecture')!)).toMatchObject({
      strideOn: '1x1',
      batchNormEps: 1.001e-5,
    });
    const { net } = await js(output);
    expect(net.preprocessing).toEqual(CAFFE_PREPROCESSING);
    expect(logitsOf(net)).toEqual(logitsOf((await js(input)).net));
  });

  it('as f16 rounds only late kernels, reports by how much, and changes logits by less than 2e-3', async () => {
    const tensors = renameTensors(TENSORS, huggingFaceName);
    const input = write('hf.safetensors', writeSafetensors(tensors, { license: 'mit' }));
    const output = join(folder, 'half.safetensors');
    const { layers, bytes } = await convertModel(input, output, { precision: 'f16' });
    const file = parseSafetensors(readFileSync(output), output);
    for (const [name, { shape, dtype }] of file.tensors) {
      const late = shape.length > 1 && /^layer3|^fc/.test(name);
      expect([name, dtype]).toEqual([name, late ? 'F16' : 'F32']);
    }
    expect(bytes).toBeLessThan(0.7 * readFileSync(input).length);
    expect(file.metadata.get('license')).toBe('mit');

    const conv2 = layers.find(({ layer }) => layer === 'layer3.0.conv2')!;
    const errors = file
      .read('layer3.0.conv2.weight')
      .map((w, i) => Math.abs(w - TENSORS['layer3.0.conv2.weight']!.data[i]!));
    expect(conv2.weights).toBe(errors.length);
    expect(conv2.largestError).toBe(Math.max(...errors));
    expect(conv2.meanError).toBeCloseTo(errors.reduce((a, b) => a + b, 0) / errors.length, 9);
    // Half a last bit of eleven.
    for (const { largest, largestError } of layers) {
      expect(largestError).toBeLessThanOrEqual(largest * 2 ** -11);
    }
    const [exact, rounded] = [logitsOf((await js(input)).net), logitsOf((await js(output)).net)];
    expect(distance(rounded, exact).largest).toBeLessThan(2e-3);
    expect(rounded).not.toEqual(exact);
  });

  it('as int8 writes the same as memory keeps: I8 with its scales; early layers and the classifier as F16', async () => {
    const input = write('exact.safetensors', writeSafetensors(TENSORS));
    const output = join(folder, 'int8.safetensors');
    const { layers } = await convertModel(input, output, { precision: 'int8' });
    const file = parseSafetensors(readFileSync(output), output);
    for (const [name, { shape, dtype }] of file.tensors) {
      const kernel = /^layer3.*conv\d\.weight$|^layer3.*downsample\.0\.weight$/.test(name);
      expect([name, dtype]).toEqual([name, kernel ? 'I8' : shape.length > 1 ? 'F16' : 'F32']);
      if (!kernel) continue;
      const [q, scales] = [file.read(name), file.read(`${name}_scale`)];
      const K = q.length / scales.length;
      expect(q.length % scales.length).toBe(0);
      for (let oc = 0; oc < scales.length; oc++) {
        const row = q.subarray(oc * K, (oc + 1) * K);
        expect(row.reduce((most, v) => Math.max(most, Math.abs(v)), 0)).toBe(127);
        row.forEach((v, i) => {
          const error = Math.abs(v * scales[oc]! - TENSORS[name]!.data[oc * K + i]!);
          expect(error).toBeLessThanOrEqual((scales[oc]! / 2) * (1 + 2 ** -15));
        });
      }
    }
    for (const { layer, largest, largestError } of layers) {
      const bound = /^layer3.*(conv\d|downsample\.0)$/.test(layer) ? 1 / 254 : 2 ** -11;
      expect(largestError).toBeLessThanOrEqual(largest * bound * (1 + 2 ** -15));
    }

    // Loaded, it is what the exact weights are when they are kept as int8.
    for (const backend of ['js', 'simd'] as const) {
      const { net } = await openModel({ model: output, backend });
      const kept = await openModel({ model: input, backend, precision: 'int8' });
      expect(net.precision).toBe('int8');
      expect(net.weightBytes).toBe(kept.net.weightBytes);
      expect(distance(logitsOf(net), logitsOf(kept.net)).largest).toBeLessThan(1e-6);
    }
  });

  it('as f16, loaded, is what memory keeps of the exact weights, but for halves below 2⁻¹⁴: these within 2⁻²⁵', async () => {
    const input = write('exact-f16.safetensors', writeSafetensors(TENSORS));
    const output = join(folder, 'as-kept.safetensors');
    await convertModel(input, output, { precision: 'f16' });
    const { net } = await js(output);
    const kept = await openModel({ model: input, precision: 'f16', backend: 'js' });
    expect(net.weightBytes).toBe(kept.net.weightBytes);
    const [fromFile, expected] = [new Float32Array(128), new Float32Array(128)];
    for (let oc = 0; oc < 5; oc++) {
      net.classWeights(fromFile, oc);
      kept.net.classWeights(expected, oc);
      expected.forEach((w, i) => {
        const bound = Math.abs(w) < 2 ** -14 ? 2 ** -25 : 0;
        expect(Math.abs(fromFile[i]! - w)).toBeLessThanOrEqual(bound);
      });
    }
  });

  it('as int8 warns of a layer with outlier input channels, whose other weights are lost; as f16 of none', async () => {
    const name = 'layer3.0.conv2.weight';
    const { shape, data } = TENSORS[name]!;
    const [Cout, Cin] = shape as [number, number];
    const outliers = data.slice();
    for (let oc = 0; oc < Cout; oc++) {
      for (let i = 0; i < 3 * 9; i++) outliers[oc * Cin * 9 + i]! *= 50;
    }
    const tensors = { ...TENSORS, [name]: { shape, data: outliers } };
    const input = write('outliers.safetensors', writeSafetensors(tensors));
    const output = join(folder, 'outliers-int8.safetensors');
    const { warnings, layers } = await convertModel(input, output, { precision: 'int8' });
    const { relativeError, channelError } = layers.find((l) => l.layer === 'layer3.0.conv2')!;
    // Hidden in the sums by the large weights, and no secret channel by channel.
    expect(relativeError).toBeLessThan(LARGE_ERROR);
    expect(channelError).toBeGreaterThan(2 * LARGE_ERROR);
    expect(warnings).toEqual([
      `layer3.0.conv2: int8 changes the weights of half of its input channels by ${(100 * channelError).toFixed(1)} % or more, ` +
        'where 1 % is usual. A few weights are far larger than the others: use --precision f16',
    ]);
    for (const precision of ['f16', 'f32'] as const) {
      expect((await convertModel(input, output, { precision })).warnings).toEqual([]);
    }
    const plain = write('inliers.safetensors', writeSafetensors(TENSORS));
    expect((await convertModel(plain, output, { precision: 'int8' })).warnings).toEqual([]);
  });

  it.each([
    ['int8', 0.014],
    ['f16', 0.0003],
  ] as const)(
    'as %s warns of no layer of a trained network, whose errors are below %d',
    async (precision, most) => {
      const output = join(folder, 'trained.safetensors');
      const trained = 'test/goldens/tiny-resnet50-f32.safetensors';
      const { warnings, layers } = await convertModel(trained, output, { precision });
      expect(warnings).toEqual([]);
      const changed = layers.filter(({ largestError }) => largestError > 0);
      expect(changed.length).toBeGreaterThan(20);
      for (const { relativeError, channelError } of layers) {
        expect(Math.max(relativeError, channelError)).toBeLessThan(most);
      }
      for (const { relativeError } of changed) expect(relativeError).toBeGreaterThan(0);
    },
  );

  it('of whole numbers to whole numbers keeps every bit, and to f32 gives their values', async () => {
    const input = write('again.safetensors', writeSafetensors(TENSORS));
    const [int8, again, f32] = ['first', 'second', 'third'].map((name) =>
      join(folder, `${name}.safetensors`),
    );
    await convertModel(input, int8!, { precision: 'int8' });
    const { layers } = await convertModel(int8!, again!, { precision: 'int8' });
    expect(layers.every(({ largestError }) => largestError === 0)).toBe(true);
    const [a, b] = [int8!, again!].map((path) => parseSafetensors(readFileSync(path), path));
    expect([...b!.tensors.keys()]).toEqual([...a!.tensors.keys()]);
    for (const name of a!.tensors.keys()) expect(b!.bytes(name)).toEqual(a!.bytes(name));

    await convertModel(int8!, f32!);
    expect([...parseSafetensors(readFileSync(f32!), f32!).tensors.keys()]).not.toContain(
      'layer3.0.conv2.weight_scale',
    );
    const widened = await openModel({ model: int8!, precision: 'f32', backend: 'js' });
    expect(distance(logitsOf((await js(f32!)).net), logitsOf(widened.net)).largest).toBeLessThan(
      1e-6,
    );
  });

  it('is kept in memory in its stored precision by default', async () => {
    const input = write('kept.safetensors', writeSafetensors(TENSORS));
    for (const precision of PRECISIONS) {
      const output = join(folder, `kept-${precision}.safetensors`);
      await convertModel(input, output, { precision });
      expect((await js(output)).net.precision).toBe(precision);
    }
    const model = join(folder, 'kept-int8.safetensors');
    expect((await openModel({ model, precision: 'f32', backend: 'js' })).net.precision).toBe('f32');
  });

  it('with shards writes files of that size and Hugging Face’s index, which opens as the one file', async () => {
    const input = pth('shards.pth');
    const output = join(folder, 'sharded.safetensors');
    const { files, bytes } = await convertModel(input, output, { shardBytes: 12_000 });
    expect(files.at(-1)).toBe(`${output}.index.json`);
    expect(files.length).toBeGreaterThan(4);
    const count = String(files.length - 1).padStart(5, '0');
    expect(basename(files[1]!)).toBe(`sharded-00002-of-${count}.safetensors`);
    expect(bytes).toBe(files.reduce((sum, file) => sum + readFileSync(file).length, 0));
    const index = JSON.parse(readFileSync(files.at(-1)!, 'utf8'));
    const total = Object.values(TENSORS).reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(index.metadata).toEqual({ total_size: total });
    for (const file of files.slice(0, -1)) {
      const { tensors } = parseSafetensors(readFileSync(file), file);
      const sizes = [...tensors.values()].map(({ begin, end }) => end - begin);
      expect(sizes.length === 1 || sizes.reduce((a, b) => a + b) <= 12_000).toBe(true);
      for (const tensor of tensors.keys()) expect(index.weight_map[tensor]).toBe(basename(file));
    }
    expect(existsSync(output)).toBe(false);
    expect(logitsOf((await js(files.at(-1)!)).net)).toEqual(logitsOf((await js(input)).net));
    // And back into one.
    const one = join(folder, 'one.safetensors');
    await convertModel(files.at(-1)!, one);
    expect(logitsOf((await js(one)).net)).toEqual(logitsOf((await js(input)).net));
  });

  it('never overwrites the file that it reads, under any name', async () => {
    const input = write('self.safetensors', writeSafetensors(TENSORS));
    const labels = write('names.safetensors', 'a\nb\nc\nd\ne\n');
    symlinkSync(input, join(folder, 'soft.safetensors'));
    linkSync(input, join(folder, 'hard.safetensors'));
    const before = readFileSync(input);
    for (const name of [
      'self.safetensors',
      './self.safetensors',
      'soft.safetensors',
      'hard.safetensors',
      'names.safetensors',
    ]) {
      const convert = convertModel(input, join(folder, name), { labels });
      await expect(convert).rejects.toThrow(ShapeError);
      await expect(convert).rejects.toThrow('would overwrite an input: choose another file');
    }
    // A shard of its own index.
    const { files } = await convertModel(input, join(folder, 'own.safetensors'), {
      shardBytes: 50_000,
    });
    const again = convertModel(files.at(-1)!, join(folder, 'own.safetensors'), {
      shardBytes: 50_000,
    });
    await expect(again).rejects.toThrow('would overwrite');
    expect(readFileSync(input)).toEqual(before);
    expect(readFileSync(labels, 'utf8')).toBe('a\nb\nc\nd\ne\n');
  });

  it('leaves no file behind if it fails, and does not change an older file', async () => {
    const output = write('older.safetensors', 'older');
    const data = TENSORS['layer3.0.conv2.weight']!.data.slice();
    const spoiled = (value: number): string => {
      data[1234] = value;
      const tensor = { ...TENSORS['layer3.0.conv2.weight']!, data };
      const tensors = { ...TENSORS, 'layer3.0.conv2.weight': tensor };
      return write('spoiled.safetensors', writeSafetensors(tensors));
    };
    const before = readdirSync(folder).length;
    for (const [value, message] of [
      [
        70_000,
        'spoiled.safetensors: tensor layer3.0.conv2.weight has 70000 at element 1234, beyond the range of F16',
      ],
      [Number.NaN, 'tensor layer3.0.conv2.weight has NaN at element 1234'],
      [Infinity, 'tensor layer3.0.conv2.weight has Infinity at element 1234'],
    ] as const) {
      const convert = convertModel(spoiled(value), output, { precision: 'f16' });
      await expect(convert).rejects.toThrow(FormatError);
      await expect(convert).rejects.toThrow(message);
    }
    expect(readFileSync(output, 'utf8')).toBe('older');
    expect(readdirSync(folder).length).toBe(before + 1);
    expect(parts()).toEqual([]);
    const kept = await convertModel(spoiled(70_000), output, { precision: 'f32' });
    expect(kept.layers.find(({ layer }) => layer === 'layer3.0.conv2')).toMatchObject({
      largest: 70_000,
    });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'a folder that is not there',
      () => convertModel(pth('x.pth'), join(folder, 'none', 'x.safetensors')),
      'x.safetensors: cannot be written: its folder does not exist',
    ],
    [
      'a folder for a file',
      () => {
        mkdirSync(join(folder, 'f.safetensors'));
        return convertModel(pth('x.pth'), join(folder, 'f.safetensors'));
      },
      'cannot be written',
    ],
    [
      'what is no ResNet',
      () =>
        convertModel(
          write('v.safetensors', writeSafetensors({ w: TENSORS['fc.bias']! })),
          join(folder, 'y.safetensors'),
        ),
      'v.safetensors: weights of no network that is known',
    ],
    ...['y.bin', 'y.onnx', 'y', '.safetensors', 'y.safetensors.pth'].map(
      (name): [string, () => Promise<unknown>, string] => [
        `an output called ${name}`,
        () => convertModel('none.pth', join(folder, name)),
        'convert: output expected a name that ends in .safetensors, got ',
      ],
    ),
    [
      'labels of another model',
      () =>
        convertModel(pth('x.pth'), join(folder, 'y.safetensors'), {
          labels: write('two.txt', 'a\nb'),
        }),
      '2 class names for a model of 5 classes',
    ],
  ])('refuses %s', async (_, action, message) => {
    await expect(action()).rejects.toThrow(message);
    expect(parts()).toEqual([]);
  });
});
