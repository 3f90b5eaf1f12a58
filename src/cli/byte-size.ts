/** Sizes as people write and read them: 128MB, 128MiB, 1.5 GB, 4096. */

/** kB, MB and GB are powers of 1000; KiB, MiB and GiB are powers of 1024. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Whole bytes ≥ 1, or `undefined` if the text is not a size. */
export function byteSize(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[unit?.toLowerCase() ?? 'none'];
  if (number === undefined || factor === undefined) return undefined;
  const bytes = Math.floor(Number(number) * factor);
  return Number.isSafeInteger(bytes) && bytes >= 1 ? bytes : undefined;
}

/** Millions of bytes, without the unit. */
export function megabytes(bytes: number, digits = 1): string {
  return (bytes / 1e6).toFixed(digits);
}
