/** The suite in a process: Node, Deno, Bun. Prints its report. */

import { readFile } from 'node:fs/promises';
import { runSuite } from './suite.mjs';

const read = (name) => readFile(new URL(`./files/${name}`, import.meta.url));
console.log(JSON.stringify(await runSuite({ read, clock: () => performance.now() })));
