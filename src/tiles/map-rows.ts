/** Rows of the maps at the picture's own size, computed on demand: the values of the whole maps, bit for bit. */

import { ShapeError } from '../errors.js';
import { checkCombination, type SaliencyMap, type ScaleWeights } from '../viz/index.js';
import { LoviRows } from '../viz/lovi.js';
import { SMALLEST_SPAN } from '../viz/normalize.js';
import { RowUpsampler, wholeOf } from '../viz/upsample.js';

/** `saliency` is `combinedMap`, the others are the maps of the target: `camMap`, `fastcamMap`, `nonClassMap`. */
export type RowKind = 'saliency' | 'cam' | 'fastcam' | 'non-class';

export interface MapSource {
  /** The normalised map of each scale. */
  readonly maps: readonly SaliencyMap[];
  readonly scaleWeights: ScaleWeights;
  /** [height, width] of the picture. */
  readonly size: readonly [number, number];
}

/** Rows are cheapest from top to bottom. */
export class MapRows {
  readonly #source: MapSource;
  readonly #cam: SaliencyMap | undefined;
  readonly #scales: readonly RowUpsampler[];
  readonly #upCam: RowUpsampler | undefined;
  readonly #row: Float64Array;
  readonly #seen: Float32Array;
  #lovi: LoviRows | undefined;
  /** The least and the greatest value of the class activation map at the size of the picture. */
  #extremes: readonly [least: number, most: number] | undefined;

  /** @param cam [h, w], at the resolution of the features, not normalised; none without class activation maps */
  constructor(source: MapSource, cam: SaliencyMap | undefined) {
    const { maps, scaleWeights, size } = source;
    const region = wholeOf(size);
    const { seen, shares } = checkCombination('combineMaps', maps, size, scaleWeights, region);
    this.#source = source;
    this.#cam = cam;
    this.#scales = seen.map(
      (map, i) => new RowUpsampler('combineMaps', size, map, region, shares[i]!),
    );
    this.#upCam = cam && new RowUpsampler('combineMaps', size, cam);
    this.#row = new Float64Array(size[1]);
    this.#seen = new Float32Array(size[1]);
  }

  /** Rows of the same maps at another size. */
  resized(width: number, height: number): MapRows {
    return new MapRows({ ...this.#source, size: [height, width] }, this.#cam);
  }

  /** Whether there are maps of a class. */
  get hasCam(): boolean {
    return this.#cam !== undefined;
  }

  /**
   * Writes row `y` of a map.
   *
   * @param out [width]
   * @throws {ShapeError} for a map of the class, if there is none
   */
  write(out: Float32Array, kind: RowKind, y: number): void {
    if (kind === 'saliency') this.#combine(out, y);
    else this.#writeCam(out, y);
    if (kind !== 'fastcam' && kind !== 'non-class') return;
    const combined = this.#seen;
    this.#combine(combined, y);
    for (let x = 0; x < out.length; x++) {
      out[x] = combined[x]! * (kind === 'fastcam' ? out[x]! : 1 - out[x]!);
    }
  }

  /** Writes the colours of row `y` of LOVI, 0…1. @param rgb [width, 3] */
  writeLovi(rgb: Float64Array, y: number): void {
    const { maps, size } = this.#source;
    this.#lovi ??= new LoviRows('lovi', maps, size, undefined);
    this.#lovi.colors(rgb, y);
  }

  #combine(out: Float32Array, y: number): void {
    const row = this.#row.fill(0);
    for (const scale of this.#scales) scale.add(row, y);
    out.set(row);
  }

  #writeCam(out: Float32Array, y: number): void {
    const up = this.#upCam;
    if (!up) throw new ShapeError("cam: no class activation map was asked for ('none')");
    const [least, most] = this.#range();
    const span = Math.max(most - least, SMALLEST_SPAN);
    up.add(this.#row.fill(0), y);
    out.set(this.#row);
    for (let x = 0; x < out.length; x++) {
      out[x] = Math.max(0, Math.min(1, (out[x]! - least) / span));
    }
  }

  #range(): readonly [least: number, most: number] {
    if (this.#extremes) return this.#extremes;
    const up = new RowUpsampler('combineMaps', this.#source.size, this.#cam!);
    const values = new Float32Array(this.#row.length);
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let y = 0; y < this.#source.size[0]; y++) {
      up.add(this.#row.fill(0), y);
      values.set(this.#row);
      for (let x = 0; x < values.length; x++) {
        const value = values[x]!;
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    this.#extremes = [least, most];
    return this.#extremes;
  }
}
