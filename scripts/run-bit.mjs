// The command of a checkout can be run, as the installed one is: npm sets the bit when it installs, tsc does not.

import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755);
