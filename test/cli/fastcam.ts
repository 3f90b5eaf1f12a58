/** The command line with streams of its own. */

import { Writable } from 'node:stream';
import { expect } from 'vitest';
import { run } from '../../src/cli/run.js';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function fastcam(...argv: string[]): Promise<Outcome> {
  return inTerminal(false, ...argv);
}

/** @param isTTY what standard error says of itself */
export async function inTerminal(isTTY: boolean, ...argv: string[]): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      stderr += chunk;
      done();
    },
  });
  const code = await run(argv, {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: Object.assign(stream, { isTTY }),
  });
  return { code, stdout, stderr };
}

/** Runs and expects one line on standard error, which is returned, and nothing on standard output. */
export async function failure(code: number, ...argv: string[]): Promise<string> {
  const outcome = await fastcam(...argv);
  expect(outcome).toMatchObject({ code, stdout: '' });
  expect(outcome.stderr).toMatch(/^fastcam: [^\n]+\n$/);
  expect(outcome.stderr).not.toMatch(/ {4}at |unexpected/);
  return outcome.stderr;
}
