/** Makes calibrations from picture files, and reads them. The core's calibration.ts says what they are for. */

import { type Calibration, checkCalibration } from '../calibration.js';
import { FormatError, ShapeError } from '../errors.js';
import { runPicture } from '../explain.js';
import { STATISTICS, type Statistic } from '../kernels/index.js';
import { type Fit, overWhite, type Tap } from '../model/index.js';
import type { NormalizerConstants } from '../viz/index.js';
import { readFileBytes } from './file-bytes.js';
import type { Model } from './model-file.js';
import { NormalizerFit } from './normalizer-fit.js';
import { readPicture } from './pictures/decode.js';
import type { DecodeOptions } from './pictures/format.js';
import { VERSION } from './version.js';

export interface CalibrateOptions extends DecodeOptions {
  /** Default `smoe`. */
  readonly statistic?: Statistic;
  /** Default `whole`. */
  readonly fit?: Fit;
  /** Short side of the input; default the size that the model was trained at. */
  readonly size?: number;
}

/** A calibration, and its origin. */
export interface FittedCalibration extends Calibration {
  readonly version: string;
  /** The model's name. */
  readonly model: string;
  readonly fit: Fit;
  readonly size: number;
  /** How many pictures the constants were fitted to. */
  readonly pictures: number;
  readonly scales: readonly ScaleConstants[];
}

export interface ScaleConstants extends Required<NormalizerConstants> {
  /** `relu`, `layer1` … */
  readonly name: string;
}

/** Fits the constants of each scale to the pooled pixels of many pictures. */
export class Calibrator {
  readonly #model: Model;
  readonly #options: Required<Omit<CalibrateOptions, keyof DecodeOptions>>;
  readonly #decoding: DecodeOptions;
  /** The pictures that were added. */
  readonly #paths: string[] = [];
  #taps: readonly Tap[] = [];
  #fits: readonly NormalizerFit[] = [];

  constructor(model: Model, options: CalibrateOptions = {}) {
    const { statistic = 'smoe', fit = 'whole', size = model.net.preprocessing.size } = options;
    this.#model = model;
    this.#options = { statistic, fit, size };
    this.#decoding = options;
  }

  /** How many pictures were added. */
  get pictures(): number {
    return this.#paths.length;
  }

  /**
   * Adds a picture file.
   *
   * @throws {FormatError} in one line that names the file and the cause; the other pictures stay valid
   */
  async add(path: string): Promise<void> {
    const maps = await this.#mapsOf(path);
    if (this.#fits.length === 0) this.#fits = maps.map(() => new NormalizerFit());
    for (const [s, map] of maps.entries()) this.#fits[s]!.add(map);
    this.#paths.push(path);
  }

  /**
   * The constants of all pictures. If a statistic was negative, the pictures are read again: only then is
   * it known where its Gamma distribution begins.
   *
   * @throws {ShapeError} if all values of a scale are equal
   * @throws {FormatError} as `add`, if a picture is gone
   */
  async calibration(): Promise<FittedCalibration> {
    let constants = this.#constantsOf(this.#fits);
    if (constants.some(({ range }) => range.min < 0)) {
      const shifted = constants.map(({ range: { min } }) => new NormalizerFit({ min }));
      for (const path of this.#paths) {
        for (const [s, map] of (await this.#mapsOf(path)).entries()) shifted[s]!.add(map);
      }
      constants = this.#constantsOf(shifted);
    }
    const { statistic, fit, size } = this.#options;
    return {
      version: VERSION,
      model: this.#model.name,
      statistic,
      fit,
      size,
      pictures: this.pictures,
      scales: constants.map((scale, s) => ({ name: this.#taps[s]!.name, ...scale })),
    };
  }

  async #mapsOf(path: string): Promise<readonly Float32Array[]> {
    const picture = overWhite(await readPicture(path, this.#decoding));
    const { forward } = runPicture(this.#model.net, picture, this.#options);
    this.#taps = forward.plan.taps;
    return forward.maps;
  }

  #constantsOf(fits: readonly NormalizerFit[]): Required<NormalizerConstants>[] {
    if (fits.length === 0) throw new ShapeError('calibrate: expected at least 1 picture, got 0');
    return fits.map((fit, s) => {
      try {
        return fit.constants();
      } catch (error) {
        const reason = (error as Error).message.replace(/^NormalizerFit: /, '');
        throw new ShapeError(`calibrate: scale ${this.#taps[s]!.name}: ${reason}`);
      }
    });
  }
}

/**
 * Reads a calibration that `fastcam calibrate` wrote.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} likewise, for a constant out of range
 */
export async function readCalibration(path: string): Promise<Calibration> {
  const text = new TextDecoder().decode(await readFileBytes(path, 'a calibration'));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${path}: not valid JSON`, { cause: error });
  }
  if (!isCalibration(value)) {
    throw new FormatError(
      `${path}: expected a calibration, { statistic, scales: [{ gaussian, gamma, range }, …] }`,
    );
  }
  checkCalibration(path, value);
  return value;
}

/** Whether it has the structure of a calibration; its numbers are not checked. */
function isCalibration(value: unknown): value is Calibration {
  if (!isRecord(value)) return false;
  const { statistic, scales } = value;
  return (
    typeof statistic === 'string' &&
    Object.hasOwn(STATISTICS, statistic) &&
    Array.isArray(scales) &&
    scales.every((scale) => isRecord(scale) && PARTS.every((part) => isPart(scale[part])))
  );
}

const PARTS: readonly (keyof NormalizerConstants)[] = ['gaussian', 'gamma', 'range'];

const isPart = (part: unknown): boolean => part === undefined || isRecord(part);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
