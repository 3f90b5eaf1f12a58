import { expect, test } from 'vitest';
import { byteSize } from '../../src/cli/byte-size.js';

test('sizes are decimal in MB and binary in MiB, with or without a space, in any case', () => {
  const sizes = ['4096', '128MB', '128 mb', '128MiB', '1.5GB', '0.5 kB', '2GiB', '7b'];
  expect(sizes.map(byteSize)).toEqual([4096, 128e6, 128e6, 128 * 2 ** 20, 1.5e9, 500, 2 ** 31, 7]);
});

test('what is no size, or below a byte, is none', () => {
  for (const text of ['', 'MB', '-1MB', '1e9', '1,5GB', '0', '0.0001kB', '12 parsecs', '1MBMB']) {
    expect([text, byteSize(text)]).toEqual([text, undefined]);
  }
});
