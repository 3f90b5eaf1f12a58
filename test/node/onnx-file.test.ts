import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convertModel, inspectModel, openModel, readPicture } from '../../src/node/index.js';
import { temporaryFolder } from '../temporary-folder.js';

const GRAPH = 'test/goldens/graph';
const CIFAR = `${GRAPH}/resnet-cifar.onnx`;
const EXTERNAL = 'test/onnx/instrument/external.onnx';

const { folder, write } = temporaryFolder('onnx-file');

describe('an ONNX file', () => {
  it('is recognized by its bytes, with any name', async () => {
    const path = write('network.bin', readFileSync(CIFAR));
    const { net, warnings } = await openModel({ model: path });
    expect(net.labels).toHaveLength(10);
    expect(net.architecture).toMatchObject({ family: 'onnx', opset: 13, classes: 10 });
    expect(warnings).toEqual([
      "nothing says what pixels become before the network: ImageNet's mean and deviation are assumed",
    ]);
  });

  it.each([
    ['0..1', { mean: [0, 0, 0], std: [1, 1, 1] }],
    ['-1..1', { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }],
    ['0..255', { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] }],
    ['caffe', { channels: 'bgr', mean: [103.939 / 255, 116.779 / 255, 123.68 / 255] }],
  ] as const)(
    'takes pixels of the range %s, and tells nothing then',
    async (preprocess, expected) => {
      const { net, warnings } = await openModel({ model: CIFAR, preprocess });
      expect(net.preprocessing).toMatchObject(expected);
      expect(warnings).toEqual([]);
    },
  );

  it('has class names and preprocessing from config.json and preprocessor_config.json beside it', async () => {
    copyFileSync(CIFAR, join(folder, 'model.onnx'));
    const id2label = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i, `class ${i}`]));
    write(
      'config.json',
      JSON.stringify({ model_type: 'mobilenet_v2', architectures: [], id2label }),
    );
    write(
      'preprocessor_config.json',
      JSON.stringify({ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }),
    );
    const { net, warnings } = await openModel({ model: join(folder, 'model.onnx') });
    expect(net.labels[3]).toBe('class 3');
    expect(net.preprocessing.mean).toEqual([0.5, 0.5, 0.5]);
    expect(warnings).toEqual([]);
  });

  it('takes pictures of any shape if its graph does, else only one size', async () => {
    const picture = await readPicture('samples/chelsea.png');
    const cifar = await openModel({ model: CIFAR });
    expect(cifar.net.explain(picture).inputSize).toEqual([32, 48]);
    expect(cifar.net.explain(picture, { size: 64 }).inputSize).toEqual([64, 96]);
    const vgg = await openModel({ model: `${GRAPH}/vgg.onnx` });
    expect(vgg.net.fixedSize).toEqual([224, 224]);
    const whole = vgg.net.explain(picture);
    expect(whole.inputSize).toEqual([224, 224]);
    expect(whole.combinedMap.data.every((value) => value >= 0)).toBe(true);
    expect(vgg.net.explain(picture, { fit: 'crop' }).inputSize).toEqual([224, 224]);
    expect(vgg.net.explain(picture, { size: 224 }).inputSize).toEqual([224, 224]);
    expect(() => vgg.net.explain(picture, { size: 256 })).toThrow(
      /an input of 256×384 does not fit .*vgg\.onnx: Gemm /,
    );
  });

  it('is described by `inspect`', async () => {
    const inspection = await inspectModel(`${GRAPH}/mobilenet-v2.onnx`);
    expect(inspection.format).toMatch(/^ONNX of opset 17, written by pytorch: .*Conv 52.*Clip 35/);
    expect(inspection.head).toBe('linear');
    expect(inspection.scales).toHaveLength(5);
    expect(inspection.candidates).toEqual([]);
    // Its graph is for 96×64 alone.
    const shuffled = await inspectModel(`${GRAPH}/shufflenet.onnx`);
    expect(shuffled.inputSize).toEqual([96, 64]);
    expect(shuffled.scales.map(({ shape }) => shape)).toEqual([
      [48, 32, 8],
      [12, 8, 16],
      [6, 4, 32],
      [3, 2, 64],
    ]);
    await expect(inspectModel(`${GRAPH}/shufflenet.onnx`, { size: 64 })).rejects.toThrow(
      /an input of 64×64 does not fit .*Reshape/,
    );
    const other = await inspectModel(`${GRAPH}/convnext.onnx`);
    expect(other.scales).toEqual([]);
    expect(other.candidates).toHaveLength(3);
  });

  it('is not converted, and takes no options for weights', async () => {
    await expect(convertModel(CIFAR, join(folder, 'out.safetensors'))).rejects.toThrow(
      'is ONNX, and safetensors cannot store its graph',
    );
    await expect(openModel({ model: CIFAR, batchNormEps: 1e-3 })).rejects.toThrow(
      'batchNormEps: not for ONNX files, where the graph defines it',
    );
    await expect(openModel({ model: CIFAR, output: 'nobody' })).rejects.toThrow(
      'no node makes output nobody; the outputs are logits',
    );
  });
});

describe('weights in another file', () => {
  it('are read from the folder of the model', async () => {
    const { net } = await openModel({ model: EXTERNAL, preprocess: '0..1' });
    const picture = await readPicture('samples/chelsea.png');
    expect(net.explain(picture, { size: 32 }).logits.every(Number.isFinite)).toBe(true);
  });

  it.each(['../external.bin', '/etc/hostname', 'a/../../b.bin', 'C:\\b.bin', '..'])(
    'are not read from %s, outside of its folder',
    async (location) => {
      const path = write('escaping/model.onnx', renamed(location));
      await expect(openModel({ model: path })).rejects.toThrow('outside its folder');
    },
  );

  it('are not read through a link to another folder', async () => {
    const path = write('linked/model.onnx', readFileSync(EXTERNAL));
    write('elsewhere.bin', readFileSync('test/onnx/instrument/external.bin'));
    symlinkSync(join(folder, 'elsewhere.bin'), join(folder, 'linked/external.bin'));
    await expect(openModel({ model: path })).rejects.toThrow('outside its folder');
  });

  it('that are missing or too short are reported', async () => {
    const path = write('alone/model.onnx', readFileSync(EXTERNAL));
    await expect(openModel({ model: path })).rejects.toThrow('external.bin, which was not found');
    writeFileSync(join(folder, 'alone/external.bin'), new Uint8Array(100));
    await expect(openModel({ model: path })).rejects.toThrow(/of external\.bin, which has 100/);
  });
});

/** The model with another location of its weights, whatever its length. */
function renamed(location: string): Uint8Array {
  const own = 'external.bin';
  const bytes = readFileSync(EXTERNAL);
  const text = bytes.toString('latin1');
  // A path of the same length keeps every length in the file.
  const padded = location.padStart(own.length, location.startsWith('/') ? '/' : './');
  return Buffer.from(text.replaceAll(own, padded.slice(0, own.length)), 'latin1');
}
