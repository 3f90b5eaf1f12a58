/** Runs decoders that write to standard output or standard error. */

/**
 * Runs a decoder without letting it write: its messages go into the error, or nowhere.
 *
 * @returns its result, and the lines that it tried to write
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
