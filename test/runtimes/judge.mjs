/**
 * Whether an engine's report is what it should be, and a row of the table for each of its backends.
 * Reports came as JSON, which knows no NaN and has null in its place.
 */

import { isDeepStrictEqual } from 'node:util';

/** How far a map may be from Node's on the same backend; maps lie in 0 … 1. */
const MAP_BOUNDS = { js: 1e-5, simd: 1e-4, relaxed: 1e-4 };

/** @param fail is told where and what, of everything that is wrong */
export function judge(engine, report, reference, fail) {
  const { name, backends, allowed } = engine;
  if (!isDeepStrictEqual(report.allowed, allowed)) {
    fail(name, `expected ${JSON.stringify(allowed)}, got ${JSON.stringify(report.allowed)}`);
  }
  const { auto = backends.at(-1) } = engine;
  if (report.auto !== auto) fail(name, `auto expected ${auto}, got ${report.auto}`);
  judgeChecks(report.checks, name, fail);
  if (report.sheet && report.sheet !== reference.sheet) {
    fail(name, "the command's contact sheet has other pixels than Node 24's");
  }
  const { threads } = report;
  if (threads) judgeThreads(engine, report, fail);
  const rows = [];
  for (const result of report.backends) {
    const { backend, refused } = result;
    const where = `${name}, ${backend}`;
    if (!refused !== backends.includes(backend)) fail(where, refused ?? 'runs, but should not');
    if (refused) continue;
    judgeChecks(result.checks, where, fail);
    const theirs = reference.backends.find((other) => other.backend === backend);
    const fromNode = Math.max(
      ...Object.keys(result.maps).map((net) => difference(result.maps[net], theirs.maps[net])),
    );
    if (!(fromNode <= MAP_BOUNDS[backend])) {
      fail(where, `a map is ${fromNode} from Node's, at most ${MAP_BOUNDS[backend]} allowed`);
    }
    const network = 'bundled' in result.passMs ? 'bundled' : 'small';
    const ms = result.passMs[network];
    const ratio = ms / theirs.passMs[network];
    const isThreaded = threads?.count > 1 && threads.backend === backend;
    rows.push({
      threadsMs: isThreaded ? threads.ms : undefined,
      name,
      version: report.version,
      backend,
      errors: largest(result.checks),
      fromNode,
      network,
      ms,
      ratio,
    });
  }
  return rows;
}

/** Two threads where the engine has any, with the bits of one; elsewhere the reason. */
function judgeThreads({ name, threads: expected = 1 }, { threads, backends }, fail) {
  const { count, backend, fallback, map } = threads;
  if (count !== expected) fail(name, `threads expected ${expected}, got ${count}: ${fallback}`);
  if (count === 1 && !fallback) fail(name, 'one thread, and no reason');
  if (!map) return;
  const single = backends.find((one) => one.backend === backend);
  const off = difference(map, single.maps.bundled);
  if (off !== 0) fail(name, `two threads are ${off} from one thread's map`);
}

function judgeChecks(checks, where, fail) {
  for (const { what, error, bound } of checks) {
    if (error === null || error > bound) {
      fail(where, `${what} is off by ${error}, at most ${bound} allowed`);
    }
  }
}

/** The largest error of each kind of check. */
function largest(checks) {
  const errors = {};
  for (const { what, error } of checks) errors[what] = Math.max(errors[what] ?? 0, error);
  return errors;
}

function difference(a, b) {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((most, value, i) => Math.max(most, Math.abs((value ?? Number.NaN) - b[i])), 0);
}
