/** The app behind Node's HTTP server, with the limits that are the server's to keep. */

import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Pool } from 'fastcam/node';
import { makeApp } from './app.js';
import { LIMITS, type Limits } from './limits.js';
import { Problem } from './problem.js';

/** How often connections are looked at, as a share of the time that they have. */
const CHECKS = 10;

export function makeServer(pool: Pool, limits: Limits = LIMITS): Server {
  const options = {
    requestTimeout: limits.bodyMs,
    headersTimeout: limits.bodyMs,
    connectionsCheckingInterval: limits.bodyMs / CHECKS,
  };
  const server = createServer(options, getRequestListener(makeApp(pool, limits).fetch));
  server.maxConnections = limits.connections;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const problem =
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new Problem(408, 'timeout', `no request within ${limits.bodyMs / 1000} s`)
        : new Problem(400, 'bad-request', 'not a request of HTTP');
    refuse(socket, problem);
  });
  return server;
}

/** Answers where there is no request to answer to. */
function refuse(socket: Duplex, problem: Problem): void {
  if (!socket.writable) return void socket.destroy();
  const { title, status } = problem.toJSON() as { title: string; status: number };
  const body = JSON.stringify(problem);
  const length = Buffer.byteLength(body);
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${length}\r\n\r\n${body}`,
  );
}

/** Takes no more requests, answers those that are under way, and ends the pool. */
export async function stop(server: Server, pool: Pool): Promise<void> {
  // A connection whose answer is out waits for no other request.
  server.keepAliveTimeout = 1;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  await pool.close();
}
