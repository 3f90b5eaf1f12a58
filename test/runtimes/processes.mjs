/** Engines that are a program: they resolve `fastcam` in node_modules themselves, and run the command. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPicture } from '../../dist/node/index.js';
import { bundle, ROOT } from './layout.mjs';

const MODULES = fileURLToPath(new URL('./node_modules/', import.meta.url));
const ALL = ['js', 'simd', 'relaxed'];

/** The engine that all are compared with. */
export const referenceEngine = node(24, ALL);

export const processes = [
  // Relaxed SIMD is behind a flag there.
  node(20, ['js', 'simd']),
  // Its relaxed SIMD is the slower of the two: `npm run bench:builds`.
  { ...node(22, ALL), auto: 'simd' },
  referenceEngine,
  node(26, ALL),
  program('Deno', '@deno/linux-x64-glibc/deno', ALL, {
    core: ['run', '--no-prompt', '--allow-read'],
    command: ['run', '--allow-all'],
  }),
  program('Bun', '@oven/bun-linux-x64/bin/bun', ALL),
];

function node(version, backends) {
  return program(`Node ${version}`, `node${version}/bin/node`, backends);
}

/** @param before what the engine is told before the core's program and before the command's */
function program(name, path, backends, before = { core: [], command: [] }) {
  const run = (args, cwd) =>
    execFileSync(join(MODULES, path), args, {
      cwd,
      encoding: 'utf8',
      maxBuffer: 2 ** 27,
      timeout: 120_000,
    });
  return {
    name,
    backends,
    threads: 2,
    allowed: { codeGeneration: true },
    async run(folder) {
      const external = ['fastcam', 'fastcam/*', 'node:*'];
      const entry = await bundle(folder, 'process-entry.mjs', { external });
      const report = JSON.parse(run([...before.core, entry], folder));

      const out = join(folder, name);
      const explain = ['dist/cli/main.js', 'explain', 'samples/chelsea.png', '--backend', 'js'];
      run([...before.command, ...explain, '--out', out], ROOT);
      const { data } = await readPicture(join(out, 'chelsea', 'sheet.png'));
      const sheet = createHash('sha256').update(data).digest('hex');

      const [version] = /[\d.]+/.exec(run(['--version']));
      return { version, sheet, ...report };
    },
  };
}
