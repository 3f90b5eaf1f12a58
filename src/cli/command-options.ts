/** The options of each command. */

import { Option } from 'commander';
import { BACKENDS, PRECISIONS } from '../kernels/index.js';
import { COMPARED_METHODS } from '../methods/gradients/comparison.js';
import { CAM_METHODS } from '../methods/index.js';
import { PICTURE_KINDS } from '../node/drawing/picture-kinds.js';
import { type Colormap, NORMALIZERS } from '../viz/index.js';
import { methodOptions, passOptions } from './attribution-options.js';
import {
  parseBytes,
  parseClass,
  parseJobs,
  parseNames,
  parsePath,
  parseScaleWeights,
  parseSha256,
  parseSides,
  parseSize,
  parseSome,
  parseTile,
} from './option-values.js';
import {
  backendOption,
  choice,
  inputOptions,
  labelsOption,
  measureOptions,
  modelOptions,
  outputOptions,
  statisticOption,
  valued,
  weightsOptions,
} from './options.js';

const COMPARED = COMPARED_METHODS.map(({ name }) => name);
const COLORMAPS: readonly Colormap[] = ['viridis', 'cividis', 'jet'];

export function explainOptions(): Option[] {
  return [
    valued('-o, --out <folder>', 'folder to write to', parsePath).default('out'),
    ...modelOptions(),
    labelsOption(),
    statisticOption(),
    choice('--normalizer <name>', 'normalizer of each scale', Object.keys(NORMALIZERS)).default(
      'gaussian',
    ),
    valued('--calibration <file>', 'normalizer constants, written by calibrate', parsePath),
    scaleWeightsOption(),
    camOption('there is a classifier'),
    tapsOption(', or `activations` for every activation function'),
    classOption(),
    ...methodOptions(),
    ...inputOptions(),
    colormapOption(),
    valued(
      '--only <kinds>',
      `write only these pictures: some of ${PICTURE_KINDS.join(',')}`,
      (text) => parseSome(text, PICTURE_KINDS),
    ),
    choice('--format <name>', 'format of the pictures', ['png', 'jpeg', 'webp']).default('png'),
    new Option(
      '--full-size',
      'draw at the full size of the picture (default: at most 1600 pixels)',
    ),
    new Option('--gallery', 'write index.html into --out, a page that shows all pictures'),
    valued(
      '--tile <pixels>',
      'for very large pictures: run the network at the picture’s own resolution, about pixels × pixels at a time, and write pyramids of tiles (.dzi) and maps as TIFF; continues if it was interrupted',
      parseTile,
    ),
    valued(
      '-j, --jobs <number>',
      'pictures to process at the same time (default: the number of cores)',
      parseJobs,
    ),
    valued('--tensors <file>', 'write all arrays of the run as safetensors, float32', parsePath),
    ...outputOptions('reports, one line of JSON for each input'),
  ];
}

export function compareOptions(): Option[] {
  return [
    valued('-o, --out <folder>', 'folder for sheet.png and compare.json', parsePath).default('out'),
    ...modelOptions(),
    labelsOption(),
    valued('--methods <names>', `some of ${COMPARED.join(',')} (default: all)`, (text) =>
      parseSome(text, COMPARED),
    ),
    classOption(),
    tapsOption(),
    ...passOptions(),
    ...inputOptions(),
    colormapOption(),
    ...outputOptions('compare.json as one line'),
  ];
}

function classOption(): Option {
  return valued('--class <index|name>', 'class to explain (default: the most likely)', parseClass);
}

function colormapOption(): Option {
  return choice('--colormap <name>', 'colormap of heat maps', COLORMAPS).default('viridis');
}

function scaleWeightsOption(): Option {
  return valued(
    '--scale-weights <weights>',
    'weights of the scales: equal, ramp, prior (for five scales), or one number each: 1,2,3,4,5',
    parseScaleWeights,
  ).default('equal');
}

/** @param needed what Grad-CAM++, the default, needs */
function camOption(needed: string): Option {
  return choice('--cam <method>', `class activation map (default: gradcam++ if ${needed})`, [
    ...CAM_METHODS,
    'none',
  ]);
}

function tapsOption(or = ''): Option {
  return valued(
    '--taps <names>',
    `measure at these values instead of the ends of scales: a,b,c${or}`,
    parseNames,
  );
}

export function fetchOptions(): Option[] {
  return [
    valued('--sha256 <hex>', 'the hash that the file must have', parseSha256),
    valued('--max-bytes <size>', 'largest download allowed (default: 2GiB)', parseBytes),
    new Option('--force', 'download again even if the file is in the cache'),
    ...outputOptions('one line of JSON for each model'),
  ];
}

export function convertOptions(): Option[] {
  return [
    choice(
      '--precision <name>',
      'precision of kernels; early layers are stored one step finer',
      PRECISIONS,
    ).default('f32'),
    valued(
      '--shard <size>',
      'split into files of at most this size, such as 24MiB, and an index',
      parseBytes,
    ),
    labelsOption(),
    ...weightsOptions(),
    ...outputOptions('one line of JSON'),
  ];
}

export function modelsOptions(): Option[] {
  return [
    valued('--fit <size>', 'list what fits in this memory: 128MB, 128MiB …', parseBytes),
    backendOption(),
    ...outputOptions('one line of JSON'),
  ];
}

export function inspectOptions(): Option[] {
  return [
    new Option('--layers', 'print every layer'),
    labelsOption(),
    ...weightsOptions(),
    backendOption(),
    valued('--size <pixels>', "side of the input (default: the model's own)", parseSize),
    ...outputOptions('one line of JSON with all layers'),
  ];
}

export function instrumentOptions(): Option[] {
  return [
    valued('-o, --out <file>', 'the file to write, ….onnx', parsePath).makeOptionMandatory(),
    statisticOption(),
    scaleWeightsOption(),
    camOption('the classifier is linear'),
    new Option('--class-input', 'add an input that selects the class of each picture, int64 [N]'),
    tapsOption(),
    valued('--output <name>', 'the output with the logits (default: the first)', parsePath),
    valued(
      '--size <pixels>',
      'size of the maps: 224, or height x width: 224x320 (default: the size of the input)',
      parseSides,
    ),
    ...outputOptions('one line of JSON'),
  ];
}

export function orderOptions(): Option[] {
  return [
    valued('-o, --out <folder>', 'folder for report.json (default: not written)', parsePath),
    ...modelOptions(),
    ...inputOptions(),
    ...outputOptions('the report as one line of JSON'),
  ];
}

export function calibrateOptions(): Option[] {
  return [
    valued('-o, --out <file>', 'the file to write', parsePath).default('calibration.json'),
    ...modelOptions(),
    statisticOption(),
    ...inputOptions(),
    ...outputOptions('the calibration as one line of JSON'),
  ];
}

export function costOptions(): Option[] {
  return [
    ...measureOptions({ arch: 'resnet50', size: '224' }),
    new Option('--methods', 'measure the methods that need gradients, too'),
    valued('--backend <names>', `which kernels compute: some of ${BACKENDS.join(',')}`, (text) =>
      parseSome(text, BACKENDS),
    ).default(['auto'], 'auto'),
    ...outputOptions('one line of JSON for each backend'),
  ];
}

export function benchOptions(): Option[] {
  return [
    new Option('--layers', 'print every layer'),
    valued(
      '--model <bundled|file|name>',
      'weights or a fetched model, instead of random weights',
      parsePath,
    ),
    statisticOption(),
    ...measureOptions({
      arch: 'resnet50; with --model: from its weights',
      size: "the model's own, else 224",
    }),
    backendOption(),
    ...outputOptions('one line of JSON'),
  ];
}
