/** Measurements: rounds after the engine has compiled the code, and their medians. */

/** First rounds that are not counted. */
const WARM_UP_ROUNDS = 2;
const WARM_UP_MS = 200;

/** The results of `measure` in `rounds` rounds, after the warm-up. */
export function sampleRounds<T>(rounds: number, measure: (round: number) => T): T[] {
  const samples: T[] = [];
  const start = performance.now();
  for (let round = 0; samples.length < rounds; round++) {
    const sample = measure(round);
    const isWarm = round >= WARM_UP_ROUNDS && performance.now() - start >= WARM_UP_MS;
    if (isWarm) samples.push(sample);
  }
  return samples;
}

/** Milliseconds that it takes. */
export function time(action: () => void): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
