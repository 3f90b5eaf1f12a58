/**
 * The experiments of one seed, one after the other. Each result is written at once, so that an interrupted run goes on where
 * it stopped.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, ShapeError } from '../../errors.js';
import type { Mode } from '../../evaluate/kar-roar/masks.js';
import { makeFolder } from '../folders.js';
import { writeWhole } from '../written-file.js';

/** Where masks are put: on the activations at the ends of scales, or on the picture. */
export type MaskedAt = 'scales' | 'input';

/** What decides the results, besides the seed. */
export interface KarRoarSettings {
  readonly at: MaskedAt;
  readonly model: string;
  /** How many classes, and how many pictures of them. */
  readonly classes: number;
  readonly training: number;
  readonly validation: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  /** The accuracy of the network as it is, on the same pictures without masks. */
  readonly accuracy: number;
  /** Whether training began with random weights; absent: with those of the network. */
  readonly fromScratch?: boolean;
}

export interface KarRoarResult {
  /** A statistic, a method, or `random`. */
  readonly name: string;
  readonly mode: Mode;
  /** Name of the value at the end of the scale, or the share of pixels that is kept (KAR) or removed (ROAR). */
  readonly place: string;
  /** A fraction. */
  readonly accuracy: number;
  readonly seconds: number;
}

export interface KarRoarRun {
  readonly settings: KarRoarSettings;
  readonly seed: number;
  readonly results: readonly KarRoarResult[];
}

/** The results of one seed, in a file of the output folder. */
export class ResultsFile {
  readonly #path: string;
  readonly #settings: KarRoarSettings;
  readonly #seed: number;
  readonly #results: KarRoarResult[];

  private constructor(path: string, { settings, seed, results }: KarRoarRun) {
    this.#path = path;
    this.#settings = settings;
    this.#seed = seed;
    this.#results = [...results];
  }

  /**
   * Opens the file of a seed, or begins it.
   *
   * @throws {FormatError} for a file that is damaged
   * @throws {ShapeError} if it was made with other settings
   */
  static async open(out: string, settings: KarRoarSettings, seed: number): Promise<ResultsFile> {
    await makeFolder(out);
    const path = join(out, `${settings.at}-seed-${seed}.json`);
    const run = (await readRun(path)) ?? { settings, seed, results: [] };
    const keys = Object.keys({ ...run.settings, ...settings }) as (keyof KarRoarSettings)[];
    const changed = keys.find((key) => run.settings[key] !== settings[key]);
    if (changed) {
      const [before, now] = [run.settings, settings].map((own) => own[changed] ?? false);
      throw new ShapeError(
        `${path}: was made with ${changed} ${before}, and it is ${now} now: choose another folder`,
      );
    }
    return new ResultsFile(path, run);
  }

  get run(): KarRoarRun {
    return { settings: this.#settings, seed: this.#seed, results: this.#results };
  }

  has({ name, mode, place }: Pick<KarRoarResult, 'name' | 'mode' | 'place'>): boolean {
    return this.#results.some(
      (one) => one.name === name && one.mode === mode && one.place === place,
    );
  }

  async add(result: KarRoarResult): Promise<void> {
    this.#results.push(result);
    await writeWhole(this.#path, runText(this.run));
  }
}

/** One line for each result, so that a person can read it. */
function runText({ settings, seed, results }: KarRoarRun): string {
  const lines = results.map((result) => `    ${JSON.stringify(result)}`);
  return `{
  "settings": ${JSON.stringify(settings)},
  "seed": ${seed},
  "results": [
${lines.join(',\n')}
  ]
}
`;
}

/** @returns `undefined` if there is no such file */
export async function readRun(path: string): Promise<KarRoarRun | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const run = JSON.parse(text) as KarRoarRun;
    if (run.settings && Array.isArray(run.results)) return run;
  } catch {
    // Said below.
  }
  throw new FormatError(`${path}: is no result of kar-roar: delete it, or choose another folder`);
}
