/**
 * The measures of each picture in a file, a line of JSON each, so that an interrupted run continues. The first line says
 * what was measured of what: another run does not continue there.
 */

import { appendFile, readFile } from 'node:fs/promises';
import { FormatError } from '../../errors.js';
import { systemReason } from '../file-bytes.js';
import { writeWhole } from '../written-file.js';
import type { PictureRecord } from './picture.js';

/** Digits that are kept of a number: more than a probability in float32 has. */
const DIGITS = 7;

/** What was measured of what. */
export type RunOptions = Readonly<Record<string, unknown>>;

export class RecordFile {
  /** The pictures that are done, by their names. */
  readonly done: Map<string, PictureRecord>;
  readonly #path: string | undefined;

  private constructor(path: string | undefined, done: Map<string, PictureRecord>) {
    this.#path = path;
    this.done = done;
  }

  /**
   * Opens the file of a run, or begins one.
   *
   * @param path in a folder that exists; without it nothing is written
   * @throws {FormatError} if the file is of a run with other options, and for one that cannot be read or written
   */
  static async open(path: string | undefined, options: RunOptions): Promise<RecordFile> {
    if (path === undefined) return new RecordFile(path, new Map());
    const header = lineOf({ run: options });
    const text = await existing(path);
    if (text === undefined) {
      await writeWhole(path, header);
      return new RecordFile(path, new Map());
    }
    // What follows the last line break was cut off.
    const [first, ...rest] = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    checkRun(path, first ?? '', header);
    const records = rest.filter((line) => line !== '').map((line) => parsed(path, line));
    await writeWhole(path, [header, ...records.map(lineOf)].join(''));
    return new RecordFile(path, new Map(records.map((record) => [record.picture, record])));
  }

  /** @throws {FormatError} if the file cannot be written */
  async add(record: PictureRecord): Promise<void> {
    const line = lineOf(record);
    // As it is after a continuation.
    this.done.set(record.picture, JSON.parse(line) as PictureRecord);
    if (this.#path === undefined) return;
    try {
      await appendFile(this.#path, line);
    } catch (error) {
      throw new FormatError(`${this.#path}: cannot be written: ${systemReason(error)}`, {
        cause: error,
      });
    }
  }
}

async function existing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FormatError(`${path}: ${systemReason(error)}`, { cause: error });
  }
}

function checkRun(path: string, found: string, header: string): void {
  const before = runOf(found);
  if (!before) throw new FormatError(`${path}: is no file of fastcam evaluate: remove it`);
  const now = runOf(header)!;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const other = keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]));
  if (other.length === 0) return;
  throw new FormatError(
    `${path}: is of a run with another ${other.join(', ')}: choose another folder, or remove the file to begin again`,
  );
}

function runOf(line: string): RunOptions | undefined {
  try {
    return (JSON.parse(line) as { run?: RunOptions }).run;
  } catch {
    return undefined;
  }
}

function parsed(path: string, line: string): PictureRecord {
  try {
    return JSON.parse(line) as PictureRecord;
  } catch (error) {
    throw new FormatError(`${path}: has a line that is no JSON: remove it to begin again`, {
      cause: error,
    });
  }
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value, (_, v) => (typeof v === 'number' ? rounded(v) : v))}\n`;
}

/** NaN becomes null, as JSON has it. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS));
}
