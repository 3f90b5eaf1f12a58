/**
 * The WebAssembly codecs of jSquash. After a damaged file an instance cannot be used again, and the memory of a
 * large picture never shrinks: the next picture then gets a new instance.
 */

import type { Picture } from '../../image/picture.js';
import { webAssembly } from '../../kernels/wasm/webassembly.js';
import { optionalPackage } from '../optional-package.js';
import { wasmModule } from '../wasm-module.js';

/** The arguments of Emscripten's factories that are used here. */
interface FactoryOptions {
  readonly noInitialRun: boolean;
  print(line: string): void;
  printErr(line: string): void;
  instantiateWasm(imports: object, ready: (instance: object) => void): object;
}

interface Codec {
  decode(bytes: Uint8Array, option?: boolean | number): Picture | null;
}

/** A codec: how to import its script and its WebAssembly. */
export interface CodecFiles {
  script(): Promise<{ readonly default: unknown }>;
  /** `package/path` */
  readonly wasm: string;
  /** The format that it decodes, for messages. */
  readonly format: string;
}

export interface CodecResult {
  /** `null` if the codec failed. */
  readonly picture: Picture | null;
  /** The warnings and errors that it would write to standard error. */
  readonly said: readonly string[];
}

/** @param option the second argument of the codec's `decode` */
export type RunCodec = (bytes: Uint8Array, option?: boolean | number) => Promise<CodecResult>;

/** The most pixels of a picture after which the instance is kept: 40 MB. */
const KEPT_PIXELS = 4e6;

/**
 * Runs a codec on one picture after another. One instance is used as long as pictures are small and none is damaged:
 * making one takes as long as a picture of a quarter of a megapixel, and causes garbage collection of its memory.
 */
export function codecRunner(files: CodecFiles): RunCodec {
  let said: string[] = [];
  let opened: Promise<Codec> | undefined;
  return async (bytes, option) => {
    opened ??= openCodec(files, (line) => said.push(line));
    const codec = await opened;
    // Not earlier: tiles are requested all at once.
    said = [];
    const result = runOpened(codec, bytes, option, said);
    const { picture } = result;
    const isGood = picture !== null && result.said.length === 0;
    if (!isGood || picture.width * picture.height > KEPT_PIXELS) opened = undefined;
    return result;
  };
}

/** Runs a codec in a new instance. */
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
    // It ends with `exit(1)` after its message, or with an exception of C++ or of WebAssembly.
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
