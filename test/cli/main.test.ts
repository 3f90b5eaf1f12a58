import { spawn, spawnSync } from 'node:child_process';
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
