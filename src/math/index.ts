/**
 * Special functions of real variables, in double precision. The statistics and the normalisers use them.
 * Each file states its method, source and bounds.
 */

export { erf, erfc } from './error-function.js';
export { digamma, gammaShape, lgamma, logMinusDigamma, trigamma } from './gamma-function.js';
export { gammaP, gammaQ } from './incomplete-gamma.js';
export { normalCdf, normalCdfTable } from './normal-cdf.js';
