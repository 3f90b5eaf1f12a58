// Builds after `npm ci` and before a release. `npx fastcam` in a checkout prepares the package too, each time that the checkout
// is new to npm; there it would take a minute, and the build is there already.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const isBuilt = existsSync(new URL('../dist/cli/main.js', import.meta.url));
if (process.env.npm_command !== 'exec' || !isBuilt) {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  execFileSync('npm', ['run', 'build'], {
    cwd,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
}
