/** A folder for the files of a test file's own, and how they get there. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

/**
 * Makes a folder that lasts as long as the tests of the file.
 *
 * @param name of what is tested
 */
export function temporaryFolder(name: string): {
  readonly folder: string;
  /** @param path in the folder @returns the whole path */
  write(path: string, bytes: Uint8Array | string): string;
} {
  const folder = mkdtempSync(join(tmpdir(), `fastcam-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    write(path, bytes) {
      const whole = join(folder, path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, bytes);
      return whole;
    },
  };
}
