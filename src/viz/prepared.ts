/**
 * Combination, overlay and LOVI of maps that stay in the same arrays while their values change, as in a stream of
 * frames. Everything is allocated once. Results are those of `combineMaps`, `overlay` and `lovi`, bit for bit.
 */

import type { Region } from '../image/picture.js';
import { colormapTable } from './colormap.js';
import { checkCombination, type ScaleWeights, sumUpsampled } from './combine.js';
import { writeRgbRow } from './hsv.js';
import { LoviRows } from './lovi.js';
import { type SaliencyMap, toNdArray } from './ndarray.js';
import { blend, checkOpacity, type OverlayOptions } from './overlay.js';
import { RowUpsampler } from './upsample.js';

type Extents = readonly [H: number, W: number];

/** `combineMaps` of the same maps again and again. */
export class PreparedCombination {
  /** [H, W] */
  readonly map: SaliencyMap;
  readonly #size: Extents;
  readonly #maps: readonly SaliencyMap[];
  readonly #shares: readonly number[];
  readonly #region: Region;
  readonly #rows: readonly RowUpsampler[];
  readonly #row: Float64Array;

  /** @throws as `combineMaps` */
  constructor(maps: readonly SaliencyMap[], size: Extents, weights: ScaleWeights, region: Region) {
    const { seen, shares } = checkCombination('combineMaps', maps, size, weights, region);
    this.map = toNdArray(new Float32Array(size[0] * size[1]), [...size]);
    this.#size = size;
    this.#maps = seen;
    this.#shares = shares;
    this.#region = region;
    this.#rows = seen.map(
      (map, i) => new RowUpsampler('combineMaps', size, map, region, shares[i]),
    );
    this.#row = new Float64Array(size[1]);
  }

  /** Combines the values that the maps have now. */
  run(): void {
    const { data } = this.map;
    const region = this.#region;
    sumUpsampled(data, this.#size, this.#maps, this.#shares, region, this.#rows, this.#row);
  }
}

/** `overlay` of the same map over the same picture again and again. */
export class PreparedOverlay {
  /** RGBA, and the same bytes as pixels. */
  readonly data: Uint8Array;
  readonly #pixels: Uint32Array;
  readonly #picture: Uint32Array;
  readonly #map: SaliencyMap;
  readonly #colors: Uint32Array;
  readonly #opacity: number;

  /** @throws as `overlay` */
  constructor(picture: Uint32Array, map: SaliencyMap, options: OverlayOptions = {}) {
    const { colormap = 'viridis', opacity = 0.5 } = options;
    checkOpacity(opacity);
    this.#pixels = new Uint32Array(picture.length);
    this.data = new Uint8Array(this.#pixels.buffer);
    this.#picture = picture;
    this.#map = map;
    this.#colors = new Uint32Array(colormapTable(colormap).buffer);
    this.#opacity = opacity;
  }

  /** Paints what picture and map are now. */
  run(): void {
    blend(this.#pixels, this.#picture, this.#map, this.#colors, this.#opacity);
  }
}

/** `lovi` of the same maps again and again. */
export class PreparedLovi {
  /** RGBA, and the same bytes as pixels. */
  readonly data: Uint8Array;
  readonly #pixels: Uint32Array;
  readonly #rows: LoviRows;
  readonly #row: Float64Array;
  readonly #height: number;

  /** @throws as `lovi` */
  constructor(maps: readonly SaliencyMap[], [H, W]: Extents, region: Region) {
    this.#pixels = new Uint32Array(H * W);
    this.data = new Uint8Array(this.#pixels.buffer);
    this.#rows = new LoviRows('lovi', maps, [H, W], region);
    this.#row = new Float64Array(3 * W);
    this.#height = H;
  }

  /** Paints the values that the maps have now. */
  run(): void {
    const row = this.#row;
    for (let y = 0; y < this.#height; y++) {
      this.#rows.colors(row, y);
      writeRgbRow(this.#pixels, y, row);
    }
  }
}
