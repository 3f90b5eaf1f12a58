import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// The built command: `npm ci` builds it (see `prepare`).
const MAIN = 'dist/cli/main.js';

function fastcam(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv]);
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

test('the process exits with 0, 1 and 2, and prints no stack', () => {
  expect(fastcam('--version')).toMatchObject({ status: 0, stderr: '' });
  const missing = fastcam('explain', 'no-such-picture.png');
  expect(missing).toMatchObject({ status: 1, stdout: '' });
  expect(missing.stderr).toBe('fastcam: no-such-picture.png: no such file\n');
  expect(fastcam('explain').status).toBe(2);
});

test('a reader that goes away early is no failure', async () => {
  const child = spawn(process.execPath, [MAIN, 'explain', '--help']);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test.runIf(process.platform !== 'win32').each(['1', '2'])(
  'Ctrl-C ends it by the signal, with whole files and a page of what is done, with %s jobs',
  async (jobs) => {
    const folder = mkdtempSync(join(tmpdir(), 'fastcam-interrupted-'));
    const [photos, out] = [join(folder, 'photos'), join(folder, 'out')];
    for (let i = 0; i < 50; i++) cpSync('samples/coffee.png', join(photos, `${i}.png`));
    const argv = ['explain', photos, '-o', out, '--gallery', '--jobs', jobs];
    const child = spawn(process.execPath, [MAIN, ...argv]);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    // The first is told.
    child.stdout.once('data', () => child.kill('SIGINT'));
    const signal = await new Promise((resolve) => child.on('close', (_, name) => resolve(name)));
    expect(signal).toBe('SIGINT');
    const [, done] = /^fastcam: interrupted: (\d+) of 50 done\n$/.exec(stderr)!;
    expect(Number(done)).toBeGreaterThanOrEqual(1);
    const files = readdirSync(out, { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => name.endsWith('.part'))).toEqual([]);
    for (const name of files.filter((file) => file.endsWith('.png'))) {
      expect(readFileSync(join(out, name)).subarray(-8, -4).toString()).toBe('IEND');
    }
    expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('0/thumbnails.webp');
    rmSync(folder, { recursive: true });
  },
);
