/**
 * One file over HTTP into `part`, resumed where an earlier attempt stopped.
 *
 *   part        the bytes so far
 *   part.json   the URL and ETag that they came under
 *
 * With a strong ETag the rest is asked for (`Range`), on condition that the file is still the same
 * (`If-Range`): a server that has another by now, or knows no ranges, sends the whole, and the part is
 * begun anew. What comes is bounded in time between two chunks, in redirects and in bytes. Proxies are
 * those of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
 */

import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { getProxyForUrl } from 'proxy-from-env';
import type { Dispatcher } from 'undici';
import { VERSION } from './version.js';

export interface DownloadOptions {
  /** The most bytes that are taken. */
  readonly maxBytes: number;
  /** The longest wait for a connection, an answer, or the next bytes. */
  readonly stallMs: number;
  /** How often a server's or the connection's failure is met, the first included. */
  readonly attempts: number;
  /** The wait before the second attempt, doubled before each further one. */
  readonly retryDelayMs: number;
  /** Told the bytes so far, and of how many where the server says. */
  readonly onProgress: (received: number, total: number | undefined) => void;
  readonly signal: AbortSignal;
}

export interface Download {
  /** The SHA-256 that the server named: the Hugging Face hub does, in `x-linked-etag`. */
  readonly sha256: string | undefined;
  /** Whether bytes of an earlier attempt are part of the file. */
  readonly resumed: boolean;
}

/** A download failed. The message is one line that names the URL, why, and what to do. */
export class FetchError extends Error {
  override readonly name: string = 'FetchError';
}

/** May go away by itself. */
class TransientError extends FetchError {
  /** The wait that the server asks for. */
  readonly retryAfterMs: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];
/** Server's troubles that pass. */
const TRANSIENT_STATUS = [408, 425, 429, 500, 502, 503, 504];
/** No server may make anybody wait for longer. */
const MAX_RETRY_AFTER_MS = 30_000;

/** Failures of a connection that was there. */
const INTERRUPTED: Readonly<Record<string, string>> = {
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_BODY_TIMEOUT: 'nothing came for too long',
  UND_ERR_HEADERS_TIMEOUT: 'no answer came in time',
};
/** Failures to make one. Those of the name server and of time may pass. */
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
 * @throws {FetchError} for what no further attempt would mend, or when the last has failed; what has
 * come by then stays for the next call to resume, unless it is of no use
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

/** Removes a part and what is known of it. */
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
    // What is left of an answer that was refused is not waited for.
    body.on('error', () => {}).destroy();
  }
}

/** Writes what comes from byte `from` on, until all of it is there. */
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

/** What an earlier attempt has left. */
interface Beginning {
  readonly bytes: number;
  readonly etag: string;
}

/** How much of `url` is in the part, and under which ETag; nothing of what cannot be resumed. */
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

/** Only a strong ETag promises the same bytes; without one the next attempt begins anew. */
async function writeBeginning(url: URL, part: string, headers: Headers): Promise<void> {
  const etag = headerOf(headers, 'etag');
  if (etag?.startsWith('"')) {
    await writeFile(`${part}.json`, JSON.stringify({ url: url.href, etag }));
  }
}

type Headers = Dispatcher.ResponseData['headers'];

/** Loaded with the first download: whoever only reads files does without it. */
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

  /** The answer at the end of the redirects, and the first SHA-256 that was named on the way. */
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

/** Files that the hub stores apart are named by their SHA-256; others by a shorter hash of git's. */
function linkedSha256(headers: Headers): string | undefined {
  const etag = headerOf(headers, 'x-linked-etag')
    ?.replace(/^W\/|"/g, '')
    .toLowerCase();
  return etag !== undefined && /^[0-9a-f]{64}$/.test(etag) ? etag : undefined;
}

/** Whether a 206 is the rest of what was begun, by `Content-Range: bytes 10-99/100` and its ETag. */
function continues(begun: Beginning | undefined, headers: Headers): boolean {
  const [, first] = /^bytes (\d+)-/.exec(headerOf(headers, 'content-range') ?? '') ?? [];
  const etag = headerOf(headers, 'etag') ?? begun?.etag;
  return begun !== undefined && Number(first) === begun.bytes && etag === begun.etag;
}

/** Bytes of the whole file, where the answer says. */
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

/** What went wrong on the network, by the codes of Node and undici. @throws anything else as it is */
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
  // The file system's troubles are not the server's.
  if (syscall !== undefined) throw error;
  return new FetchError(`${url}: ${message}`, { cause: error });
}
