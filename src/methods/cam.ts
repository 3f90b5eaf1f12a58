/**
 * Class activation maps in closed form. For a head that is global average pool + linear, the
 * gradient of a class's score with respect to the last activation A [pixels, K] is known without a
 * backward pass: ∂score/∂A[p, k] = u_k = W[class, k] / pixels, the same at every pixel. Hence
 *
 *   map[p] = relu( Σ_k a_k · A[p, k] )
 *   Grad-CAM    a_k = u_k                                         (Selvaraju et al., arXiv 1610.02391)
 *   Grad-CAM++  a_k = relu(u_k) · u_k² / (2u_k² + S_k·u_k³ + 1e-7) (Chattopadhay et al., arXiv 1710.11063)
 *   XGrad-CAM   a_k = Σ_p(u_k·A[p, k]) / (S_k + 1e-6)              (Fu et al., arXiv 2008.02312)
 *   LayerCAM    a_k = relu(u_k)                                    (Jiang et al., IEEE TIP 2021)
 *   HiResCAM    a_k = u_k, as Grad-CAM                             (Draelos & Carin, arXiv 2011.08891)
 *
 * with S_k = Σ_p A[p, k]. Grad-CAM++'s exp(score) is a positive constant here and cancels in the
 * range normalisation. A factor common to all a_k cancels likewise, so Grad-CAM is CAM.
 */

export type CamMethod = 'gradcam++' | 'gradcam' | 'xgradcam' | 'layercam' | 'hirescam';

/** Names of the methods, best first. */
export const CAM_METHODS: readonly CamMethod[] = [
  'gradcam++',
  'gradcam',
  'xgradcam',
  'layercam',
  'hirescam',
];

/**
 * The class activation map at the resolution of the last stage, ≥ 0, not normalised.
 *
 * @param out [pixels], overwritten
 * @param features [pixels, K], the last activation, after its ReLU
 * @param classWeights [K], the classifier's row of the class
 * @param weights scratch, [K]
 */
export function classActivationMap(
  out: Float32Array,
  features: Float32Array,
  classWeights: Float32Array,
  method: CamMethod,
  weights: Float64Array = new Float64Array(classWeights.length),
): void {
  const pixels = out.length;
  const K = classWeights.length;
  weights.fill(0);
  for (let p = 0; p < pixels; p++) {
    for (let k = 0; k < K; k++) weights[k]! += features[p * K + k]!;
  }
  channelWeights(weights, classWeights, pixels, method);
  for (let p = 0; p < pixels; p++) {
    let sum = 0;
    for (let k = 0; k < K; k++) sum += weights[k]! * features[p * K + k]!;
    out[p] = Math.max(sum, 0);
  }
}

/**
 * Replaces the sums S_k of the channels by their weights a_k.
 *
 * @param sums [K], overwritten
 * @param classWeights [K], the classifier's row of the class
 */
export function channelWeights(
  sums: Float64Array,
  classWeights: Float32Array,
  pixels: number,
  method: CamMethod,
): void {
  // A function for each k would box its numbers.
  for (let k = 0; k < sums.length; k++) {
    const u = classWeights[k]! / pixels;
    const S = sums[k]!;
    let a = u;
    if (method === 'layercam') a = Math.max(u, 0);
    else if (method === 'xgradcam') a = (u * S) / (S + 1e-6);
    else if (method === 'gradcam++') {
      // The authors' code replaces a zero denominator by 1 before it adds 1e-7; u² is near 1e-5, so
      // the 1e-7 matters.
      const squared = u * u;
      const denominator = 2 * squared + S * squared * u;
      a = (Math.max(u, 0) * squared) / ((denominator === 0 ? 1 : denominator) + 1e-7);
    }
    sums[k] = a;
  }
}

/** −1 if a single logit is below 0: then its class weights speak for the other side. `Explanation` has the same rule. */
export function sideOf(logits: Float32Array): number {
  return logits.length === 1 && logits[0]! < 0 ? -1 : 1;
}
