#!/usr/bin/env node
/** The command `fastcam`: passes the arguments and streams of this process to `run`. */

import { run } from './run.js';

// A reader may close the pipe early (`fastcam … | head -1`). That is not a failure: the pictures are
// still written, and further output is dropped.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await run(process.argv.slice(2), process);
