/** The rules by the names of forward steps. */

import type { Rule } from '../rule.js';
import { activationRule } from './activation.js';
import { addRule, affineRule, concatRule } from './columns.js';
import { convRule } from './conv.js';
import { flattenRule } from './layout.js';
import { adaptiveMeanRule, maxPoolRule, meanPoolRule } from './pool.js';

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
]);
