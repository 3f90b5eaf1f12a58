/** The rules by the names of forward steps. */

import type { Rule } from '../rule.js';
import { activationRule } from './activation.js';
import { ARITHMETIC, arithmeticRule, mulRule } from './arithmetic.js';
import { addRule, affineRule, concatRule } from './columns.js';
import { convRule } from './conv.js';
import { flattenRule, linearRule, nearestRule, padRule, permuteRule, sliceRule } from './layout.js';
import { lrnRule, normalizeRule, softmaxRule } from './norm.js';
import { adaptiveMeanRule, maxPoolRule, meanPoolRule } from './pool.js';
import { REDUCTIONS, reduceRule } from './reduce.js';
import { powerRule, preluRule, UNARY_NAMES, unaryRule } from './unary.js';

export const RULES: ReadonlyMap<string, Rule> = new Map([
  ['conv2d', convRule],
  ['activation', activationRule],
  ['add', addRule],
  ['affine', affineRule],
  ['concat', concatRule],
  ['padChannels', concatRule],
  ['maxPool', maxPoolRule],
  ['meanPool', meanPoolRule],
  ['globalMean', adaptiveMeanRule],
  ['adaptiveMean', adaptiveMeanRule],
  ['flatten', flattenRule],
  ['permute', permuteRule],
  ['slice', sliceRule],
  ['pad-constant', padRule],
  ['pad-reflect', padRule],
  ['pad-edge', padRule],
  ['resize-nearest', nearestRule],
  ['resize-linear', linearRule],
  ['mul', mulRule],
  ['softmax', softmaxRule],
  ['logSoftmax', softmaxRule],
  ['normalize', normalizeRule],
  ['lrn', lrnRule],
  ['power', powerRule],
  ['prelu', preluRule],
  ...named('arithmetic-', ARITHMETIC, arithmeticRule),
  ...named('reduce-', REDUCTIONS, reduceRule),
  ...named('', UNARY_NAMES, unaryRule),
]);

function named(prefix: string, kinds: readonly string[], rule: Rule): [string, Rule][] {
  return kinds.map((kind) => [`${prefix}${kind}`, rule]);
}
