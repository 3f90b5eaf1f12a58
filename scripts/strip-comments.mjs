// Takes the comments out of the compiled scripts, which are an eighth of the package without its model. They stay in the
// sources and, for public functions, in the declarations beside the scripts.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
for (const path of readdirSync(dist, { recursive: true })) {
  if (!path.endsWith('.js')) continue;
  const text = readFileSync(dist + path, 'utf8');
  const { code } = transformSync(text, { target: 'es2022', legalComments: 'none' });
  if (code !== text) writeFileSync(dist + path, code);
}
