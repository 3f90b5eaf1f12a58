/** The command line: arguments → exit code. Each command loads its own large modules. */

import { CommanderError } from 'commander';
import { makeProgram } from './program.js';
import { describeFailure, EXIT, type Streams, UsageError } from './streams.js';

/**
 * Runs the command with the arguments that follow its name.
 *
 * @returns the exit code; nothing is thrown
 */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  let exitCode: number = EXIT.ok;
  const finish = (code: number): void => {
    exitCode = code;
  };
  try {
    await makeProgram(streams, finish, asOneLine).parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    streams.stderr.write(describeFailure(error, argv.includes('--debug')));
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

/** Turns a message of commander into one line, with a pointer to the help. */
function asOneLine(text: string, command: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  const hint = message.startsWith('unknown command')
    ? 'to explain a picture: fastcam explain FILE'
    : `see ${command} --help`;
  return `fastcam: ${message.replace(/\.$/, '')}; ${hint}\n`;
}
