// Makes the command of a checkout executable. npm does this when it installs a package, but tsc does not.

import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755);
