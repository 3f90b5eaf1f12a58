/** The command, run with streams of the test's own. */

import { Writable } from 'node:stream';
import { expect } from 'vitest';
import { run } from '../../src/cli/run.js';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function fastcam(...argv: string[]): Promise<Outcome> {
  return inTerminal(false, argv);
}

export async function inTerminal(isTTY: boolean, argv: readonly string[]): Promise<Outcome> {
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

/** Runs and expects success, with nothing on standard error. @returns what was printed */
export async function success(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await fastcam(...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Runs and expects one line on standard error, and nothing on standard output. @returns the line */
export async function failure(code: number, ...argv: string[]): Promise<string> {
  const outcome = await fastcam(...argv);
  expect(outcome).toMatchObject({ code, stdout: '' });
  expect(outcome.stderr).toMatch(/^fastcam: [^\n]+\n$/);
  expect(outcome.stderr).not.toMatch(/ {4}at |unexpected/);
  return outcome.stderr;
}

/** The rows of a printed table, as cells. */
export function tableRows(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('│'));
  return rows.map((row) =>
    row
      .split('│')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The cells of a table's row that begins so. */
export function cellsOf(text: string, ...begin: string[]): string[] {
  return tableRows(text).find((cells) => begin.every((cell, i) => cells[i] === cell))!;
}
