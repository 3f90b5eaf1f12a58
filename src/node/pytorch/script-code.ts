/**
 * What the modules of a TorchScript program compute, from their code: Python text with a class for each kind
 * of module. Some calls with constant arguments are understood, and the rest is skipped.
 */

import type { LayerFacts } from '../../model/formats/metadata.js';
import { type ModuleFacts, withSlope } from './module-facts.js';
import type { PlacedModule } from './modules.js';
import { fullName } from './values.js';

/** The entries of the archive with code. */
interface CodeEntries {
  readonly entries: ReadonlyMap<string, number>;
  read(entry: string, begin: number, end: number): Uint8Array;
}

/** The largest file of code; torchvision's models take some kilobytes. */
const MAX_FILE_BYTES = 2 ** 18;
/** The most bytes of all files. */
const MAX_CODE_BYTES = 2 ** 24;

const PAIR = '\\[(\\d+), (\\d+)\\]';
const NUMBER = '([\\d.]+(?:e[-+]?\\d+)?)';

/** torch._convolution(x, weight, bias, stride, padding, dilation, … */
const CONVOLUTION = new RegExp(
  `torch\\.(?:_convolution|conv2d)\\(\\w+, \\w+, \\w+, ${PAIR}, ${PAIR}, ${PAIR}`,
);
/** torch.max_pool2d(x, kernel, stride, padding, …, of a trace; its functional of a script, by a name */
const POOL = new RegExp(
  `(?:torch\\.(?:max|avg)_pool2d|_\\d+)\\(\\w+, ${PAIR}, (?:${PAIR}|\\[\\]), ${PAIR}`,
);
/** torch.batch_norm(x, weight, bias, mean, variance, training, momentum, eps, cudnn */
const BATCH_NORM = new RegExp(`torch\\.batch_norm\\((?:[\\w.]+, ){6}[\\w.-]+, ${NUMBER}, \\w+`);
const EPS = new RegExp(`^ {2}eps : Final\\[float\\] = ${NUMBER}$`, 'm');
const ACTIVATION =
  /\b(?:torch|functional)\.(relu6|relu|leaky_relu|silu|gelu|elu|celu|selu|hardswish|tanh|mish|prelu|softplus|hardtanh)_?\b/;
const SLOPE = new RegExp(`(?:leaky_relu_?|c?elu_?|_\\d+)\\(\\w+, ${NUMBER}`);

export class ScriptCode {
  readonly #archive: CodeEntries;
  readonly #folder: string;
  readonly #files = new Map<string, string>();
  readonly #facts = new Map<string, ModuleFacts>();
  #left = MAX_CODE_BYTES;

  /** @param folder of the code in the archive, with its slash */
  constructor(archive: CodeEntries, folder: string) {
    this.#archive = archive;
    this.#folder = folder;
  }

  /** What a module computes, as far as its class shows it. */
  factsOf({ object, isLeaf }: PlacedModule): ModuleFacts {
    const { module, name } = object;
    const key = `${fullName(object)} ${isLeaf}`;
    const known = this.#facts.get(key);
    if (known) return known;
    const text = classIn(this.#file(module), name);
    const activation = activationIn(text);
    // If a module contains others, their convolution or pool is not its own.
    const layer = isLeaf ? layerOf(text, name) : undefined;
    const facts = { ...(layer && { layer }), ...(activation && { activation }) };
    this.#facts.set(key, facts);
    return facts;
  }

  /** The text of a file, if it is not too large. */
  #file(module: string): string {
    const entry = `${this.#folder}${module.replaceAll('.', '/')}.py`;
    const known = this.#files.get(entry);
    if (known !== undefined) return known;
    const length = this.#archive.entries.get(entry) ?? 0;
    const isRead = length > 0 && length <= MAX_FILE_BYTES && length <= this.#left;
    if (isRead) this.#left -= length;
    const text = isRead ? latin1(this.#archive.read(entry, 0, length)) : '';
    this.#files.set(entry, text);
    return text;
  }
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The text of a class in a file of several. */
function classIn(text: string, name: string): string {
  const begin = `\n${text}`.indexOf(`\nclass ${name}(`);
  if (begin < 0) return '';
  const end = text.indexOf('\nclass ', begin + 1);
  return text.slice(begin, end < 0 ? undefined : end);
}

function layerOf(text: string, name: string): LayerFacts | undefined {
  const conv = CONVOLUTION.exec(text);
  if (conv) {
    const [sy, sx, py, px, dy, dx] = numbers(conv);
    return { stride: [sy!, sx!], padding: [py!, px!], dilation: [dy!, dx!] };
  }
  if (/(?:\.|\b_)(?:max|avg)_pool2d\b/.test(text) && !/Adaptive/.test(name)) {
    const [ky, kx, sy = ky, sx = kx, py, px] = numbers(POOL.exec(text));
    if (ky !== undefined) {
      const pool = /max_pool2d\b/.test(text) ? 'max' : 'mean';
      return { pool, kernel: [ky, kx!], stride: [sy!, sx!], padding: [py!, px!] };
    }
  }
  const eps = BATCH_NORM.exec(text) ?? (/\bbatch_norm\b/.test(text) ? EPS.exec(text) : null);
  return eps ? { eps: Number(eps[1]) } : undefined;
}

/** The matches of a pattern's groups, absent ones undefined. */
function numbers(match: RegExpExecArray | null): (number | undefined)[] {
  return match
    ? match.slice(1).map((group) => (group === undefined ? undefined : Number(group)))
    : [];
}

function activationIn(text: string): string | undefined {
  const found = ACTIVATION.exec(text)?.[1];
  const usual = { leaky_relu: 0.01, elu: 1, celu: 1 }[found ?? ''];
  if (usual !== undefined) return withSlope(found!, Number(SLOPE.exec(text)?.[1] ?? usual), usual);
  // Programs have hardtanh(x, 0., 6.) instead of ReLU6.
  if (found === 'hardtanh')
    return /(?:hardtanh_?|_\d+)\(\w+, 0\., 6\./.test(text) ? 'relu6' : found;
  return found;
}
