import { describe, expect, test } from 'vitest';
import {
  parseClass,
  parseRounds,
  parseScaleWeights,
  parseSize,
} from '../../src/cli/option-values.js';

describe('option values', () => {
  test('scale weights are a named set or five numbers ≥ 0 with a positive sum', () => {
    expect(parseScaleWeights('prior')).toBe('prior');
    expect(parseScaleWeights('1,2, 3,0,5')).toEqual([1, 2, 3, 0, 5]);
    for (const text of ['', '1,2,3,4,x', '1,1,1,1,', '0,0,0,0,0', '1,1,1,1,-1', 'Equal']) {
      expect(() => parseScaleWeights(text)).toThrow(/expected/i);
    }
  });

  test('sizes are whole numbers of pixels from 1 to 4096', () => {
    expect(parseSize('224')).toBe(224);
    for (const text of ['', ' ', '0', '-1', '1.5', '4097', 'big', 'Infinity']) {
      expect(() => parseSize(text)).toThrow('whole number');
    }
  });

  test('rounds are whole numbers from 1 to 10000', () => {
    expect(parseRounds('10000')).toBe(10_000);
    for (const text of ['', '0', '-3', '2.5', '10001', 'many']) {
      expect(() => parseRounds(text)).toThrow('whole number of rounds from 1 to 10000');
    }
  });

  test('classes are indices where they are whole numbers, else names', () => {
    expect(parseClass('17')).toBe(17);
    expect(parseClass('Egyptian cat')).toBe('Egyptian cat');
    expect(() => parseClass(' ')).toThrow('class index or name');
  });
});
