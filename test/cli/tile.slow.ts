/** Ctrl-C in `fastcam explain --tile`, as a process. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { tiff, tiffEntries } from '../node/pictures/picture-files.js';
import { temporaryFolder } from '../temporary-folder.js';

// The built command: `npm ci` builds it (see `prepare`).
const MAIN = 'dist/cli/main.js';

const { folder, write } = temporaryFolder('tile');

test.runIf(process.platform !== 'win32')(
  'Ctrl-C ends it, and the same command continues after the strips that are done',
  async () => {
    const [width, height] = [160, 9000];
    const pixels = Uint8Array.from({ length: width * height }, (_, i) => Math.imul(i, 40503) >> 8);
    const file = write('tall.tif', tiff(tiffEntries(width, height, 1, [8], pixels.length), pixels));
    const out = join(folder, 'out');
    const argv = [MAIN, 'explain', file, '--tile', '32', '-o', out, '--only', 'saliency'];
    const child = spawn(process.execPath, argv);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise((resolve) => child.on('close', (_, name) => resolve(name)));
    const features = join(out, 'tall/resume/features');
    while (!(existsSync(features) && statSync(features).size > 0)) await setTimeout(5);
    child.kill('SIGINT');
    expect(await ended).toBe('SIGINT');
    expect(stderr).toBe('fastcam: interrupted: 0 of 1 done; the same command continues\n');
    const again = spawnSync(process.execPath, argv);
    expect(again.status).toBe(0);
    const report = JSON.parse(readFileSync(join(out, 'tall/report.json'), 'utf8'));
    expect(report.tiles.strips).toBe(71);
    expect(report.tiles.resumed).toBeGreaterThan(0);
    expect(report.drawn).toEqual({ width: 28, height: 1600 });
    expect(existsSync(join(out, 'tall/resume'))).toBe(false);
  },
);
