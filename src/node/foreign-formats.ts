/**
 * Unsupported files, recognised by their content: the answer names the format and says what to do.
 * The file name is used last, if the bytes say nothing. Each answer continues a sentence after `is`. Nothing here
 * reads a file, so that web pages can use it too.
 *
 * Sources: the formats' own specifications.
 */

import { firstBytes } from '../model/formats/safetensors.js';
import { isCaffe, isCoreMl, isFrozenGraph, isSavedModel } from './protobuf-models.js';

/** How many bytes are needed to recognise a file; `ustar` of a tar begins at 257. */
export const HEAD_BYTES = 512;

/** What is known of a file. */
export interface ForeignFile {
  /** Its path, or only its name. */
  readonly path: string;
  /** In bytes. */
  readonly length: number;
  /** Whether there is an .xml of the same name beside it, as with OpenVINO; default no. */
  readonly hasXml?: boolean;
}

const TAKE_OTHERS = 'take the PyTorch or safetensors weights that it was made from';
const SAVE_KERAS =
  "save its weights as safetensors: safetensors.numpy.save_file({f'{l.name}/{w.name}': w.numpy() for l in model.layers for w in l.weights}, path)";
const SAVE_TORCH =
  'load it in PyTorch and save it again: torch.save(torch.load(…), path) writes the zip that is read here';
const SAVE_STATE = "save the model's weights: torch.save(model.state_dict(), path)";
const UNPACK = 'unpack it first';
const NAME_WEIGHTS = 'name the file of the weights';

const SAVED_MODEL = `a TensorFlow SavedModel; load it in Keras and ${SAVE_KERAS}`;
const CORE_ML = `a Core ML model; ${TAKE_OTHERS}`;
const ONNX = 'not readable as ONNX: it is damaged or truncated; export it again';
const FLAX = `Flax's weights (.msgpack); ${TAKE_OTHERS}`;
const CAFFE = `a Caffe model; ${TAKE_OTHERS}`;
const TENSORRT = `a TensorRT engine, which runs on one kind of GPU; ${TAKE_OTHERS}`;
const LITE = `a TorchScript program for mobile (lite); in PyTorch, ${SAVE_STATE}`;
const TFJS = `a model of TensorFlow.js; ${TAKE_OTHERS}, or load it in Keras and ${SAVE_KERAS}`;
const TFJS_PART =
  'a part of a model of TensorFlow.js; take the weights that the model was made from';
const TF_CHECKPOINT = `a TensorFlow checkpoint; load it in Keras and ${SAVE_KERAS}`;
const OPENVINO = `an OpenVINO model; ${TAKE_OTHERS}`;
const picture = (kind: string): string =>
  `a picture (${kind}), no weights; to explain it: fastcam explain FILE`;

/** Fixed bytes of formats, and their position. */
const MAGIC: readonly (readonly [at: number, magic: string, what: string])[] = [
  [0, '\x89HDF\r\n\x1a\n', `HDF5, as Keras writes it (.h5); ${SAVE_KERAS}`],
  [0, 'MATLAB 7.3 MAT', `a MATLAB file (.mat); ${TAKE_OTHERS}`],
  [0, 'MATLAB 5.0 MAT', `a MATLAB file (.mat); ${TAKE_OTHERS}`],
  [4, 'TFL3', `a TensorFlow Lite model (.tflite); ${TAKE_OTHERS}`],
  [4, 'PTMF', LITE],
  [4, 'ET12', `an ExecuTorch program (.pte); ${TAKE_OTHERS}`],
  [
    0,
    '\x93NUMPY',
    "one array of NumPy's (.npy); save all tensors under their names: safetensors.numpy.save_file({'conv1.weight': …}, path)",
  ],
  [0, 'GGUF', 'GGUF, which llama.cpp reads; take the weights that it was made from'],
  ...['lmgg', 'fmgg', 'tjgg'].map(
    (magic) => [0, magic, 'a ggml model; take the weights that it was made from'] as const,
  ),
  [0, '\x12\x01\0\0\0\0\0\0', `MXNet's parameters (.params); ${TAKE_OTHERS}`],
  [0, 'ptrt', TENSORRT],
  [0, 'ftrt', TENSORRT],
  [0, '7767517\n', `an ncnn model (.param); ${TAKE_OTHERS}`],
  [0, '\x1f\x8b', `a gzip archive; ${UNPACK}`],
  [0, '\xfd7zXZ\0', `an xz archive; ${UNPACK}`],
  [0, 'BZh', `a bzip2 archive; ${UNPACK}`],
  [0, '\x28\xb5\x2f\xfd', `a zstd archive; ${UNPACK}`],
  [0, '7z\xbc\xaf\x27\x1c', `a 7z archive; ${UNPACK}`],
  [0, 'Rar!\x1a\x07', `a rar archive; ${UNPACK}`],
  [0, 'PK\x05\x06', `an empty zip archive; ${NAME_WEIGHTS}`],
  [257, 'ustar', `a tar archive; ${UNPACK}. A checkpoint of PyTorch's first year: ${SAVE_TORCH}`],
  [0, '\xff\xd8\xff', picture('JPEG')],
  [0, '\x89PNG\r\n\x1a\n', picture('PNG')],
  [0, 'GIF8', picture('GIF')],
  [8, 'WEBP', picture('WebP')],
  [0, 'II*\0', picture('TIFF')],
  [0, 'MM\0*', picture('TIFF')],
  [4, 'ftypavif', picture('AVIF')],
  [4, 'ftyphei', picture('HEIC')],
  [4, 'ftypmif1', picture('HEIC')],
  [0, '%PDF', `a PDF; ${NAME_WEIGHTS}`],
  [
    0,
    'version https://git-lfs',
    'a Git LFS pointer, not the file itself; to get the file: git lfs pull',
  ],
];

/** How other formats begin. */
const SHAPES: readonly (readonly [
  has: (head: Uint8Array, length: number) => boolean,
  what: string,
])[] = [
  [
    isPickle,
    `a Python pickle not written by torch.save; load it in its own program, and ${SAVE_STATE}`,
  ],
  [isSavedModel, SAVED_MODEL],
  [isCoreMl, CORE_ML],
  [isFrozenGraph, `a frozen graph of TensorFlow's (.pb); ${TAKE_OTHERS}`],
  [isCaffe, CAFFE],
  [isMessagePack, FLAX],
  [isBmp, picture('BMP')],
  [
    (head) => head.every((byte) => byte === 0),
    'only zeros at its start, as after a broken download; download it again',
  ],
];

/** How text files begin. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^(?:<\?xml[^>]*>\s*)?<net\s/u, `${OPENVINO} (its .xml)`],
  [/^(?:<\?xml[^>]*>\s*)?<svg/iu, picture('SVG')],
  [/^<\?xml[^>]*>\s*<Error>/u, 'an error message from a server; download the file again'],
  [/^\[\s*["\d[{]/u, 'a JSON list, no weights; a list of class names goes to --labels'],
  [/^<(?:!doctype|html|head|body|script)/iu, 'a web page; download the file itself'],
];

/** What the file name says, if the bytes do not. */
const NAMES: readonly (readonly [name: RegExp, what: string])[] = [
  [/group\d+-shard\d+of\d+(?:\.bin)?$/u, TFJS_PART],
  [/\.data-\d{5}-of-\d{5}$|\.ckpt\.(?:index|meta)$/u, TF_CHECKPOINT],
  [/\.onnx$/iu, ONNX],
  [/\.mlmodel$/iu, CORE_ML],
  [/\.caffemodel$/iu, CAFFE],
  [/\.(?:engine|plan|trt)$/iu, TENSORRT],
  [/\.weights$/iu, `Darknet's weights; ${TAKE_OTHERS}`],
  [/\.msgpack$/iu, FLAX],
];

/**
 * Describes a file that is neither safetensors nor JSON nor a zip, and says what to do.
 *
 * @param head its first `HEAD_BYTES`, fewer if it is shorter
 * @param expected the supported files, for an unknown file
 */
export function foreignFormat(head: Uint8Array, file: ForeignFile, expected: string): string {
  const bytes = latin1(head);
  const magic = MAGIC.find(([at, first]) => bytes.startsWith(first, at));
  if (magic) return magic[2];
  const shape = SHAPES.find(([has]) => has(head, file.length));
  if (shape) return shape[1];
  const text = textOf(head);
  const known = TEXTS.find(([start]) => text !== undefined && start.test(text));
  if (known) return known[1];
  const named = NAMES.find(([name]) => name.test(file.path));
  if (named) return named[1];
  if (/\.bin$/iu.test(file.path) && file.hasXml) return `${OPENVINO} (its .bin)`;
  return text === undefined
    ? `not a supported kind of file (${expected}); it ${firstBytes(head)}`
    : `plain text, not weights: ${JSON.stringify(shortened(text))}; ${NAME_WEIGHTS}`;
}

/** Describes JSON that is not an index of weights; `undefined` for an index, and if it is not JSON. */
export function foreignJson(text: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return `JSON, no weights; ${NAME_WEIGHTS}`;
  if (Array.isArray(json)) return `JSON, a list; ${NAME_WEIGHTS}`;
  const has = (...keys: string[]): boolean => keys.some((key) => Object.hasOwn(json, key));
  if (has('weight_map')) return undefined;
  if (has('modelTopology', 'weightsManifest')) return TFJS;
  if (has('class_name') && has('config')) {
    return `the architecture of a Keras model, without weights; load the model and ${SAVE_KERAS}`;
  }
  if (has('model_type', 'architectures', 'id2label', 'pretrained_cfg', 'image_mean')) {
    return "a model's configuration; the weights are beside it, in model.safetensors most often";
  }
  return `JSON, but no index of safetensors files: it has ${listed(Object.keys(json))}; ${NAME_WEIGHTS}`;
}

/**
 * Describes a zip archive without a PyTorch checkpoint; `undefined` if it may have one.
 *
 * @param entries the names in it
 */
export function foreignZip(entries: readonly string[]): string | undefined {
  const has = (name: RegExp): boolean => entries.some((entry) => name.test(entry));
  if (has(/^(?:[^/]+\/)?bytecode\.pkl$/u)) return LITE;
  if (has(/^(?:[^/]+\/)?data\.pkl$/u)) return undefined;
  if (has(/(?:^|\/)model\.weights\.h5$/u)) return `a Keras model (.keras); ${SAVE_KERAS}`;
  if (entries.length > 0 && entries.every((entry) => entry.endsWith('.npy'))) {
    return "NumPy's arrays (.npz); save them as safetensors: safetensors.numpy.save_file(dict(numpy.load(…)), path)";
  }
  if (has(/(?:^|\/)saved_model\.pb$/u)) return `a zip archive with ${SAVED_MODEL}`;
  if (has(/\.mlmodel$/u)) return `a zip archive with ${CORE_ML}`;
  if (has(/(?:^|\/)(?:serialized_exported_program\.json|archive_format)$/u)) {
    return `a program of torch.export (.pt2); in PyTorch, ${SAVE_STATE}`;
  }
  const inner = entries.find((entry) => /\.(?:safetensors|pth|pt|ckpt|bin)$/iu.test(entry));
  const what = 'a zip archive, but no PyTorch checkpoint';
  return inner === undefined
    ? `${what}: it has ${listed(entries)}; ${NAME_WEIGHTS}`
    : `${what}: it has ${listed([inner])}; ${UNPACK}`;
}

/**
 * Describes a known kind of directory, and which file in it to name; `undefined` for any other.
 *
 * @param entries the names in it, in order
 * @param pathOf the path of one of them
 */
export function foreignFolder(
  entries: readonly string[],
  pathOf: (entry: string) => string,
): string | undefined {
  if (entries.includes('saved_model.pb')) return `the directory of ${SAVED_MODEL}`;
  if (entries.includes('Manifest.json') && entries.includes('Data')) {
    return `the directory of ${CORE_ML}`;
  }
  const weights = [/\.index\.json$/u, /\.safetensors$/u, /\.(?:pth|pt|ckpt)$/u, /\.bin$/u]
    .map((ending) => entries.find((entry) => ending.test(entry)))
    .find((entry) => entry !== undefined);
  if (weights !== undefined) return `a directory; name the file in it: ${pathOf(weights)}`;
  if (entries.includes('data.pkl')) {
    return 'a PyTorch checkpoint that was unpacked; pack the directory into a zip archive';
  }
  return entries.includes('model.json') ? `the directory of ${TFJS}` : undefined;
}

/** One character per byte. */
function latin1(head: Uint8Array): string {
  return String.fromCharCode(...head);
}

/** A map whose first key is a word of fewer than 32 letters. */
function isMessagePack(head: Uint8Array): boolean {
  const isMap = head[0]! >= 0x81 && head[0]! <= 0x8f;
  const at = isMap ? 1 : head[0] === 0xde ? 3 : undefined;
  if (at === undefined || head[at]! < 0xa1 || head[at]! > 0xbf) return false;
  const key = head.subarray(at + 1, at + 1 + (head[at]! & 31));
  return /^\w+$/u.test(String.fromCharCode(...key));
}

/** Protocols 2 to 5 begin with a mark; 0 is text, and 1 begins with an object and its place. */
function isPickle(head: Uint8Array): boolean {
  if (head[0] === 0x80) return head[1]! >= 2 && head[1]! <= 5;
  return /^(?:\(?[dl]p\d|c[\w.]+\n\w+\n|[}\]]q\0)/u.test(latin1(head));
}

/** Two letters, the size, and four zeros. */
function isBmp(head: Uint8Array): boolean {
  const isMarked = head[0] === 0x42 && head[1] === 0x4d;
  return isMarked && head.length > 10 && head.subarray(6, 10).every((byte) => byte === 0);
}

/** Without byte order mark and surrounding space; `undefined` if it is not UTF-8 text. */
function textOf(head: Uint8Array): string | undefined {
  // The last character may be cut off.
  const text = new TextDecoder().decode(head).replace(/\ufffd{1,3}$/u, '');
  const isText = (c: string): boolean =>
    (c >= ' ' && c !== '\x7f' && c !== '\ufffd') || /\s/u.test(c);
  return text !== '' && [...text].every(isText) ? text.trim() : undefined;
}

/** Some names, on one line. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  const some = names.slice(0, 3).map((name) => JSON.stringify(shortened(name)).slice(1, -1));
  return some.join(', ') + (names.length > some.length ? ', …' : '');
}

function shortened(text: string): string {
  const most = 40;
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
