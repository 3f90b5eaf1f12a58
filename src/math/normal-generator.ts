/**
 * Random numbers from a seed: the same seed gives the same numbers.
 *
 * Method: sfc32 (Chris Doty-Humphrey, PractRand; 128 bits of state, the seed and a counter in it, the first 12 numbers
 * dropped) makes uniform numbers, and the method of Box and Muller (1958) two standard normal ones from two of them:
 * √(−2 ln u)·cos 2πv and √(−2 ln u)·sin 2πv, with u in (0, 1]. Engines may round the logarithm, sine and cosine of doubles
 * differently.
 */

/** @returns a function that gives one standard normal number a call. @param seed a whole number, read modulo 2³² */
export function normalGenerator(seed: number): () => number {
  const uniform = sfc32(seed);
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log((uniform() + 1) / 2 ** 32));
    const angle = (2 * Math.PI * uniform()) / 2 ** 32;
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** @returns a function that gives one number in [0, 1) a call, evenly spread. @param seed as for `normalGenerator` */
export function uniformGenerator(seed: number): () => number {
  const next = sfc32(seed);
  return () => next() / 2 ** 32;
}

/** Whole numbers in [0, 2³²). */
function sfc32(seed: number): () => number {
  let a = 0;
  let b = 0;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const value = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + value) | 0;
    return value >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}
