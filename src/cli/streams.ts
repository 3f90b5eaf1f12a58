/** Where a command writes: `process`, or a test's own streams. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined };
}

/** The command's exit codes. */
export const EXIT = {
  ok: 0,
  /** Some input failed; the rest is done. */
  failed: 1,
  /** The call itself is wrong: nothing is done. */
  usage: 2,
} as const;

/** A mistake in the call that shows only once the command runs. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** One line that says what failed, where and why; the stack too when it is asked for. */
export function describeFailure(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `fastcam: ${String(error)}\n`;
  if (debug) return `fastcam: ${error.stack ?? error.message}\n${causeOf(error)}`;
  // Errors of this package speak for themselves; any other is a bug, and is called one.
  const own = ['FormatError', 'ShapeError', 'UsageError'].includes(error.name);
  const message = error.message.replace(/\s*\n\s*/g, ' ');
  return own
    ? `fastcam: ${message}\n`
    : `fastcam: ${error.name}: ${message} (unexpected: --debug shows where)\n`;
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? `caused by ${cause.stack ?? cause.message}\n` : '';
}
