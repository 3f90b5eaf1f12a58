/**
 * Facts about weights outside their tensors, collected into their metadata:
 *
 *   config.json and preprocessor_config.json in the folder of the file
 *   a configuration, or the name of an architecture, inside the file
 *   the caller's options: a name, or the path of a config.json
 *
 * A later source overrides an earlier one. The metadata of a file written by `convert` overrides the first two.
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

/** The configuration of a network with 21,843 classes takes 2 MB. */
const MAX_CONFIG_BYTES = 2 ** 24;

const NOTHING: ConfigFacts = { architecture: {}, preprocessing: {} };

export interface SaidWeights {
  /** The weights, with all of it in the metadata except class names. */
  readonly source: TensorSource;
  /** Class names from outside the metadata, in index order. */
  readonly labels?: readonly string[] | undefined;
  /** Whether their name says that the classes are ImageNet's. */
  readonly isImagenet: boolean;
}

/**
 * @param path of the file of weights
 * @param architecture the caller's option: a name, or a config.json
 * @param known facts about a model that was downloaded by its name
 * @param isGraph whether the file has the graph; then only class names and preprocessing are needed
 * @throws {FormatError} in one line, if the network cannot be computed
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
    // Facts from an ONNX file may be guesses from its graph.
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

/** The caller's option: the path of a config.json, or a name. */
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

/** `undefined` for JSON of another kind. */
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
