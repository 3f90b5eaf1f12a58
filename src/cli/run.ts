/** The command line: options, help, exit codes. What takes long to load is loaded by the commands. */

import { Command, CommanderError, Option } from 'commander';
import { BACKENDS } from '../kernels/index.js';
import { ARCHITECTURES, CAM_METHODS } from '../model/index.js';
import { packageVersion } from '../node/report.js';
import { type Colormap, NORMALIZERS } from '../viz/index.js';
import { type BenchFlags, benchCommand } from './bench-command.js';
import { type ExplainFlags, explainCommand } from './explain-command.js';
import { type FetchFlags, fetchCommand } from './fetch-command.js';
import { type ModelsFlags, modelsCommand } from './models-command.js';
import {
  parseBytes,
  parseClass,
  parsePath,
  parseRounds,
  parseScaleWeights,
  parseSha256,
  parseSize,
} from './option-values.js';
import { describeFailure, EXIT, type Streams, UsageError } from './streams.js';

const COLORMAPS: readonly Colormap[] = ['viridis', 'cividis', 'jet'];

const EXAMPLES = `
Examples:
  fastcam explain photo.jpg                        pictures and report.json in out/photo/
  fastcam explain *.jpg -o maps                    several at once
  fastcam explain cat.png --class tabby            where is the tabby?
  fastcam explain cat.png --model resnet50.safetensors --size 224
  fastcam explain cat.png --json | jq .top         the report, for programs
  fastcam explain x.safetensors --tensors y.safetensors
                                                   tensors in and out, to compare frameworks
  fastcam fetch resnet50                           download torchvision's ResNet-50 …
  fastcam explain cat.png --model resnet50         … and use it, from the cache
  fastcam models --fit 128MB                       which networks fit in a memory
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
  const fetch = fetchFlags(
    subcommand(program, 'fetch')
      .summary('download weights into the cache')
      .description(
        'Downloads weights by name (fastcam models lists them) or by an http(s) URL into the cache: ' +
          'FASTCAM_CACHE, else the system’s folder for caches. A download that broke is resumed. What ' +
          'comes is held against its SHA-256: --sha256, else the digits in torchvision’s file names, ' +
          'else what the Hugging Face hub says. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured. ' +
          'No other command uses the network.',
      )
      .argument('<models...>', 'names or URLs'),
  );
  fetch.action(async (names: string[], flags: FetchFlags) => {
    finish(await fetchCommand(names, flags, streams));
  });
  const models = subcommand(program, 'models')
    .summary('list what can be loaded, or what fits in a memory')
    .description(
      'Lists the models that are known by name: where they come from, how large they are, whether ' +
        'they are in the cache. With --fit, what each network takes in memory with its weights stored ' +
        'one way or another and square inputs of some sizes. Neither uses the network.',
    )
    .option('--fit <size>', 'a memory, as 128MB or 128MiB: what fits in it', parseBytes)
    .addOption(choice('--backend <name>', 'whose layouts count', BACKENDS).default('auto'))
    .option('--json', 'print one line of JSON, and nothing else')
    .option('--debug', 'print where a failure comes from')
    .allowExcessArguments(false);
  models.action(async (flags: ModelsFlags) => {
    finish(await modelsCommand(flags, streams));
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
    .option(
      '--model <bundled|file|name>',
      'weights, or a fetched model, in place of noise',
      parsePath,
    )
    .addOption(choice('--backend <name>', 'what computes', BACKENDS).default('auto'))
    .option('--size <pixels>', "side of the input (default: the model's own, else 224)", parseSize)
    .option('--rounds <number>', 'passes to take the median of', parseRounds, 10)
    .option('--json', 'print one line of JSON, and nothing else')
    .option('--debug', 'print where a failure comes from')
    .allowExcessArguments(false);
}

function fetchFlags(command: Command): Command {
  return command
    .option('--sha256 <hex>', 'the hash that the file must have', parseSha256)
    .option('--max-bytes <size>', 'the most that is downloaded (default: 2GiB)', parseBytes)
    .option('--force', 'download again what is in the cache')
    .option('--json', 'print one line of JSON for each model, and nothing else')
    .option('--debug', 'print where a failure comes from')
    .allowExcessArguments(false);
}

function explainOptions(command: Command): Command {
  return command
    .option('-o, --out <folder>', 'where to write', parsePath, 'out')
    .option('--model <bundled|file|name>', 'weights, or a fetched model', parsePath, 'bundled')
    .option('--labels <file>', 'class names, JSON array or one a line', parsePath)
    .addOption(
      choice('--arch <name>', 'architecture the weights must have', Object.keys(ARCHITECTURES)),
    )
    .addOption(choice('--stride-on <where>', 'where bottlenecks stride', ['3x3', '1x1']))
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
