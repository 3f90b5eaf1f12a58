// Fails if the packed package is larger than the limit. It needs the build.
import { execFileSync } from 'node:child_process';

const LIMIT_BYTES = 4_000_000;

const printed = execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
  cwd: new URL('..', import.meta.url),
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
});
const [{ size, files }] = JSON.parse(printed);
const megabytes = (size / 1e6).toFixed(2);
if (!files.some(({ path }) => path === 'dist/index.js')) throw new Error('dist is not built');
console.log(`Packed: ${megabytes} MB in ${files.length} files, at most 4 MB allowed`);
if (size > LIMIT_BYTES) process.exitCode = 1;
