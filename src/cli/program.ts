/** The commands of `fastcam`: their arguments, options and help. */

import { Command, Option } from 'commander';
import { PRECISIONS } from '../kernels/index.js';
import { CAM_METHODS } from '../methods/index.js';
import { PICTURE_KINDS } from '../node/drawing/picture-kinds.js';
import { VERSION } from '../node/version.js';
import { type Colormap, NORMALIZERS } from '../viz/index.js';
import { type BenchFlags, benchCommand } from './bench-command.js';
import { type CalibrateFlags, calibrateCommand } from './calibrate-command.js';
import { type ConvertFlags, convertCommand } from './convert-command.js';
import { type CostFlags, costCommand } from './cost-command.js';
import { type ExplainFlags, explainCommand } from './explain-command.js';
import { type FetchFlags, fetchCommand } from './fetch-command.js';
import { type InspectFlags, inspectCommand } from './inspect-command.js';
import { type InstrumentFlags, instrumentCommand } from './instrument-command.js';
import { type ModelsFlags, modelsCommand } from './models-command.js';
import {
  parseBytes,
  parseClass,
  parseJobs,
  parseNames,
  parsePath,
  parsePaths,
  parseScaleWeights,
  parseSha256,
  parseSides,
  parseSize,
  parseSome,
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
import { type OrderFlags, orderCommand } from './order-command.js';
import type { Streams } from './streams.js';

const COLORMAPS: readonly Colormap[] = ['viridis', 'cividis', 'jet'];

const EXAMPLES = `
Examples:
  fastcam explain photo.jpg                        pictures and report.json in out/photo/
  fastcam explain *.jpg -o maps                    several at once
  fastcam explain holiday/ --only overlay --format webp
                                                   all pictures of a folder, one picture of each
  fastcam explain holiday/ --format webp --gallery
                                                   … and a page to look through them
  fastcam explain cat.png --class tabby            where is the tabby?
  fastcam explain cat.png --model resnet50.safetensors --size 224
  fastcam explain cat.png --json | jq .top         the report, for programs
  fastcam explain x.safetensors --tensors y.safetensors
                                                   tensors in and out, to compare frameworks
  fastcam fetch resnet50                           download torchvision's ResNet-50 …
  fastcam explain cat.png --model resnet50         … and use it, from the cache
  fastcam inspect resnet50.pth                     what the network is, and what could be tapped
  fastcam explain cat.png --model mine.onnx --labels names.txt
                                                   a network of your own
  fastcam models --fit 128MB                       which networks fit in a memory
  fastcam convert resnet50.pth resnet50.safetensors --precision f16
                                                   weights that explain themselves
  fastcam instrument model.onnx -o maps.onnx       saliency inside the file, for any ONNX runtime
  fastcam order photo.jpg                          does SMOE Scale sort pixels as other statistics do?
  fastcam calibrate *.jpg -o c.json; fastcam explain *.jpg --calibration c.json
                                                   values that compare across pictures
  fastcam cost --arch resnet18                     what saliency costs, beside the network
  fastcam bench --layers                           where a forward pass spends its time

Exit codes: 0 fine, 1 some input failed (the rest is done), 2 the call is wrong.
`;

/**
 * @param finish is told the exit code of the command that ran
 * @param asOneLine makes one line of a message of commander's, for the command of that name
 */
export function makeProgram(
  streams: Streams,
  finish: (exitCode: number) => void,
  asOneLine: (text: string, command: string) => string,
): Command {
  const program = new Command('fastcam')
    .description(
      'Where did the network look? Saliency maps of a convolutional network from one forward pass.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      outputError: (text, write) => write(asOneLine(text, 'fastcam')),
    })
    .addHelpText('after', EXAMPLES);
  /** A command whose errors point to its own help. */
  const subcommand = (name: string, options: readonly Option[]): Command => {
    const command = program
      .command(name)
      .configureOutput({ outputError: (text, write) => write(asOneLine(text, `fastcam ${name}`)) })
      .allowExcessArguments(false);
    for (const option of options) command.addOption(option);
    return command;
  };

  subcommand('explain', explainOptions())
    .summary('explain pictures: what made the network say what it says')
    .description(
      'Explains pictures (jpeg, png, webp, avif, gif, tiff, bmp; more where sharp is installed, unless FASTCAM_SHARP=0), ' +
        'all pictures of folders, or a tensor `input` [N, channels, H, W] (.safetensors). Each gets a folder inside --out: a contact sheet, the saliency, an ' +
        'overlay, LOVI, FastCAM, the non-class map and one map for each scale as PNG, and report.json.',
    )
    .argument('<paths...>', 'pictures, folders of them, or tensors as .safetensors', parsePaths)
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], flags: ExplainFlags) => {
      finish(await explainCommand(files, flags, streams));
    });
  subcommand('fetch', fetchOptions())
    .summary('download weights into the cache')
    .description(
      'Downloads weights by name (fastcam models lists them) or by an http(s) URL into the cache: ' +
        'FASTCAM_CACHE, else the system’s folder for caches. A download that broke is resumed. What ' +
        'comes is held against its SHA-256: --sha256, else the digits in torchvision’s file names, ' +
        'else what the Hugging Face hub says. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured. ' +
        'No other command uses the network.',
    )
    .argument('<models...>', 'names or URLs')
    .action(async (names: string[], flags: FetchFlags) => {
      finish(await fetchCommand(names, flags, streams));
    });
  subcommand('convert', convertOptions())
    .summary('convert weights to safetensors that explain themselves')
    .description(
      'Reads a safetensors file, the index of several, or a file of PyTorch’s, in the naming of torchvision, ' +
        'timm, Hugging Face or Keras, and writes safetensors in torchvision’s naming, with architecture, ' +
        'preprocessing, class names and the SHA-256 of what was read. Tells what rounding did to each layer, ' +
        'and warns of layers that it spoils.',
    )
    .argument('<in>', 'weights, a fetched model, or bundled')
    .argument('<out>', 'the file to write, ….safetensors')
    .action(async (input: string, output: string, flags: ConvertFlags) => {
      finish(await convertCommand(input, output, flags, streams));
    });
  subcommand('models', modelsOptions())
    .summary('list what can be loaded, or what fits in a memory')
    .description(
      'Lists the models that are known by name: where they come from, how large they are, whether ' +
        'they are in the cache. With --fit, what each network takes in memory with its weights stored ' +
        'one way or another and square inputs of some sizes. Neither uses the network.',
    )
    .action(async (flags: ModelsFlags) => {
      finish(await modelsCommand(flags, streams));
    });
  subcommand('inspect', inspectOptions())
    .summary('tell what a file of weights is')
    .description(
      'Tells what a file is, the family of its network, what it takes, its classes, where its scales end and what ' +
        'else could be tapped, operations, memory by precision, and what was assumed. Of a file that cannot be loaded it tells why, and the ' +
        'known network that it is nearest to.',
    )
    .argument('<model>', 'weights, an ONNX file, a fetched model, or bundled', parsePath)
    .action(async (model: string, flags: InspectFlags) => {
      finish(await inspectCommand(model, flags, streams));
    });
  subcommand('instrument', instrumentOptions())
    .summary('write saliency into an ONNX file, for any runtime')
    .description(
      'Writes saliency into the graph of an ONNX file, in operators of ONNX’s own: any runtime then gives logits and ' +
        'maps from one run. Added outputs: saliency [N, H, W], scale_0 … [N, h, w] and, where the classifier is ' +
        'linear, cam and fastcam [N, H, W] of the top class. All else in the file keeps its bytes; a file below ' +
        'opset 11 is raised to it.',
    )
    .argument('<model>', 'a file, ….onnx', parsePath)
    .action(async (model: string, flags: InstrumentFlags) => {
      finish(await instrumentCommand(model, flags, streams));
    });
  subcommand('order', orderOptions())
    .summary('compare the order of a picture’s pixels by SMOE Scale and by other statistics')
    .description(
      'Compares how SMOE Scale and every other statistic, the full Gamma scale first, sort the pixels of ' +
        'each scale: Kendall’s τ, Spearman’s ρ, what the top tenths have in common, and whether the most ' +
        'salient pixel is the same.',
    )
    .argument('<file>', 'a picture', parsePath)
    .action(async (file: string, flags: OrderFlags) => {
      finish(await orderCommand(file, flags, streams));
    });
  subcommand('calibrate', calibrateOptions())
    .summary('fit the constants of normalization to many pictures')
    .description(
      'Fits mean and deviation, Gamma distribution and range of each scale to all pixels of many pictures, ' +
        'and writes them as JSON. By explain --calibration they take the place of each map’s own, so that ' +
        'values compare across pictures.',
    )
    .argument('<paths...>', 'pictures, and folders of them', parsePaths)
    .action(async (files: string[], flags: CalibrateFlags) => {
      finish(await calibrateCommand(files, flags, streams));
    });
  subcommand('cost', costOptions())
    .summary('count and measure what saliency costs')
    .description(
      'Prints the operations and the memory of saliency as the paper counts them (Table 6), for any network ' +
        'and size, and beside them measured milliseconds. The network is noise. SMOE Scale’s time is the ' +
        'difference of a pass with taps and one without, step beside step.',
    )
    .action(async (flags: CostFlags) => {
      finish(await costCommand(flags, streams));
    });
  subcommand('bench', benchOptions())
    .summary('measure a forward pass: its time, and its layers’')
    .description(
      'Times forward passes of one square picture, and the saliency. The network is noise, whose ReLUs ' +
        'leave as many zeros to skip as a trained one’s. Rates are compared with that of the backend’s microkernel, a ' +
        'matrix product that stays in the cache, timed in turns with the passes.',
    )
    .action(async (flags: BenchFlags) => {
      finish(await benchCommand(flags, streams));
    });
  return program;
}

function explainOptions(): Option[] {
  return [
    valued('-o, --out <folder>', 'where to write', parsePath).default('out'),
    ...modelOptions(),
    labelsOption(),
    statisticOption(),
    choice('--normalizer <name>', 'of each scale', Object.keys(NORMALIZERS)).default('gaussian'),
    valued('--calibration <file>', 'constants of the normalizer, from calibrate', parsePath),
    scaleWeightsOption(),
    camOption(),
    tapsOption(),
    valued('--class <index|name>', 'class to explain (default: the likeliest)', parseClass),
    ...inputOptions(),
    choice('--colormap <name>', 'of heat maps', COLORMAPS).default('viridis'),
    valued('--only <kinds>', `which pictures: some of ${PICTURE_KINDS.join(',')}`, (text) =>
      parseSome(text, PICTURE_KINDS),
    ),
    choice('--format <name>', 'of the pictures', ['png', 'jpeg', 'webp']).default('png'),
    new Option('--full-size', 'draw at the size of the picture, not at 1600 pixels at most'),
    new Option('--gallery', 'write index.html, a page that shows all of them, into --out'),
    valued('-j, --jobs <number>', 'pictures at once (default: the number of cores)', parseJobs),
    valued('--tensors <file>', 'write every array of the run, safetensors float32', parsePath),
    ...outputOptions('reports, one line of JSON for each input'),
  ];
}

function scaleWeightsOption(): Option {
  return valued(
    '--scale-weights <weights>',
    'equal, ramp, prior (of five scales), or a number for each scale: 1,2,3,4,5',
    parseScaleWeights,
  ).default('equal');
}

function camOption(): Option {
  return choice(
    '--cam <method>',
    'class activation map (default: gradcam++ where the classifier is linear)',
    [...CAM_METHODS, 'none'],
  );
}

function tapsOption(): Option {
  return valued(
    '--taps <names>',
    'measure at these values, not where scales end: a,b,c',
    parseNames,
  );
}

function fetchOptions(): Option[] {
  return [
    valued('--sha256 <hex>', 'the hash that the file must have', parseSha256),
    valued('--max-bytes <size>', 'the most that is downloaded (default: 2GiB)', parseBytes),
    new Option('--force', 'download again what is in the cache'),
    ...outputOptions('one line of JSON for each model'),
  ];
}

function convertOptions(): Option[] {
  return [
    choice('--precision <name>', 'of kernels; early ones one step finer', PRECISIONS).default(
      'f32',
    ),
    valued('--shard <size>', 'several files of at most 24MiB, say, and an index', parseBytes),
    labelsOption(),
    ...weightsOptions(),
    ...outputOptions('one line of JSON'),
  ];
}

function modelsOptions(): Option[] {
  return [
    valued('--fit <size>', 'a memory, as 128MB or 128MiB: what fits in it', parseBytes),
    backendOption(),
    ...outputOptions('one line of JSON'),
  ];
}

function inspectOptions(): Option[] {
  return [
    new Option('--layers', 'print every layer'),
    labelsOption(),
    ...weightsOptions(),
    backendOption(),
    valued('--size <pixels>', "side of the input (default: the model's own)", parseSize),
    ...outputOptions('one line of JSON, layers and all'),
  ];
}

function instrumentOptions(): Option[] {
  return [
    valued('-o, --out <file>', 'the file to write, ….onnx', parsePath).makeOptionMandatory(),
    statisticOption(),
    scaleWeightsOption(),
    camOption(),
    new Option('--class-input', 'add an input that chooses the class of each picture, int64 [N]'),
    tapsOption(),
    valued('--output <name>', 'the output with the logits (default: the first)', parsePath),
    valued(
      '--size <pixels>',
      'of the maps: 224, or 224x320 (default: of the input, any that the file takes)',
      parseSides,
    ),
    ...outputOptions('one line of JSON'),
  ];
}

function orderOptions(): Option[] {
  return [
    valued('-o, --out <folder>', 'where to write report.json (default: nowhere)', parsePath),
    ...modelOptions(),
    ...inputOptions(),
    ...outputOptions('the report as one line of JSON'),
  ];
}

function calibrateOptions(): Option[] {
  return [
    valued('-o, --out <file>', 'where to write', parsePath).default('calibration.json'),
    ...modelOptions(),
    statisticOption(),
    ...inputOptions(),
    ...outputOptions('the calibration as one line of JSON'),
  ];
}

function costOptions(): Option[] {
  return [
    ...measureOptions({ arch: 'resnet50', size: '224' }),
    ...outputOptions('one line of JSON'),
  ];
}

function benchOptions(): Option[] {
  return [
    new Option('--layers', 'print every layer'),
    valued(
      '--model <bundled|file|name>',
      'weights, or a fetched model, in place of noise',
      parsePath,
    ),
    statisticOption(),
    ...measureOptions({
      arch: 'resnet50; of a --model: inferred',
      size: "the model's own, else 224",
    }),
    ...outputOptions('one line of JSON'),
  ];
}
