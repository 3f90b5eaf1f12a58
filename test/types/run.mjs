/**
 * Installs the packed package in an empty folder and compiles programs that use it, with several versions of
 * TypeScript, in every module resolution. Declarations are checked, too (`skipLibCheck: false`).
 *
 *   npm run test:types
 *
 * The build must be there.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };
const NODE16 = { module: 'node16', moduleResolution: 'node16' };
const NODENEXT = { module: 'nodenext', moduleResolution: 'nodenext' };
const NODE10 = { module: 'esnext', moduleResolution: 'node10' };
const COMPILERS = {
  'typescript-5.4': [BUNDLER, NODE16, NODENEXT, NODE10],
  'typescript-5.9': [BUNDLER, NODE16, NODENEXT, NODE10],
  // Deprecated there, and removed in 7.
  'typescript-6': [BUNDLER, NODE16, NODENEXT, { ...NODE10, ignoreDeprecations: '6.0' }],
  'typescript-7': [BUNDLER, NODE16, NODENEXT],
};

/** The programs, and the libraries and types that each may use. */
const PROGRAMS = {
  // An edge worker: no DOM, no Node.
  'core.ts': { lib: ['es2022'], types: [] },
  'page.ts': { lib: ['es2022', 'dom'], types: [] },
  'server.ts': { lib: ['es2022'], types: ['node'] },
};

const npm = (args, cwd) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
  });
if (!existsSync(`${HERE}node_modules`)) npm(['ci'], HERE);

const folder = mkdtempSync(join(tmpdir(), 'fastcam-types-'));
try {
  const [{ filename }] = JSON.parse(
    npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], ROOT),
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  // A dependency brings an old version of Node's types. A program for Node has its own.
  npm(['install', '--ignore-scripts', `./${filename}`, '@types/node@20'], folder);
  cpSync(`${HERE}programs`, folder, { recursive: true });
  for (const [compiler, resolutions] of Object.entries(COMPILERS)) {
    for (const resolution of resolutions) {
      for (const [program, surroundings] of Object.entries(PROGRAMS)) {
        compile(compiler, program, { ...resolution, ...surroundings });
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

function compile(compiler, program, options) {
  const compilerOptions = {
    ...options,
    target: 'es2022',
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: [program] }),
  );
  const tsc = `${HERE}node_modules/${compiler}/bin/tsc`;
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder], {
    encoding: 'utf8',
  });
  const what = `${compiler}, ${options.moduleResolution}, ${program}`;
  if (status === 0) return console.log(`${what}: compiles`);
  console.error(`FAILED ${what}:\n${stdout}${stderr}`);
  process.exitCode = 1;
}
