/** Where a command writes: `process`, or a test's own streams. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined };
}

/** The command's exit codes. */
export const EXIT = {
  ok: 0,
  /** Some inputs failed; the others are done. */
  failed: 1,
  /** The call itself is wrong: nothing is done. */
  usage: 2,
} as const;

/** Longer messages are cut to this many characters. */
const MAX_MESSAGE = 500;
const OWN_ERRORS = [
  'FetchError',
  'FormatError',
  'ShapeError',
  'TooManyPixelsError',
  'UnsupportedError',
  'UsageError',
];
const OUT_OF_MEMORY = /allocation failed|invalid (typed )?array (buffer )?length/i;

/** A mistake in the call that is found only when the command runs. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/**
 * One line that says what failed, where and why. With `debug` the stack follows.
 *
 * @param input named first, unless the message does that itself
 */
export function describeFailure(error: unknown, debug: boolean, input?: string): string {
  const reason = reasonOf(error);
  const known = input !== undefined && reason.startsWith(`${input}: `);
  const rest = known ? reason.slice(input.length + 2) : reason;
  const name = input === undefined ? '' : `${printable(input)}: `;
  const line = `fastcam: ${name}${printable(shorten(rest.replace(/\s*\n\s*/g, ' ')))}\n`;
  return debug && error instanceof Error ? `${line}${error.stack}\n${causeOf(error)}` : line;
}

/** Names in a file can be very long: a tensor's name may have a megabyte. */
function shorten(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}

/**
 * Text for a terminal, on one line. A file name may contain line breaks, or codes that move the
 * cursor. Control characters are escaped as in a C string.
 */
export function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (c) => ESCAPES[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message } = error;
  // Errors of this package explain themselves. Any other error is a bug, and the message says so.
  if (OWN_ERRORS.includes(error.name)) return message;
  if (OUT_OF_MEMORY.test(message)) return `not enough memory (${message}): try a smaller --size`;
  return `${error.name}: ${message} (unexpected: --debug prints the stack)`;
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? `caused by ${cause.stack ?? cause.message}\n` : '';
}
