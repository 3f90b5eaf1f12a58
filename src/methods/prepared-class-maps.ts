/** The maps of one class, in arrays that are made once: those of an `Explanation`, bit for bit. */

import type { Region } from '../image/index.js';
import type { Network, Pass, ValueShape } from '../model/index.js';
import { normalizeRange, type SaliencyMap, toNdArray } from '../viz/index.js';
import { PreparedCombination } from '../viz/prepared.js';
import { type CamMethod, classActivationMap, sideOf } from './cam.js';

export class PreparedClassMaps {
  /** [height, width] each. */
  readonly camMap: Float32Array;
  readonly fastcamMap: Float32Array;
  readonly nonClassMap: Float32Array;
  readonly #method: CamMethod;
  readonly #combined: SaliencyMap;
  readonly #coarse: SaliencyMap;
  readonly #upsampled: PreparedCombination;
  /** Those of class #index, times #side. */
  readonly #classWeights: Float32Array;
  #index = -1;
  #side = 0;
  readonly #scratch: Float64Array;

  /**
   * @param combined [height, width], the combined map; it stays in place
   * @param features shape of what the linear classifier averages
   */
  constructor(combined: SaliencyMap, { H, W, C }: ValueShape, region: Region, method: CamMethod) {
    const [height, width] = combined.shape as [number, number];
    this.#method = method;
    this.#combined = combined;
    this.#coarse = toNdArray(new Float32Array(H * W), [H, W]);
    this.#upsampled = new PreparedCombination([this.#coarse], [height, width], 'equal', region);
    this.#classWeights = new Float32Array(C);
    this.#scratch = new Float64Array(C);
    this.camMap = this.#upsampled.map.data;
    this.fastcamMap = new Float32Array(height * width);
    this.nonClassMap = new Float32Array(height * width);
  }

  /** Makes the maps of class `index` of the pass that has just run. */
  run(net: Network, pass: Pass, index: number): void {
    const { camMap, fastcamMap, nonClassMap } = this;
    const weights = this.#classWeights;
    const side = sideOf(pass.logits);
    if (index !== this.#index || side !== this.#side) {
      this.#index = index;
      this.#side = side;
      // Unpacking a row may move the backend's memory: views of the pass are taken afterwards.
      net.classWeights(weights, index);
      for (let k = 0; k < weights.length; k++) weights[k]! *= side;
    }
    classActivationMap(this.#coarse.data, pass.features, weights, this.#method, this.#scratch);
    this.#upsampled.run();
    normalizeRange(camMap, camMap);
    multiply(fastcamMap, nonClassMap, this.#combined.data, camMap);
  }
}

function multiply(
  fastcam: Float32Array,
  nonClass: Float32Array,
  combined: Float32Array,
  cam: Float32Array,
): void {
  for (let i = 0; i < cam.length; i++) {
    const share = cam[i]!;
    fastcam[i] = combined[i]! * share;
    nonClass[i] = combined[i]! * (1 - share);
  }
}
