import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { openWeights } from '../../src/node/weights-file.js';
import { zip } from '../checkpoint-files.js';
import { temporaryFolder } from '../temporary-folder.js';

const { folder, write } = temporaryFolder('foreign');

async function refusal(path: string): Promise<string> {
  const error = await openWeights(path).then(
    () => expect.fail(`${path} was read`),
    (e: Error) => e,
  );
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message.startsWith(`${path}: is `)).toBe(true);
  expect(error.message).not.toContain('\n');
  return error.message.slice(`${path}: is `.length);
}

/** Bytes from hex, and behind them enough of a file. */
function hex(digits: string): Buffer {
  return Buffer.concat([
    Buffer.from(digits.replaceAll(' ', ''), 'hex'),
    Buffer.alloc(600, '\xe5\x01', 'latin1'),
  ]);
}

function latin1(text: string): Buffer {
  return hex(Buffer.from(text, 'latin1').toString('hex'));
}

/** A field of protobuf's, its bytes fewer than 128. */
function field(number: number, bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([Buffer.of(8 * number + 2, content.length), content]);
}

const VERSION_7 = Buffer.of(0x08, 7);
/** Field 100 takes two bytes. */
const CAFFE_LAYER = Buffer.of(0xa2, 0x06, 2, 0x0a, 0);
const META_GRAPH = field(2, field(1, Buffer.concat([field(2, 'ops'), field(4, 'serve')])));
const NODE = Buffer.concat([field(1, 'input'), field(2, 'Placeholder')]);
const CORE_ML_INPUT = field(1, Buffer.concat([field(1, 'image'), field(3, 'x')]));

const FILES: readonly (readonly [name: string, bytes: () => Buffer | string, says: string])[] = [
  ['a.tflite', () => hex('1c000000 54464c33 14002000'), 'a TensorFlow Lite model (.tflite); take'],
  ['a.h5', () => hex('89484446 0d0a1a0a 00000000'), 'HDF5, as Keras writes it (.h5); save its'],
  ['a.npy', () => latin1('\x93NUMPY\x01\0v\0{'), "one array of NumPy's (.npy); save all tensors"],
  ['other.onnx', () => hex('f1f2f3'), 'not readable as ONNX: it is damaged or truncated'],
  [
    'saved_model.pb',
    () => Buffer.concat([Buffer.of(8, 1), META_GRAPH]),
    'a TensorFlow SavedModel; load it in Keras and save its weights as safetensors',
  ],
  ['frozen.pb', () => Buffer.concat([field(1, NODE), field(1, NODE)]), 'a frozen graph of Tens'],
  [
    'a.mlmodel',
    () => Buffer.concat([VERSION_7, field(2, CORE_ML_INPUT), Buffer.alloc(99)]),
    'a Core ML model; take the PyTorch or safetensors weights',
  ],
  ['old.mlmodel', () => Buffer.concat([Buffer.of(8, 1), field(2, CORE_ML_INPUT), NODE]), 'a Core'],
  ['a.gguf', () => latin1('GGUF\x03\0\0\0'), 'GGUF, which llama.cpp reads; take the weights'],
  ['ggml.bin', () => latin1('lmgg\x01\0'), 'a ggml model; take'],
  ['ggjt.bin', () => latin1('tjgg\x03\0'), 'a ggml model; take'],
  ['a.params', () => hex('1201000000000000 00000000'), "MXNet's parameters (.params); take"],
  ['a.param', () => '7767517\n75 83\nInput', 'an ncnn model'],
  [
    'a.caffemodel',
    () => Buffer.concat([field(1, 'ResNet-50'), CAFFE_LAYER, Buffer.alloc(99)]),
    'a Caffe model; take',
  ],
  ['v1.caffemodel', () => Buffer.concat([field(1, 'VGG_16'), field(2, NODE)]), 'a Caffe model'],
  ['a.msgpack', () => latin1('\x82\xa6params\x86\xa5conv1'), "Flax's weights (.msgpack); take"],
  ['big.msgpack', () => latin1('\xde\0\x10\xa5conv1\x81'), "Flax's weights (.msgpack); take"],
  ['lite.ptl', () => latin1('\x1c\0\0\0PTMF\0'), 'a TorchScript program for mobile (lite); in'],
  ['a.pte', () => latin1('\x1c\0\0\0ET12\0'), 'an ExecuTorch program (.pte); take'],
  ['old.engine', () => latin1('ptrt\0\0'), 'a TensorRT engine, which runs on one kind of GPU; '],
  ['new.engine', () => latin1('ftrt\0\0'), 'a TensorRT engine'],
  ['a.xml', () => '<?xml version="1.0"?>\n<net name="r" version="11">', 'an OpenVINO model; take'],
  ['a.bin', () => hex('00010203'), '(its .bin)'],
  ['a.mat', () => latin1('MATLAB 5.0 MAT-file, Platform'), 'a MATLAB file (.mat); take'],
  ['darknet.weights', () => hex('00000000 02000000 05000000'), "Darknet's weights; take"],
  ['ckpt-1.data-00000-of-00001', () => hex('f1f2f3f4'), 'a TensorFlow checkpoint; load it'],
  ['group1-shard1of4.bin', () => hex('f1f2f3f4'), 'a part of a model of TensorFlow.js; take'],
  ['a.gz', () => gzipSync('weights'), 'a gzip archive; unpack it first'],
  ['a.xz', () => hex('fd377a585a00 0004'), 'an xz archive; unpack it first'],
  ['a.bz2', () => latin1('BZh91AY&SY'), 'a bzip2 archive; unpack it first'],
  ['a.zst', () => hex('28b52ffd 04'), 'a zstd archive; unpack it first'],
  ['a.7z', () => hex('377abcaf271c 0004'), 'a 7z archive; unpack it first'],
  ['a.rar', () => latin1('Rar!\x1a\x07\x01\0'), 'a rar archive; unpack it first'],
  [
    'a.tar',
    () => Buffer.concat([Buffer.alloc(257, 'a'), Buffer.from('ustar\x0000')]),
    'a tar archive; unpack it first',
  ],
  ['none.zip', () => hex('504b0506 00000000'), 'an empty zip archive; name the file'],
  ['a.jpg', () => hex('ffd8ffe0 0010'), 'a picture (JPEG), no weights; to explain it: fastcam e'],
  ['a.png', () => hex('89504e47 0d0a1a0a'), 'a picture (PNG)'],
  ['a.gif', () => latin1('GIF89a'), 'a picture (GIF)'],
  ['a.webp', () => latin1('RIFF\x10\0\0\0WEBPVP8 '), 'a picture (WebP)'],
  ['a.tif', () => hex('49492a00 08000000'), 'a picture (TIFF)'],
  ['a.bmp', () => hex('424d 36000300 00000000 36000000'), 'a picture (BMP)'],
  ['a.avif', () => latin1('\0\0\0\x20ftypavif'), 'a picture (AVIF)'],
  ['a.heic', () => latin1('\0\0\0\x18ftypheic'), 'a picture (HEIC)'],
  ['a.svg', () => '<?xml version="1.0"?>\n<svg xmlns', 'a picture (SVG)'],
  ['a.pdf', () => latin1('%PDF-1.7\n'), 'a PDF; name the file of the weights'],
  ['page.pth', () => '\n<!DOCTYPE html><html lang="en">', 'a web page; download the file itself'],
  ['bom.pth', () => '\ufeff<HTML>', 'a web page; download the file itself'],
  [
    's3.pth',
    () => '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>',
    'an error message from a server; download the file again',
  ],
  [
    'lfs.safetensors',
    () => 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n',
    'a Git LFS pointer, not the file itself; to get the file: git lfs pull',
  ],
  ['zeros.pth', () => Buffer.alloc(4096), 'only zeros at its start, as after a broken downl'],
  ['a.pkl', () => hex('80049532 00'), 'a Python pickle not written by torch.save; load it'],
  ['old.pkl', () => '(dp0\nVconv1\np1\n', 'a Python pickle not written by torch.save; load'],
  ['copyreg.pkl', () => 'ccopy_reg\n_reconstructor\np0\n', 'a Python pickle not written by'],
  ['notes.txt', () => 'Weights are\n  elsewhere', 'plain text, not weights: "Weights are\\n  else'],
  ['ü.txt', () => 'ü'.repeat(400), 'plain text, not weights: "ü'],
  ['labels.json', () => '["tench", "goldfish"]', 'a JSON list, no weights; a list of class name'],
  [
    'a',
    () => hex('0a1b2c3d4e5f60718293a4b5c6'),
    'begins with the bytes 0a 1b 2c 3d 4e 5f 60 71 82',
  ],
  ['three', () => Buffer.of(1, 2, 3), 'not a supported kind of file (safetensors, an index of'],
];

const JSONS: readonly (readonly [unknown, string])[] = [
  [
    { format: 'layers-model', modelTopology: {}, weightsManifest: [] },
    'a model of TensorFlow.js; take the',
  ],
  [
    { modelTopology: { node: [] } },
    'a model of TensorFlow.js; take the PyTorch or safetensors weights',
  ],
  [{ class_name: 'Functional', config: {} }, 'the architecture of a Keras model, without weights'],
  [{ architectures: ['ResNet'], id2label: {} }, "a model's configuration; the weights are beside"],
  [{ error: 'Not found' }, 'JSON, but no index of safetensors files: it has error; name the file'],
  [{ a: 1, 'b\n': 2, c: 3, d: 4 }, 'it has a, b\\n, c, …; name the file'],
  [{}, 'JSON, but no index of safetensors files: it has nothing; name the file of the weights'],
];

const ZIPS: readonly (readonly [readonly string[], string])[] = [
  [['metadata.json', 'config.json', 'model.weights.h5'], 'a Keras model (.keras); save its weight'],
  [['conv1.npy', 'bn1.npy'], "NumPy's arrays (.npz); save them as safetensors: safetensors.numpy"],
  [['m/data.pkl', 'm/bytecode.pkl', 'm/code/x.py'], 'a TorchScript program for mobile (lite); in'],
  [
    ['m.mlpackage/Manifest.json', 'm.mlpackage/Data/com.apple.CoreML/model.mlmodel'],
    'a zip archive with a Core ML model; take the PyTorch or',
  ],
  [['m/saved_model.pb', 'm/variables/variables.index'], 'a zip archive with a TensorFlow SavedMod'],
  [['serialized_exported_program.json', 'version'], 'a program of torch.export (.pt2); in PyTorch'],
  [['a.txt', 'resnet50.pth'], 'but no PyTorch checkpoint: it has resnet50.pth; unpack it first'],
  [
    ['a.png', 'b.png'],
    'a zip archive, but no PyTorch checkpoint: it has a.png, b.png; name the fi',
  ],
];

describe('a file of another format is refused by its name, with what to do', () => {
  it.each(FILES)('%s', async (name, bytes, says) => {
    if (name === 'a.bin') write('a.xml', '<net ');
    const message = await refusal(write(name, bytes()));
    expect(message).toContain(says);
    expect(message).toMatch(/; .|; it begins/);
  });

  it.each(JSONS)('JSON: %j', async (json, says) => {
    const message = await refusal(write('model.json', JSON.stringify(json)));
    expect(message).toContain(says);
    expect(message).toContain('; ');
  });

  it.each(ZIPS)('a zip of %j', async (names, says) => {
    const entries = Object.fromEntries(names.map((name) => [name, Buffer.of(1)]));
    const message = await refusal(write('archive.zip', zip(entries)));
    expect(message).toContain(says);
    expect(message).toContain('; ');
  });

  it.each<[string, readonly string[], string]>([
    ['a SavedModel', ['saved_model.pb', 'variables/x'], 'the directory of a TensorFlow SavedModel'],
    ['a .mlpackage', ['Manifest.json', 'Data/x'], 'the directory of a Core ML model; take'],
    ['a repository', ['config.json', 'model.safetensors'], 'model.safetensors'],
    ['shards', ['a-1.safetensors', 'm.safetensors.index.json'], 'm.safetensors.index.json'],
    ['a checkpoint', ['pytorch_model.bin', 'config.json'], 'pytorch_model.bin'],
    [
      'an unpacked one',
      ['data.pkl', 'version', 'data/0'],
      'a PyTorch checkpoint that was unpacked',
    ],
    [
      'a tf.js model',
      ['model.json', 'group1-shard1of1.bin0'],
      'the directory of a model of TensorFlow.js',
    ],
  ])('the directory of %s', async (name, files, says) => {
    for (const file of files) write(join(name, file), 'x');
    const message = await refusal(join(folder, name));
    expect(message).toContain(says);
    expect(message).toContain('; ');
  });

  it('a shard that is a pointer of Git LFS', async () => {
    write('hub/model-1.safetensors', 'version https://git-lfs.github.com/spec/v1\n');
    const map = { weight_map: { 'fc.bias': 'model-1.safetensors' } };
    const index = write('hub/model.safetensors.index.json', JSON.stringify(map));
    await expect(openWeights(index)).rejects.toThrow(
      `${join(folder, 'hub/model-1.safetensors')}: is a Git LFS pointer`,
    );
  });
});

it.each([
  ['a gzip archive', '\x1f\x8b'],
  ['a bitmap', 'BM'],
  ['text', 'hi'],
])('a safetensors file whose header has a length that begins as %s is read', async (_, magic) => {
  const prefix = Buffer.alloc(8);
  prefix.write(magic, 'latin1');
  const tensors = { a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } };
  const header = Buffer.from(JSON.stringify(tensors).padEnd(prefix.readUInt32LE()));
  const path = write('magic', Buffer.concat([prefix, header, Buffer.alloc(4)]));
  const weights = await openWeights(path);
  expect([...weights.source.tensors.keys()]).toEqual(['a']);
  weights.close();
});
