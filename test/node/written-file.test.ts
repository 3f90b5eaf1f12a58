import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeParts, writeWhole } from '../../src/node/written-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-written-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a file replaces an older one, and no other file is left', async () => {
  const path = join(folder, 'a.txt');
  writeFileSync(path, 'old');
  await writeWhole(path, 'new');
  expect(readdirSync(folder)).toEqual(['a.txt']);
  expect(readFileSync(path, 'utf8')).toBe('new');
});

test('a file that cannot be written gives a one-line error', async () => {
  const path = join(folder, 'none', 'a.png');
  await expect(writeWhole(path, 'x')).rejects.toThrow(
    `${path}: cannot be written: its folder does not exist`,
  );
  await expect(writeWhole(folder, 'x')).rejects.toThrow(`${folder}: cannot be written`);
  expect(readdirSync(folder)).toEqual([]);
});

test.runIf(process.platform !== 'win32')(
  'a link stays a link, and a device stays a device',
  async () => {
    const link = join(folder, 'link');
    writeFileSync(join(folder, 'target'), 'old');
    symlinkSync('target', link);
    await writeWhole(link, 'new');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('new');
    await writeWhole('/dev/null', 'nothing');
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  },
);

test('removes the unfinished files of this process in all folders, and no others', () => {
  mkdirSync(join(folder, 'inner'));
  const own = `a.png.${process.pid}.part`;
  for (const name of [own, join('inner', own), 'a.png', 'a.png.1.part']) {
    writeFileSync(join(folder, name), '');
  }
  removeParts(folder);
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual([
    'a.png',
    'a.png.1.part',
    'inner',
  ]);
});
