/** Means over pictures, with how sure they are. */

export interface Mean {
  readonly mean: number;
  /** Standard error of the mean: the deviation of the values, with n − 1, over √n. Absent for a single value. */
  readonly error?: number;
  /** How many values. */
  readonly n: number;
}

/** The mean of numbers; undefined if there are none. Values that are undefined or NaN do not count. */
export function meanOf(values: readonly (number | undefined)[]): Mean | undefined {
  const there = values.filter(
    (value): value is number => value !== undefined && !Number.isNaN(value),
  );
  const n = there.length;
  if (n === 0) return undefined;
  const mean = there.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { mean, n };
  const squares = there.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (n - 1) / n), n };
}

/** The mean at each place of lists of the same length. */
export function meansOf(lists: readonly (readonly number[])[]): Mean[] {
  return (lists[0] ?? []).flatMap((_, i) => meanOf(lists.map((list) => list[i])) ?? []);
}
