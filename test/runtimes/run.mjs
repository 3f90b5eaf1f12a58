/**
 * Runs the suite on every engine and prints the results. Fails if an engine does not have the expected
 * backends, if its results differ from a golden, or if its maps differ from those of Node.
 *
 *   npm run test:runtimes [-- --engine node,deno] [-- --write]
 *
 * `--engine` selects the engines whose names begin with it; `--write` puts the table into
 * docs/runtimes.md. Needs the build.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));

const { values: options } = parseArgs({
  options: { engine: { type: 'string', default: '' }, write: { type: 'boolean', default: false } },
});

if (options.write && options.engine) throw new Error('--write wants every engine in the table');

if (!existsSync(`${HERE}node_modules`)) {
  const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', install, { cwd: HERE, stdio: ['ignore', 2, 2] });
}
// Imported only after the engines are installed, because it imports them.
const { layOut } = await import('./layout.mjs');
const { pages } = await import('./pages.mjs');
const { processes, referenceEngine } = await import('./processes.mjs');
const { quickjs } = await import('./quickjs.mjs');
const { workerds } = await import('./workerd.mjs');
const { judge } = await import('./judge.mjs');
const { markdownTable, writeTable } = await import('./table.mjs');

const begins = options.engine.toLowerCase().split(',');
const engines = [...processes, ...workerds, ...pages, quickjs].filter(({ name }) =>
  begins.some((begin) => name.toLowerCase().startsWith(begin)),
);

const folder = await layOut();
try {
  // The reference comes first; the others are compared with it.
  const reference = await run(referenceEngine);
  const rows = [];
  for (const engine of engines) {
    const report = engine === referenceEngine ? reference : await run(engine);
    if (report && reference) rows.push(...judge(engine, report, reference, fail));
  }
  const table = markdownTable(rows);
  console.log(`\n${table}`);
  if (options.write) writeTable(table);
} finally {
  rmSync(folder, { recursive: true });
}

/** An engine's report; none if it did not finish. */
async function run(engine) {
  const start = performance.now();
  try {
    const report = await engine.run(folder);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${engine.name}: ${report.version}, ${seconds} s`);
    return report;
  } catch (error) {
    fail(engine.name, error.stack);
    return undefined;
  }
}

function fail(where, what) {
  console.error(`FAILED ${where}: ${what}`);
  process.exitCode = 1;
}
