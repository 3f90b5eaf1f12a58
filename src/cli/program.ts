/** The commands of `fastcam`: their arguments and help. */

import { Command, type Option } from 'commander';
import { VERSION } from '../node/version.js';
import { type BenchFlags, benchCommand } from './bench-command.js';
import { type CalibrateFlags, calibrateCommand } from './calibrate-command.js';
import {
  benchOptions,
  calibrateOptions,
  compareOptions,
  convertOptions,
  costOptions,
  explainOptions,
  fetchOptions,
  inspectOptions,
  instrumentOptions,
  modelsOptions,
  orderOptions,
} from './command-options.js';
import { type CompareFlags, compareCommand } from './compare-command.js';
import { type ConvertFlags, convertCommand } from './convert-command.js';
import { type CostFlags, costCommand } from './cost-command.js';
import { type EvaluateFlags, evaluateCommand, evaluateOptions } from './evaluate-command.js';
import { type ExplainFlags, explainCommand } from './explain-command.js';
import { type FetchFlags, fetchCommand } from './fetch-command.js';
import { type InspectFlags, inspectCommand } from './inspect-command.js';
import { type InstrumentFlags, instrumentCommand } from './instrument-command.js';
import { type KarRoarFlags, karRoarCommand, karRoarOptions } from './kar-roar-command.js';
import { type ModelsFlags, modelsCommand } from './models-command.js';
import { parsePath, parsePaths } from './option-values.js';
import { type OrderFlags, orderCommand } from './order-command.js';
import type { Streams } from './streams.js';

const EXAMPLES = `
Examples:
  fastcam explain photo.jpg                        pictures and report.json in out/photo/
  fastcam explain *.jpg -o maps                    several pictures at once
  fastcam explain holiday/ --only overlay --format webp
                                                   all pictures of a folder, only the overlay of each
  fastcam explain holiday/ --format webp --gallery
                                                   the same, and a page to look through them
  fastcam explain cat.png --class tabby            explain the class “tabby”
  fastcam explain cat.png --model resnet50.safetensors --size 224
  fastcam explain scene.tif --tile 1024            a very large picture, at its own resolution
  fastcam explain cat.png --json | jq .top         the report, for programs
  fastcam explain x.safetensors --tensors y.safetensors
                                                   read and write tensors, to compare frameworks
  fastcam fetch resnet50                           download torchvision's ResNet-50
  fastcam explain cat.png --model resnet50         use the downloaded model
  fastcam inspect resnet50.pth                     what the network is, and which values --taps can name
  fastcam explain cat.png --model mine.onnx --labels names.txt
                                                   a network of your own
  fastcam models --fit 128MB                       which networks fit in a memory
  fastcam convert resnet50.pth resnet50.safetensors --precision f16
                                                   weights that carry their own description
  fastcam instrument model.onnx -o maps.onnx       add saliency to the file, for any ONNX runtime
  fastcam explain cat.png --method integrated-gradients --smoothing smoothgrad-squared
                                                   the map of another method, too
  fastcam compare cat.png -o out                   every method side by side, with its time
  fastcam order photo.jpg                          does SMOE Scale rank pixels as other statistics do?
  fastcam calibrate *.jpg -o c.json; fastcam explain *.jpg --calibration c.json
                                                   values that can be compared across pictures
  fastcam evaluate pictures/ --limit 2             how good the map of each method is
  fastcam kar-roar dataset -o results              does the network need the pixels that the maps show?
  fastcam cost --arch resnet18                     what saliency costs, compared with the network
  fastcam cost --methods --backend js,simd         and with what gradients cost
  fastcam bench --layers                           where a forward pass spends its time

Exit codes: 0 success; 1 some inputs failed, the others are done; 2 wrong arguments.
`;

/**
 * @param finish called with the exit code of the command that ran
 * @param asOneLine turns a message of commander into one line, for the command of that name
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
    .summary('explain pictures: which parts the network used')
    .description(
      'Explains pictures, all pictures of folders, or a tensor `input` [N, channels, H, W] (.safetensors). ' +
        'Formats: jpeg, png, webp, avif, gif, tiff, bmp; more if sharp is installed (FASTCAM_SHARP=0 turns sharp off). ' +
        'Each input gets a folder inside --out with report.json and these pictures as PNG: a contact sheet, the saliency, ' +
        'an overlay, LOVI, FastCAM, the non-class map and one map for each scale.',
    )
    .argument('<paths...>', 'pictures, folders of them, or tensors as .safetensors', parsePaths)
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], flags: ExplainFlags) => {
      finish(await explainCommand(files, flags, streams));
    });
  subcommand('compare', compareOptions())
    .summary('compare all methods on one sheet, each with its time')
    .description(
      'Explains a picture by every method: SMOE Scale and FastCAM, class activation maps, gradients, and gradients of ' +
        'noisy inputs. Writes all maps onto one sheet, each with its time, its ratio to a forward pass, and its memory; ' +
        'and compare.json with the same figures.',
    )
    .argument('<file>', 'a picture', parsePath)
    .action(async (file: string, flags: CompareFlags) => {
      finish(await compareCommand(file, flags, streams));
    });
  subcommand('fetch', fetchOptions())
    .summary('download weights into the cache')
    .description(
      'Downloads weights into the cache, by name (fastcam models lists the names) or by an http(s) URL. ' +
        'The cache is the folder FASTCAM_CACHE, or else the system’s folder for caches. An interrupted ' +
        'download is resumed. The SHA-256 of the file is checked: against --sha256, else the digits in ' +
        'torchvision’s file names, else what the Hugging Face hub says. The variables HTTPS_PROXY, ' +
        'HTTP_PROXY and NO_PROXY are used. No other command uses the internet.',
    )
    .argument('<models...>', 'names or URLs')
    .action(async (names: string[], flags: FetchFlags) => {
      finish(await fetchCommand(names, flags, streams));
    });
  subcommand('convert', convertOptions())
    .summary('convert weights to safetensors that carry their own description')
    .description(
      'Reads a safetensors file, the index of several, or a PyTorch file. Tensors may have the names of ' +
        'torchvision, timm, Hugging Face or Keras. Writes safetensors with torchvision’s names. Their metadata ' +
        'has the architecture, preprocessing, class names and the SHA-256 of the input. Prints the rounding error ' +
        'of each layer, and warns where it is too large.',
    )
    .argument('<in>', 'weights, a fetched model, or bundled')
    .argument('<out>', 'the file to write, ….safetensors')
    .action(async (input: string, output: string, flags: ConvertFlags) => {
      finish(await convertCommand(input, output, flags, streams));
    });
  subcommand('models', modelsOptions())
    .summary('list the known models, or what fits in a given memory')
    .description(
      'Lists the models that are known by name: where they come from, how large they are, and whether ' +
        'they are in the cache. With --fit, prints how much memory each network takes, for each precision ' +
        'of the weights and for square inputs of several sizes. Does not use the internet.',
    )
    .action(async (flags: ModelsFlags) => {
      finish(await modelsCommand(flags, streams));
    });
  subcommand('inspect', inspectOptions())
    .summary('describe a file of weights')
    .description(
      'Prints the format of a file, the family of its network, its input, its classes, where its scales end, which ' +
        'other values --taps can name, the operations, the memory for each precision, and what was assumed. If the file ' +
        'cannot be loaded, prints the reason and the most similar known network.',
    )
    .argument('<model>', 'weights, an ONNX file, a fetched model, or bundled', parsePath)
    .action(async (model: string, flags: InspectFlags) => {
      finish(await inspectCommand(model, flags, streams));
    });
  subcommand('instrument', instrumentOptions())
    .summary('add saliency to an ONNX file, for any runtime')
    .description(
      'Adds saliency to the graph of an ONNX file, with standard ONNX operators. Any runtime then gives logits and ' +
        'maps in one run. Added outputs: saliency [N, H, W], scale_0 … [N, h, w] and, if the classifier is ' +
        'linear, cam and fastcam [N, H, W] of the top class. The rest of the file keeps its bytes. A file below ' +
        'opset 11 is converted to opset 11.',
    )
    .argument('<model>', 'a file, ….onnx', parsePath)
    .action(async (model: string, flags: InstrumentFlags) => {
      finish(await instrumentCommand(model, flags, streams));
    });
  subcommand('order', orderOptions())
    .summary('compare how SMOE Scale and the other statistics rank the pixels')
    .description(
      'Compares how SMOE Scale and each other statistic rank the pixels of each scale; the full Gamma scale ' +
        'comes first. Prints Kendall’s τ, Spearman’s ρ, how many of the top 10 % of pixels are the same, and ' +
        'whether the most salient pixel is the same.',
    )
    .argument('<file>', 'a picture', parsePath)
    .action(async (file: string, flags: OrderFlags) => {
      finish(await orderCommand(file, flags, streams));
    });
  subcommand('evaluate', evaluateOptions())
    .summary('measure how good the map of each method is, over labelled pictures')
    .description(
      'Measures the maps of all methods over pictures whose class is known: insertion and deletion, ROAD, average drop and ' +
        'increase in confidence, pointing game and energy in boxes, agreement of methods, the model-randomisation check, ' +
        'and seconds. A random map and a centred Gaussian show what chance gives. Writes evaluate.json, charts (if the ' +
        'package vega-lite is installed), and the results of each picture as soon as they are there. The same command ' +
        'continues where it stopped.',
    )
    .argument(
      '<pictures>',
      'a folder with a folder for each class, or a CSV file: file,label[,x0,y0,x1,y1]',
      parsePath,
    )
    .action(async (path: string, flags: EvaluateFlags) => {
      finish(await evaluateCommand(path, flags, streams));
    });
  subcommand('kar-roar', karRoarOptions())
    .summary('keep or remove salient pixels, train again, and measure the accuracy')
    .description(
      'Tests maps as the paper does. Keeps only the most salient pixels (KAR), or only the least salient ones (ROAR), ' +
        'trains the network again, and measures its accuracy on pictures masked likewise. With --at scales, masks are put ' +
        'on the activations at the end of each scale by each statistic. With --at input, pixels of the picture become the ' +
        'mean color, by each method of the paper’s Table 2. Each result is written to --out at once. The same command ' +
        'goes on where it stopped. Runs with other seeds in the same folder are averaged.',
    )
    .argument(
      '<dataset>',
      'a folder with train and val, each with a folder for each class',
      parsePath,
    )
    .action(async (path: string, flags: KarRoarFlags) => {
      finish(await karRoarCommand(path, flags, streams));
    });
  subcommand('calibrate', calibrateOptions())
    .summary('fit the normalizer’s constants to many pictures')
    .description(
      'Takes all pixels of many pictures and fits, for each scale, the mean and standard deviation, a Gamma ' +
        'distribution and the range. Writes them as JSON. With explain --calibration they replace the constants ' +
        'of the single map, so that values can be compared across pictures.',
    )
    .argument('<paths...>', 'pictures, and folders of them', parsePaths)
    .action(async (files: string[], flags: CalibrateFlags) => {
      finish(await calibrateCommand(files, flags, streams));
    });
  subcommand('cost', costOptions())
    .summary('count and measure what saliency costs')
    .description(
      'Prints the operations and the memory of saliency as the paper counts them (Table 6), for any network ' +
        'and size, together with measured milliseconds. The network has random weights. SMOE Scale’s time is the ' +
        'time of each step with taps minus its time without. With --methods, prints what every other method takes ' +
        'beyond the forward pass, as a multiple of the forward pass and of saliency.',
    )
    .action(async (flags: CostFlags) => {
      finish(await costCommand(flags, streams));
    });
  subcommand('bench', benchOptions())
    .summary('measure the time of a forward pass and of its layers')
    .description(
      'Times forward passes of one square picture, and the saliency. The network has random weights that give ' +
        'about as many zeros after ReLU as trained ones. Speeds are compared with the backend’s microkernel: a ' +
        'matrix product that stays in the cache. Microkernel and passes are timed in turns.',
    )
    .action(async (flags: BenchFlags) => {
      finish(await benchCommand(flags, streams));
    });
  return program;
}
