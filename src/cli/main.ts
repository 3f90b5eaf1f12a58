#!/usr/bin/env node
/** The command `fastcam`: this process's arguments and streams, handed to `run`. */

import { run } from './run.js';

// A reader that has seen enough (`fastcam … | head -1`) closes its end. That is no failure: the
// pictures are still to be written, and what else is printed goes nowhere.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await run(process.argv.slice(2), process);
