/**
 * Installs the packed package in new projects, as a user would, and builds and runs them. Each must print the class of
 * the sample picture by the bundled model, computed with SIMD.
 *
 *   npm run test:embedding [-- NAME…]
 *
 * NAME selects the recipes whose names begin with it. Needs the build. Prints one line for each recipe; the last has the
 * totals.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUNTIMES = `${ROOT}test/runtimes`;

if (!existsSync(`${RUNTIMES}/node_modules`)) {
  const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', install, { cwd: RUNTIMES, stdio: ['ignore', 2, 2] });
}
// Imported only after the engines are installed, because it imports them.
const { recipes } = await import('./recipes.mjs');
const { Project } = await import('./project.mjs');

const names = process.argv.slice(2);
const chosen = recipes.filter(
  ({ name }) => names.length === 0 || names.some((begin) => name.startsWith(begin)),
);
const folder = mkdtempSync(join(tmpdir(), 'fastcam-embedding-'));
let failed = 0;
try {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const packed = execFileSync('npm', pack, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
  const tarball = join(folder, JSON.parse(packed)[0].filename);
  // Two at a time, because much of the time is waiting for the registry and the disk.
  const queue = chosen.entries();
  const work = async () => {
    for (const [i, recipe] of queue) await runRecipe(recipe, join(folder, `${i}`), tarball);
  };
  await Promise.all([work(), work()]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function runRecipe(recipe, where, tarball) {
  const start = performance.now();
  mkdirSync(where);
  try {
    const said = await recipe.run(new Project(where, tarball, recipe.node));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`ok ${recipe.name}: ${said} (${seconds} s)`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${recipe.name}: ${error.message}`);
  } finally {
    rmSync(where, { recursive: true, force: true });
  }
}
