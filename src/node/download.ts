/**
 * Downloads one file over HTTP into `part`, and resumes where an earlier attempt stopped.
 *
 *   part        the bytes so far
 *   part.json   the URL and ETag of these bytes
 *
 * With a strong ETag only the rest is requested (`Range`), if the file is still the same (`If-Range`).
 * A server that has another file now, or does not support ranges, sends the whole file, and the part
 * starts again. There are limits for the time between two chunks, for redirects and for bytes. Proxies
 * come from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
 */

import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { getProxyForUrl } from 'proxy-from-env';
import type { Dispatcher } from 'undici';
import { VERSION } from './version.js';

export interface DownloadOptions {
  /** The most bytes to download. */
  readonly maxBytes: number;
  /** The longest wait for a connection, an answer, or the next bytes. */
  readonly stallMs: number;
  /** How many attempts to make, with the first, if the server or the connection fails. */
  readonly attempts: number;
  /** The wait before the second attempt, doubled before each further one. */
  readonly retryDelayMs: number;
  /** Called with the bytes so far, and the total if the server says it. */
  readonly onProgress: (received: number, total: number | undefined) => void;
  readonly signal: AbortSignal;
}

export interface Download {
  /** The SHA-256 from the server: the Hugging Face hub sends it in `x-linked-etag`. */
  readonly sha256: string | undefined;
  /** Whether some bytes came in an earlier attempt. */
  readonly resumed: boolean;
}

/** A download failed. The message is one line: the URL, why, and what to do. */
export class FetchError extends Error {
  override readonly name: string = 'FetchError';
}

/** A failure that may go away by itself. */
class TransientError extends FetchError {
  /** How long the server asks to wait. */
  readonly retryAfterMs: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];
/** Server errors that may go away. */
const TRANSIENT_STATUS = [408, 425, 429, 500, 502, 503, 504];
/** The longest wait that a server can ask for. */
const MAX_RETRY_AFTER_MS = 30_000;

/** Errors of an open connection. */
const INTERRUPTED: Readonly<Record<string, string>> = {
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_BODY_TIMEOUT: 'nothing came for too long',
  UND_ERR_HEADERS_TIMEOUT: 'no answer came in time',
};
/** Errors while connecting. Name server errors and timeouts may go away. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name server does not answer',
  ECONNREFUSED: 'the connection was refused',
  ENETUNREACH: 'no way to that network',
  EHOSTUNREACH: 'no way to that host',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
};
const UNREACHABLE_FOR_NOW = ['EAI_AGAIN', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'];

const STATUS_REASONS: Readonly<Record<number, string>> = {
  401: 'it asks for a login',
  403: 'access is denied',
  404: 'there is no such file',
  407: 'the proxy asks for a login',
  410: 'the file is gone',
};

/**
 * Downloads `url` into the file `part`.
 *
 * @throws {FetchError} if another attempt cannot help, or when the last attempt has failed; the bytes so
 * far stay for the next call to resume, unless they are of no use
 */
export async function download(
  url: URL,
  part: string,
  options: DownloadOptions,
): Promise<Download> {
  const connections = await Connections.open(options.stallMs);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptDownload(url, part, connections, options);
      } catch (error) {
        if (options.signal.aborted) throw options.signal.reason;
        const failure = failureOf(url, error);
        if (!(failure instanceof TransientError)) throw failure;
        if (attempt >= options.attempts) {
          const rest = `${attempt} attempts failed; run the same command again to continue`;
          throw new FetchError(`${failure.message}: ${rest}`, { cause: failure.cause });
        }
        const delay = Math.max(options.retryDelayMs * 2 ** (attempt - 1), failure.retryAfterMs);
        await sleep(delay, undefined, { signal: options.signal }).catch(() =>
          options.signal.throwIfAborted(),
        );
      }
    }
  } finally {
    await connections.close();
  }
}

/** Removes a part and its `part.json`. */
export async function discardPart(part: string): Promise<void> {
  await Promise.all([rm(part, { force: true }), rm(`${part}.json`, { force: true })]);
}

async function attemptDownload(
  url: URL,
  part: string,
  connections: Connections,
  options: DownloadOptions,
): Promise<Download> {
  const begun = await readBeginning(url, part);
  const range = begun && { range: `bytes=${begun.bytes}-`, 'if-range': begun.etag };
  const { response, sha256 } = await connections.get(url, range ?? {}, options.signal);
  const { statusCode, headers, body } = response;
  try {
    if (statusCode === 416 || (statusCode === 206 && !continues(begun, headers))) {
      await discardPart(part);
      throw new TransientError(`${url}: the server does not send the rest of the file`);
    }
    if (statusCode !== 200 && statusCode !== 206) throw statusError(url, response);
    const encoding = headerOf(headers, 'content-encoding') ?? 'identity';
    if (encoding !== 'identity') throw new FetchError(`${url}: is sent compressed, as ${encoding}`);
    const from = statusCode === 206 ? begun!.bytes : 0;
    const total = totalBytes(headers, from);
    if ((total ?? 0) > options.maxBytes) throw tooLarge(url, options.maxBytes);
    if (from === 0) await rm(`${part}.json`, { force: true });
    const file = await open(part, from === 0 ? 'w' : 'r+');
    try {
      if (from === 0) await writeBeginning(url, part, headers);
      await receive(body, file, from, total, url, options);
      await file.sync();
    } finally {
      await file.close();
    }
    return { sha256, resumed: from > 0 };
  } finally {
    // Does not wait for the rest of a refused answer.
    body.on('error', () => {}).destroy();
  }
}

/** Writes the bytes from position `from` on, until the file is complete. */
async function receive(
  body: AsyncIterable<Uint8Array>,
  file: FileHandle,
  from: number,
  total: number | undefined,
  url: URL,
  { maxBytes, onProgress }: DownloadOptions,
): Promise<void> {
  let received = from;
  onProgress(received, total);
  for await (const chunk of body) {
    if (received + chunk.length > maxBytes) {
      await file.truncate();
      throw tooLarge(url, maxBytes);
    }
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await file.write(chunk, at, chunk.length - at, received);
      at += bytesWritten;
      received += bytesWritten;
    }
    onProgress(received, total);
  }
  if (total !== undefined && received !== total) {
    throw new TransientError(`${url}: received ${received} of ${total} bytes`);
  }
}

/** The bytes that an earlier attempt has left. */
interface Beginning {
  readonly bytes: number;
  readonly etag: string;
}

/** How much of `url` is in the part, and under which ETag; nothing if it cannot be resumed. */
async function readBeginning(url: URL, part: string): Promise<Beginning | undefined> {
  try {
    const [{ size }, text] = await Promise.all([stat(part), readFile(`${part}.json`, 'utf8')]);
    const about: { url?: unknown; etag?: unknown } = JSON.parse(text);
    if (about.url !== url.href || typeof about.etag !== 'string' || size === 0) return undefined;
    return { bytes: size, etag: about.etag };
  } catch {
    return undefined;
  }
}

/** Only a strong ETag promises the same bytes; without one the next attempt starts again. */
async function writeBeginning(url: URL, part: string, headers: Headers): Promise<void> {
  const etag = headerOf(headers, 'etag');
  if (etag?.startsWith('"')) {
    await writeFile(`${part}.json`, JSON.stringify({ url: url.href, etag }));
  }
}

type Headers = Dispatcher.ResponseData['headers'];

/** Loaded with the first download: a program that only reads files does not need it. */
const loadUndici = () => import('undici');
type Undici = Awaited<ReturnType<typeof loadUndici>>;

/** The dispatchers of one download: its own connections, one pool for each proxy. */
class Connections {
  readonly #undici: Undici;
  readonly #stallMs: number;
  readonly #pools = new Map<string, Dispatcher>();

  private constructor(undici: Undici, stallMs: number) {
    this.#undici = undici;
    this.#stallMs = stallMs;
  }

  static async open(stallMs: number): Promise<Connections> {
    return new Connections(await loadUndici(), stallMs);
  }

  /** The answer after all redirects, and the first SHA-256 that was given on the way. */
  async get(
    url: URL,
    range: Record<string, string>,
    signal: AbortSignal,
  ): Promise<{ response: Dispatcher.ResponseData; sha256: string | undefined }> {
    const agent = `fastcam/${VERSION}`;
    const headers = { 'user-agent': agent, 'accept-encoding': 'identity', ...range };
    let sha256: string | undefined;
    let at = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const dispatcher = this.#poolOf(at);
      const response = await this.#undici.request(at, { dispatcher, headers, signal });
      sha256 ??= linkedSha256(response.headers);
      const location = headerOf(response.headers, 'location');
      if (!REDIRECTS.includes(response.statusCode) || location === undefined) {
        return { response, sha256 };
      }
      await response.body.dump();
      at = redirected(url, at, location);
    }
    throw new FetchError(`${url}: more than ${MAX_REDIRECTS} redirects`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  #poolOf(url: URL): Dispatcher {
    const proxy = getProxyForUrl(url.href);
    let pool = this.#pools.get(proxy);
    if (!pool) {
      const { Agent, ProxyAgent } = this.#undici;
      const stallMs = this.#stallMs;
      const connect = { timeout: stallMs };
      const limits = { headersTimeout: stallMs, bodyTimeout: stallMs, connect };
      pool = proxy === '' ? new Agent(limits) : new ProxyAgent({ uri: proxy, ...limits });
      this.#pools.set(proxy, pool);
    }
    return pool;
  }
}

function redirected(url: URL, at: URL, location: string): URL {
  if (!URL.canParse(location, at.href)) throw new FetchError(`${url}: redirects to an invalid URL`);
  const next = new URL(location, at);
  if (next.protocol !== 'https:' && (next.protocol !== 'http:' || at.protocol === 'https:')) {
    throw new FetchError(`${url}: redirects from ${at.protocol} to ${next.protocol}, refused`);
  }
  return next;
}

/** The hub names large files by their SHA-256; others by a shorter hash of git. */
function linkedSha256(headers: Headers): string | undefined {
  const etag = headerOf(headers, 'x-linked-etag')
    ?.replace(/^W\/|"/g, '')
    .toLowerCase();
  return etag !== undefined && /^[0-9a-f]{64}$/.test(etag) ? etag : undefined;
}

/** Whether a 206 is the rest of this file, by `Content-Range: bytes 10-99/100` and its ETag. */
function continues(begun: Beginning | undefined, headers: Headers): boolean {
  const [, first] = /^bytes (\d+)-/.exec(headerOf(headers, 'content-range') ?? '') ?? [];
  const etag = headerOf(headers, 'etag') ?? begun?.etag;
  return begun !== undefined && Number(first) === begun.bytes && etag === begun.etag;
}

/** Bytes of the whole file, if the answer says it. */
function totalBytes(headers: Headers, from: number): number | undefined {
  const length = headerOf(headers, 'content-length');
  return length === undefined ? undefined : from + Number(length);
}

function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function tooLarge(url: URL, maxBytes: number): FetchError {
  return new FetchError(`${url}: more than the ${maxBytes} bytes that --max-bytes allows`);
}

function statusError(url: URL, { statusCode, headers }: Dispatcher.ResponseData): FetchError {
  const reason = STATUS_REASONS[statusCode];
  const message = `${url}: the server answers ${statusCode}${reason ? `, ${reason}` : ''}`;
  if (!TRANSIENT_STATUS.includes(statusCode)) return new FetchError(message);
  const seconds = Number(headerOf(headers, 'retry-after')) || 0;
  return new TransientError(message, {
    retryAfterMs: Math.min(1000 * seconds, MAX_RETRY_AFTER_MS),
  });
}

/** Describes a network failure by the codes of Node and undici. @throws any other error unchanged */
function failureOf(url: URL, error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  const { code = '', message, syscall } = error as NodeJS.ErrnoException;
  const interrupted = INTERRUPTED[code];
  if (interrupted !== undefined) {
    return new TransientError(`${url}: ${interrupted}`, { cause: error });
  }
  const proxy = getProxyForUrl(url.href);
  const via = proxy === '' ? '' : ` through the proxy ${new URL(proxy).host}`;
  const unreachable = UNREACHABLE[code];
  if (unreachable !== undefined) {
    const text = `${url}: cannot be reached${via}, ${unreachable}`;
    if (UNREACHABLE_FOR_NOW.includes(code)) return new TransientError(text, { cause: error });
    const advice =
      'without internet access, download it elsewhere and give its path to --model; behind a proxy, set HTTPS_PROXY';
    return new FetchError(`${text}: ${advice}`, { cause: error });
  }
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    const advice = 'if a proxy signs connections, give its certificate in NODE_EXTRA_CA_CERTS';
    return new FetchError(`${url}: its certificate is not trusted (${code}); ${advice}`, {
      cause: error,
    });
  }
  if (/tunneling/i.test(message)) {
    return new FetchError(`${url}: no connection${via}: ${message}`, { cause: error });
  }
  // Errors of the file system are not the server's.
  if (syscall !== undefined) throw error;
  return new FetchError(`${url}: ${message}`, { cause: error });
}
