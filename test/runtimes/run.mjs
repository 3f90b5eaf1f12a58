/**
 * Runs the suite on every engine, prints what came out, and fails where an engine has other backends
 * than it should have, is off a golden, or gives another map than Node does.
 *
 *   npm run test:runtimes [-- --engine node,deno] [-- --write]
 *
 * `--engine` takes those whose name begins so; `--write` puts the table into docs/runtimes.md. The
 * build must be there.
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
// Not before the engines are installed: what follows imports them.
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
  // What the others are compared with comes first.
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

/** An engine's report, or none where it came to no end. */
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
