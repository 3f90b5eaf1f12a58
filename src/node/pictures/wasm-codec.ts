/**
 * The WebAssembly codecs of jSquash. A damaged file leaves an instance that cannot be used again, and the memory of a
 * large picture never shrinks: the next picture then has an instance of its own.
 */

import type { Picture } from '../../image/picture.js';
import { webAssembly } from '../../kernels/wasm/webassembly.js';
import { optionalPackage } from '../optional-package.js';
import { wasmModule } from '../wasm-module.js';

/** What Emscripten's factories take here. */
interface FactoryOptions {
  readonly noInitialRun: boolean;
  print(line: string): void;
  printErr(line: string): void;
  instantiateWasm(imports: object, ready: (instance: object) => void): object;
}

interface Codec {
  decode(bytes: Uint8Array, option?: boolean | number): Picture | null;
}

/** A codec: how its script and its WebAssembly are imported. */
export interface CodecFiles {
  script(): Promise<{ readonly default: unknown }>;
  /** `package/path` */
  readonly wasm: string;
  /** What it decodes, for messages. */
  readonly format: string;
}

export interface CodecResult {
  /** `null` where the codec gave up. */
  readonly picture: Picture | null;
  /** Its warnings and last words, which it would write on standard error. */
  readonly said: readonly string[];
}

/** @param option the second argument of the codec's `decode` */
export type RunCodec = (bytes: Uint8Array, option?: boolean | number) => Promise<CodecResult>;

/** The most pixels of a picture whose instance is kept: 40 MB. */
const KEPT_PIXELS = 4e6;

/**
 * Runs a codec on pictures one after the other, in one instance for as long as they are small and none is damaged: making
 * one takes as long as a picture of a quarter of a megapixel, and the engine collects garbage for its memory.
 */
export function codecRunner(files: CodecFiles): RunCodec {
  let said: string[] = [];
  let opened: Promise<Codec> | undefined;
  return async (bytes, option) => {
    opened ??= openCodec(files, (line) => said.push(line));
    const codec = await opened;
    // Not before: tiles are asked for all at once.
    said = [];
    const result = runOpened(codec, bytes, option, said);
    const { picture } = result;
    const isGood = picture !== null && result.said.length === 0;
    if (!isGood || picture.width * picture.height > KEPT_PIXELS) opened = undefined;
    return result;
  };
}

/** Runs a codec in an instance of its own. */
export function runCodec(
  files: CodecFiles,
  bytes: Uint8Array,
  option?: boolean | number,
): Promise<CodecResult> {
  return codecRunner(files)(bytes, option);
}

function runOpened(
  codec: Codec,
  bytes: Uint8Array,
  option: boolean | number | undefined,
  said: string[],
): CodecResult {
  try {
    const decoded = option === undefined ? codec.decode(bytes) : codec.decode(bytes, option);
    if (decoded === null) return { picture: null, said };
    const { data, width, height } = decoded;
    const bytesOf = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { picture: { data: bytesOf, width, height }, said };
  } catch (error) {
    // It ends by `exit(1)`, having said why, or by an exception of C++ or of WebAssembly.
    if (said.length === 0) said.push(error instanceof Error ? error.message : 'the decoder failed');
    return { picture: null, said };
  }
}

async function openCodec(
  { script, wasm, format }: CodecFiles,
  say: (line: string) => void,
): Promise<Codec> {
  const [module, { default: factory }] = await optionalPackage(packageOf(wasm), format, () =>
    Promise.all([wasmModule(wasm), script()]),
  );
  const makeCodec = factory as (options: FactoryOptions) => Promise<Codec>;
  return makeCodec({
    noInitialRun: true,
    print: say,
    printErr: say,
    instantiateWasm(imports, ready) {
      const instance = new webAssembly!.Instance(module, imports);
      ready(instance);
      return instance.exports;
    },
  });
}

/** `@scope/name/path` → `@scope/name` */
function packageOf(specifier: string): string {
  return specifier.split('/', 2).join('/');
}
