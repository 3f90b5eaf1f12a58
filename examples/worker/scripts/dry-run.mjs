// All that `wrangler deploy` does but the upload, for each environment of wrangler.jsonc.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (Number.parseInt(process.versions.node, 10) < 22) {
  console.log('wrangler deploy --dry-run: skipped, wrangler runs from Node 22 on');
} else {
  for (const environment of ['', 'batch', 'onnx']) {
    const outdir = environment === 'onnx' ? 'dist/onnx/wrangler' : 'dist/wrangler';
    const args = ['deploy', '--dry-run', `--env=${environment}`, '--outdir', outdir];
    const bin = `${root}node_modules/wrangler/bin/wrangler.js`;
    const env = { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false' };
    execFileSync(process.execPath, [bin, ...args], { cwd: root, env, stdio: 'inherit' });
  }
}
