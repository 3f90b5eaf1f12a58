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
 */
export function classActivationMap(
  out: Float32Array,
  features: Float32Array,
  classWeights: Float32Array,
  method: CamMethod,
): void {
  const pixels = out.length;
  const K = classWeights.length;
  const weights = new Float64Array(K);
  for (let p = 0; p < pixels; p++) {
    for (let k = 0; k < K; k++) weights[k]! += features[p * K + k]!;
  }
  // weights holds S_k; each is replaced by a_k.
  for (let k = 0; k < K; k++) {
    weights[k] = channelWeight(classWeights[k]! / pixels, weights[k]!, method);
  }
  for (let p = 0; p < pixels; p++) {
    let sum = 0;
    for (let k = 0; k < K; k++) sum += weights[k]! * features[p * K + k]!;
    out[p] = Math.max(sum, 0);
  }
}

/** The weight a_k of a channel, from u = u_k and S = S_k. */
export function channelWeight(u: number, S: number, method: CamMethod): number {
  switch (method) {
    case 'gradcam':
    case 'hirescam':
      return u;
    case 'layercam':
      return Math.max(u, 0);
    case 'xgradcam':
      return (u * S) / (S + 1e-6);
    case 'gradcam++': {
      // The authors' code replaces a zero denominator by 1 before it adds 1e-7; u² is near 1e-5, so
      // the 1e-7 matters.
      const denominator = 2 * u ** 2 + S * u ** 3;
      return (Math.max(u, 0) * u ** 2) / ((denominator === 0 ? 1 : denominator) + 1e-7);
    }
  }
}
