/**
 * What is said about weights beside their tensors, gathered into their metadata:
 *
 *   config.json and preprocessor_config.json in the folder of the file
 *   a configuration, or the name of an architecture, inside the file
 *   what the caller says: a name, or the path of a config.json
 *
 * The later counts before the earlier; what a file of `convert` says of itself counts before the first two.
 */

import { dirname, join } from 'node:path';
import { FormatError, inFile, ShapeError } from '../errors.js';
import { architectureOf, metadataObject, type TensorSource } from '../model/index.js';
import { architectureSays, isImagenetName } from './architecture-names.js';
import { ARCHITECTURES } from './architectures.js';
import {
  type Config,
  type ConfigFacts,
  factsOfConfig,
  isConfig,
  isPreprocessor,
} from './config.js';
import { readFileBytes } from './file-bytes.js';
import type { KnownModel } from './known-models.js';

/** Of a network with 21,843 classes a configuration takes 2 MB. */
const MAX_CONFIG_BYTES = 2 ** 24;

const NOTHING: ConfigFacts = { architecture: {}, preprocessing: {} };

export interface SaidWeights {
  /** The weights, with all of it in the metadata but class names. */
  readonly source: TensorSource;
  /** Class names that are said elsewhere than in the metadata, in index order. */
  readonly labels?: readonly string[] | undefined;
  /** Whether their name says that ImageNet's classes are theirs. */
  readonly isImagenet: boolean;
}

/**
 * @param path of the file of weights
 * @param architecture what the caller says: a name, or a config.json
 * @param known what is known of a model that was fetched by its name
 * @param isGraph whether the file has the graph, so that only class names and pixels are asked for
 * @throws {FormatError} in one line, where something says what cannot be computed
 * @throws {ShapeError} for a name that is not known
 */
export async function withSaid(
  source: TensorSource,
  path: string,
  architecture?: string,
  known?: KnownModel,
  isGraph = false,
): Promise<SaidWeights> {
  const given =
    architecture === undefined ? undefined : await factsGiven(source, architecture, isGraph);
  const beside = given ? NOTHING : await factsBeside(source, path, isGraph);
  const inside = factsInside(source);
  const own = architectureOf(source);
  const name = typeof own['name'] === 'string' ? own['name'] : known?.architecture;
  const named =
    given || name === undefined ? {} : inFile(source.name, () => architectureSays(name, true));
  const metadata = new Map(source.metadata);
  const put = (key: string, value: object): void => {
    if (Object.keys(value).length > 0) metadata.set(key, JSON.stringify(value));
  };
  const facts = { ...beside.architecture, ...inside.architecture, ...named };
  put('architecture', { ...facts, ...own, ...given?.architecture });
  const ofFile = metadataObject(source, 'preprocessing');
  put('preprocessing', {
    // What an ONNX file says may be a guess from its graph.
    ...(isGraph && ofFile),
    ...beside.preprocessing,
    ...inside.preprocessing,
    ...(!isGraph && ofFile),
    ...known?.preprocessing,
    ...given?.preprocessing,
  });
  return {
    source: { ...source, metadata },
    labels: given?.labels ?? inside.labels ?? beside.labels,
    isImagenet: [name, given?.name, inside.name, beside.name].some(isImagenetName),
  };
}

/** What a caller says: the path of a config.json, or a name. */
async function factsGiven(
  source: TensorSource,
  said: string,
  isGraph: boolean,
): Promise<ConfigFacts> {
  if (/\.json$/i.test(said)) {
    const config = await readConfig(said);
    if (config) return inFile(`${source.name}: ${said}`, () => factsOfConfig(config, {}, isGraph));
    throw new FormatError(`${said}: not a configuration of Hugging Face or timm`);
  }
  const architecture = inFile(source.name, () => architectureSays(said));
  if (!architecture) {
    throw new ShapeError(
      `architecture: ${said} is not known; expected a name of torchvision or timm, such as ${Object.keys(ARCHITECTURES).slice(0, 3).join(', ')}, or the path of a config.json`,
    );
  }
  return { ...NOTHING, architecture, name: said };
}

async function factsBeside(
  { name }: TensorSource,
  path: string,
  isGraph: boolean,
): Promise<ConfigFacts> {
  const file = join(dirname(path), 'config.json');
  const config = await readConfig(file).catch(() => undefined);
  const other = join(dirname(path), 'preprocessor_config.json');
  const preprocessor = await readJson(other).catch(() => undefined);
  const isProcessor = isPreprocessor(preprocessor);
  if (file === path || (!config && !isProcessor)) return NOTHING;
  return inFile(`${name}: its config.json`, () => {
    const facts = factsOfConfig(config ?? {}, isProcessor ? preprocessor : undefined, isGraph);
    return config ? facts : { ...facts, architecture: {} };
  });
}

function factsInside(source: TensorSource): ConfigFacts {
  const config = metadataObject(source, 'config');
  if (!isConfig(config)) return NOTHING;
  return inFile(`${source.name}: its config`, () => factsOfConfig(config));
}

/** `undefined` for JSON that is something else's. */
async function readConfig(path: string): Promise<Config | undefined> {
  const value = await readJson(path);
  return isConfig(value) ? value : undefined;
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await readFileBytes(path, 'a configuration');
  if (bytes.length > MAX_CONFIG_BYTES) {
    throw new FormatError(`${path}: ${bytes.length} bytes, at most ${MAX_CONFIG_BYTES}`);
  }
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new FormatError(`${path}: not valid JSON`, { cause: error });
  }
}
