/** Decoders that write on standard output or standard error. */

/**
 * Runs a decoder without letting it write: what it has to tell is told in the error, or not at all.
 *
 * @returns what it returns, and the lines that it would have written
 */
export function quietly<T>(decode: () => T): { readonly result: T; readonly said: string[] } {
  const { log, warn } = console;
  const said: string[] = [];
  console.log = (...words: unknown[]) => said.push(words.join(' '));
  console.warn = console.log;
  try {
    return { result: decode(), said };
  } finally {
    console.log = log;
    console.warn = warn;
  }
}
