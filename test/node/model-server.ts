/** A server of one file on 127.0.0.1, as well-behaved or as broken as a test wants it. */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { onTestFinished } from 'vitest';

/** 300 kB that no two offsets share. */
export const FILE: Buffer = Buffer.from(Uint32Array.from({ length: 75_000 }, (_, i) => i).buffer);
export const FILE_SHA256: string = sha256(FILE);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface ModelServer {
  /** Of the file. */
  readonly url: string;
  readonly origin: string;
  /** What was asked for, in order: the path and its Range. */
  readonly requests: string[];
}

/** Serves until the test ends. `answer` has the number of the request, from 0. */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, index: number) => void,
): Promise<ModelServer> {
  const requests: string[] = [];
  const origin = await listen(
    createServer((request, response) => {
      const { range = '' } = request.headers;
      answer(request, response, requests.push(`${request.url} ${range}`.trim()) - 1);
    }),
  );
  return { url: `${origin}/weights.safetensors`, origin, requests };
}

/** A server without fault. */
export function goodServer(): Promise<ModelServer> {
  return serve((request, response) => sendFile(request, response));
}

/** Answers with the file as a good server does: ranges, `If-Range`, an ETag. */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { file = FILE, etag = '"1"' }: { file?: Buffer; etag?: string } = {},
): void {
  const begin = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const resumes = begin > 0 && request.headers['if-range'] === etag;
  if (resumes && begin >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
  } else if (resumes) {
    const range = `bytes ${begin}-${file.length - 1}/${file.length}`;
    const length = file.length - begin;
    response.writeHead(206, { etag, 'content-range': range, 'content-length': length });
    response.end(file.subarray(begin));
  } else {
    response.writeHead(200, { etag, 'content-length': file.length }).end(file);
  }
}

/** Sends the first `bytes` of a whole file, and then breaks the connection. */
export function sendBroken(
  response: ServerResponse,
  bytes: number,
  headers: Record<string, string> = { etag: '"1"' },
): void {
  response.writeHead(200, { 'content-length': FILE.length, ...headers });
  response.write(FILE.subarray(0, bytes), () => {
    // The bytes are on their way: a connection closed at once may take them with it.
    setTimeout(() => response.destroy(), 50);
  });
}

/** A forward proxy that tunnels what it is asked to, or answers `status`. */
export async function proxy(
  status?: number,
): Promise<{ readonly url: string; readonly tunnels: string[] }> {
  const tunnels: string[] = [];
  const server = createServer();
  server.on('connect', (request, client) => {
    tunnels.push(request.url!);
    if (status !== undefined) {
      client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [upstream, client]) socket.on('error', () => {});
    client.on('close', () => upstream.destroy());
  });
  return { url: await listen(server), tunnels };
}

async function listen(
  server: Server<typeof IncomingMessage, typeof ServerResponse>,
): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
