/**
 * `fastcam/tiles`: pictures that are too large to be explained at once. The network runs over them strip by strip, at
 * their own resolution. `fastcam` alone does not contain it.
 */

export {
  explainTiled,
  type TiledExplanation,
  type TiledOptions,
  type TiledState,
  type Tiling,
} from './explain-tiled.js';
export { MapRows, type RowKind } from './map-rows.js';
export { type FeatureStore, memoryStore, type PictureReader } from './reader.js';
