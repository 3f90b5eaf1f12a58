/**
 * Starts the server.
 *
 *   PORT      default 8080
 *   HOST      default localhost
 *   THREADS   default as many as the machine has cores
 *   MODEL     a network's file or name, as `fastcam explain --model` takes it; default the bundled one
 */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { makePool } from 'fastcam/node';
import { LIMITS } from './limits.js';
import { makeServer, stop } from './server.js';

const { PORT = '8080', HOST = 'localhost', THREADS, MODEL } = process.env;

const pool = await makePool({
  maxQueue: LIMITS.queue,
  ...(THREADS !== undefined && { size: Number(THREADS) }),
  ...(MODEL !== undefined && { model: { model: MODEL } }),
});
const server = makeServer(pool);
server.listen(Number(PORT), HOST);
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
console.log(`http://${HOST}:${port}, ${pool.size} threads`);

// A second signal ends the process at once, as is usual.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void stop(server, pool));
}
