import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, type MockInstance, test, vi } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { decode, fixture } from './decoding.js';

const FILES = readdirSync(new URL('../../fixtures/pictures/', import.meta.url)).filter(
  (name) => !name.endsWith('.md'),
);
const ROUNDS = 250;
/** Far more than any of them takes: a decoder that toils for what a header claims takes minutes. */
const MOST_MS = 5000;

describe('damaged pictures', () => {
  let writers: MockInstance[];
  beforeAll(() => {
    writers = [
      vi.spyOn(process.stdout, 'write').mockImplementation(() => true),
      vi.spyOn(process.stderr, 'write').mockImplementation(() => true),
      ...(['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name)),
    ];
  });
  afterAll(() => {
    for (const writer of writers) writer.mockRestore();
  });

  test.each(FILES)(
    '%s, damaged, gives a picture or a one-line error, quickly and without other output',
    async (name) => {
      const random = randomNumbers(name.length + name.charCodeAt(0));
      for (const writer of writers) writer.mockClear();
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = damage(fixture(name), random);
        const begin = performance.now();
        const error = await decode(bytes).then(
          () => undefined,
          (reason) => reason,
        );
        if (error !== undefined) {
          expect(error).toBeInstanceOf(FormatError);
          expect(error.message).toMatch(/^the-file: [^\n]+$/);
        }
        expect(performance.now() - begin, `round ${round}`).toBeLessThan(MOST_MS);
      }
      for (const writer of writers) expect(writer).not.toHaveBeenCalled();
    },
  );
});

/** A copy that is cut, or has some bytes changed, repeated, left out or set to one value. */
function damage(whole: Uint8Array, random: (limit: number) => number): Uint8Array {
  let bytes = Uint8Array.from(whole);
  for (let n = 1 + random(4); n > 0; n--) {
    // Headers are at the beginning, or (TIFF) at the end.
    const part = [bytes.length, Math.min(bytes.length, 120)][random(2)]!;
    const at = random(3) === 0 ? bytes.length - 1 - random(part) : random(part);
    const length = 1 + random(16);
    switch (random(7)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes = Uint8Array.from([...bytes.subarray(0, at + length), ...bytes.subarray(at)]);
        break;
      case 2:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
        break;
      case 3:
        bytes.fill([0, 255, 127][random(3)]!, at, at + length);
        break;
      default:
        bytes[at] = random(256);
    }
  }
  return bytes;
}

/** Whole numbers below a limit: a linear congruential generator, the same in every run. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
