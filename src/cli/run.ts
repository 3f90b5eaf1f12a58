/** The command line: options, help, exit codes. What takes long to load is loaded by the commands. */

import { Command, CommanderError, Option } from 'commander';
import { BACKENDS } from '../kernels/index.js';
import { ARCHITECTURES, CAM_METHODS, PRECISIONS } from '../model/index.js';
import { packageVersion } from '../node/report.js';
import { type Colormap, NORMALIZERS } from '../viz/index.js';
import { type BenchFlags, benchCommand } from './bench-command.js';
import { type ConvertFlags, convertCommand } from './convert-command.js';
import { type ExplainFlags, explainCommand } from './explain-command.js';
import {
  parseBytes,
  parseClass,
  parsePath,
  parseRounds,
  parseScaleWeights,
  parseSize,
} from './option-values.js';
import { describeFailure, EXIT, type Streams, UsageError } from './streams.js';

const COLORMAPS: readonly Colormap[] = ['viridis', 'cividis', 'jet'];

const LABELS = "class names, JSON array or one a line (default: the model's own)";
const STRIDE_ON = "where bottlenecks stride (default: what the model says, else 3x3; Keras' 1x1)";

const EXAMPLES = `
Examples:
  fastcam explain photo.jpg                        pictures and report.json in out/photo/
  fastcam explain *.jpg -o maps                    several at once
  fastcam explain cat.png --class tabby            where is the tabby?
  fastcam explain cat.png --model resnet50.safetensors --size 224
  fastcam explain cat.png --json | jq .top         the report, for programs
  fastcam explain x.safetensors --tensors y.safetensors
                                                   tensors in and out, to compare frameworks
  fastcam convert resnet50.pth resnet50.safetensors --precision f16
                                                   weights that explain themselves
  fastcam bench --layers                           where a forward pass spends its time

Exit codes: 0 fine, 1 some input failed (the rest is done), 2 the call is wrong.
`;

/**
 * Runs the command with the arguments that follow its name.
 *
 * @returns the exit code; nothing is thrown
 */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = makeProgram(streams, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    streams.stderr.write(describeFailure(error, argv.includes('--debug')));
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

function makeProgram(streams: Streams, finish: (exitCode: number) => void): Command {
  const program = new Command('fastcam')
    .description('Where did the network look? Saliency maps of a ResNet from one forward pass.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      outputError: (text, write) => write(asOneLine(text, 'fastcam')),
    })
    .addHelpText('after', EXAMPLES);
  const explain = explainOptions(
    subcommand(program, 'explain')
      .summary('explain pictures: what made the network say what it says')
      .description(
        'Explains pictures (png, jpeg, bmp, gif, tiff), or a tensor `input` [N, 3, H, W] (.safetensors). ' +
          'Each gets a folder inside --out: a contact sheet, the saliency, an overlay, LOVI, FastCAM, ' +
          'the non-class map and one map for each scale as PNG, and report.json.',
      )
      .argument('<files...>', 'pictures, or tensors as .safetensors'),
  );
  explain.addHelpText('after', EXAMPLES).action(async (files: string[], flags: ExplainFlags) => {
    finish(await explainCommand(files, flags, streams));
  });
  const bench = benchOptions(
    subcommand(program, 'bench')
      .summary('measure a forward pass: its time, and its layers’')
      .description(
        'Times forward passes of one square picture, and the saliency. The network is noise: its speed ' +
          'does not depend on its weights. Rates are compared with that of the backend’s microkernel, a ' +
          'matrix product that stays in the cache, timed in turns with the passes.',
      ),
  );
  bench.action(async (flags: BenchFlags) => {
    finish(await benchCommand(flags, streams));
  });
  const convert = convertOptions(
    subcommand(program, 'convert')
      .summary('convert weights to safetensors that explain themselves')
      .description(
        'Reads a safetensors file, the index of several, or a PyTorch checkpoint, in the naming of torchvision, ' +
          'timm, Hugging Face or Keras, and writes safetensors in torchvision’s naming, with architecture, ' +
          'preprocessing, class names and the SHA-256 of what was read. Tells what rounding did to each layer.',
      )
      .argument('<in>', 'weights, or bundled')
      .argument('<out>', 'the file to write'),
  );
  convert.action(async (input: string, output: string, flags: ConvertFlags) => {
    finish(await convertCommand(input, output, flags, streams));
  });
  return program;
}

/** A command whose errors point to its own help. */
function subcommand(program: Command, name: string): Command {
  return program.command(name).configureOutput({
    outputError: (text, write) => write(asOneLine(text, `fastcam ${name}`)),
  });
}

const choice = (flags: string, text: string, values: readonly string[]): Option =>
  new Option(flags, text).choices(values);

function benchOptions(command: Command): Command {
  return command
    .option('--layers', 'print every layer')
    .addOption(
      choice(
        '--arch <name>',
        'architecture (default: resnet50; of a --model: inferred)',
        Object.keys(ARCHITECTURES),
      ),
    )
    .option('--model <bundled|file>', 'weights in place of noise', parsePath)
    .addOption(choice('--backend <name>', 'what computes', BACKENDS).default('auto'))
    .option('--size <pixels>', "side of the input (default: the model's own, else 224)", parseSize)
    .option('--rounds <number>', 'passes to take the median of', parseRounds, 10)
    .option('--json', 'print one line of JSON, and nothing else')
    .option('--debug', 'print where a failure comes from')
    .allowExcessArguments(false);
}

function convertOptions(command: Command): Command {
  return command
    .addOption(choice('--precision <name>', 'of kernels', PRECISIONS).default('f32'))
    .option('--shard <bytes>', 'several files of at most 24MiB, say, and an index', parseBytes)
    .option('--labels <file>', LABELS, parsePath)
    .addOption(
      choice('--arch <name>', 'architecture the weights must have', Object.keys(ARCHITECTURES)),
    )
    .addOption(choice('--stride-on <where>', STRIDE_ON, ['3x3', '1x1']))
    .option('--json', 'print one line of JSON, and nothing else')
    .option('--debug', 'print where a failure comes from')
    .allowExcessArguments(false);
}

function explainOptions(command: Command): Command {
  return command
    .option('-o, --out <folder>', 'where to write', parsePath, 'out')
    .option(
      '--model <bundled|file>',
      'weights: safetensors, an index of several, a PyTorch checkpoint',
      parsePath,
      'bundled',
    )
    .option('--labels <file>', LABELS, parsePath)
    .addOption(
      choice('--arch <name>', 'architecture the weights must have', Object.keys(ARCHITECTURES)),
    )
    .addOption(choice('--stride-on <where>', STRIDE_ON, ['3x3', '1x1']))
    .addOption(choice('--backend <name>', 'what computes', BACKENDS).default('auto'))
    .addOption(
      choice('--normalizer <name>', 'of each scale', Object.keys(NORMALIZERS)).default('gaussian'),
    )
    .option(
      '--scale-weights <weights>',
      'equal, ramp, prior, or five numbers: 1,2,3,4,5',
      parseScaleWeights,
      'equal',
    )
    .addOption(
      choice('--cam <method>', 'class activation map', [...CAM_METHODS, 'none']).default(
        'gradcam++',
      ),
    )
    .option('--class <index|name>', 'class to explain (default: the likeliest)', parseClass)
    .addOption(
      choice('--fit <how>', 'how the picture meets the network', [
        'whole',
        'crop',
        'stretch',
      ]).default('whole'),
    )
    .option('--size <pixels>', "short side of the input (default: the model's own)", parseSize)
    .addOption(choice('--colormap <name>', 'of heat maps', COLORMAPS).default('viridis'))
    .option('--tensors <file>', 'write every array of the run, safetensors float32', parsePath)
    .option('--json', 'print reports, one line of JSON for each input, and nothing else')
    .option('--debug', 'print where a failure comes from')
    .allowExcessArguments(false);
}

/** commander's messages, with a pointer to help, as one line. */
function asOneLine(text: string, command: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  const hint = message.startsWith('unknown command')
    ? 'to explain a picture: fastcam explain FILE'
    : `see ${command} --help`;
  return `fastcam: ${message.replace(/\.$/, '')}; ${hint}\n`;
}
