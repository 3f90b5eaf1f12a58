/**
 * Downloads weights into the cache.
 *
 *   file.part  ─ download ─ SHA-256 ─ fsync ─ rename ─▶  file
 *
 * A file gets its name in the cache only when it is whole and verified. Processes that want the same
 * file take turns by a lock beside it. They share one part file, so that one resumes what another
 * began; the second then finds the file there. If a process dies, its lock is stale in seconds.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, ShapeError } from '../errors.js';
import { cachedPath, cacheFolder, type RemoteModel, remoteModel } from './cache.js';
import { discardPart, download, FetchError } from './download.js';
import { systemReason } from './file-bytes.js';

export interface FetchOptions {
  /** The file's SHA-256, 64 hex digits. Default: the one in its name or from its server. */
  readonly sha256?: string;
  /** The most bytes to download; default 2 GiB. */
  readonly maxBytes?: number;
  /** Download again even if the file is in the cache. */
  readonly force?: boolean;
  /** The longest wait for the next bytes; default 30 s. */
  readonly stallMs?: number;
  /** How many attempts to make if a failure may go away; default 5. */
  readonly attempts?: number;
  /** The wait before the second attempt, doubled before each further one; default 1 s. */
  readonly retryDelayMs?: number;
  /** Called with the bytes so far, and the total if the server says it. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  /** Called if another process is downloading the file. */
  readonly onWait?: () => void;
}

/** Where the expected hash of the file comes from. */
export type Verification = 'caller' | 'file name' | 'server' | 'none';

export interface FetchedModel {
  readonly name: string;
  readonly url: string;
  /** The file in the cache. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** `none` if nobody gave a hash, and for a cached file, for which no server is asked. */
  readonly verified: Verification;
  /** Whether the file was in the cache already. */
  readonly cached: boolean;
}

/** The first digits of the file's hash, or all of them, and where they come from. */
interface Expectation {
  readonly hex: string;
  readonly by: Verification;
}

const MAX_BYTES = 2 ** 31;
const STALL_MS = 30_000;
const ATTEMPTS = 5;
const RETRY_DELAY_MS = 1000;
/** A lock that was not renewed for this long belongs to a dead process. */
const STALE_LOCK_MS = 15_000;

/**
 * Downloads a model into the cache, or finds it there.
 *
 * @param name of KNOWN_MODELS, or an http(s) URL
 * @throws {ShapeError} for a name that is neither, or an invalid hash
 * @throws {FetchError} in one line that names the URL and the reason; the cache then only has the
 * part to resume from
 * @throws {FormatError} for a cache that cannot be written
 */
export async function fetchModel(name: string, options: FetchOptions = {}): Promise<FetchedModel> {
  const remote = resolveRemote(name);
  const expected = expectation(remote, options.sha256);
  const path = join(cacheFolder(), remote.file);
  try {
    if (!options.force) {
      const found = await findCached(remote, expected);
      if (found) return found;
    }
    await mkdir(cacheFolder(), { recursive: true });
    return await locked(path, options, async (signal) => {
      const found = options.force ? undefined : await findCached(remote, expected);
      return found ?? (await fetchInto(path, remote, expected, options, signal));
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new FormatError(`${path}: ${systemReason(error)}`, { cause: error });
  }
}

/** @throws {ShapeError} for a name that is neither in the table nor an http(s) URL */
export function resolveRemote(name: string): RemoteModel {
  const remote = remoteModel(name);
  if (remote) return remote;
  throw new ShapeError(
    `${name}: not a known model and not a URL; fastcam models lists the known models`,
  );
}

async function fetchInto(
  path: string,
  remote: RemoteModel,
  expected: Expectation | undefined,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<FetchedModel> {
  const part = `${path}.part`;
  const { name, url } = remote;
  const { onProgress = () => {}, maxBytes = MAX_BYTES, stallMs = STALL_MS } = options;
  const { attempts = ATTEMPTS, retryDelayMs = RETRY_DELAY_MS } = options;
  const limits = { maxBytes, stallMs, attempts, retryDelayMs, onProgress, signal };
  for (let isFirst = true; ; isFirst = false) {
    const { sha256: linked, resumed } = await download(url, part, limits);
    const named: Expectation | undefined =
      expected ?? (linked === undefined ? undefined : { hex: linked, by: 'server' });
    const sha256 = await sha256Of(part);
    signal.throwIfAborted();
    if (named && !sha256.startsWith(named.hex)) {
      await discardPart(part);
      // Perhaps the bytes of an earlier attempt are wrong, not the server: try once more.
      if (resumed && isFirst) continue;
      throw new FetchError(
        `${url}: its SHA-256 is ${sha256}, expected ${named.hex}${named.hex.length < 64 ? '…' : ''} by the ${named.by}: this is not the published file; it is not kept`,
      );
    }
    const { size } = await stat(part);
    await rename(part, path);
    await discardPart(part);
    const verified = named?.by ?? 'none';
    return { name, url: url.href, path, bytes: size, sha256, verified, cached: false };
  }
}

/** The file in the cache, unless its hash is not the expected one. */
async function findCached(
  remote: RemoteModel,
  expected: Expectation | undefined,
): Promise<FetchedModel | undefined> {
  const path = await cachedPath(remote);
  if (path === undefined) return undefined;
  const [{ size }, sha256] = await Promise.all([stat(path), sha256Of(path)]);
  if (expected && !sha256.startsWith(expected.hex)) return undefined;
  const { name, url } = remote;
  const verified = expected?.by ?? 'none';
  return { name, url: url.href, path, bytes: size, sha256, verified, cached: true };
}

function expectation({ known }: RemoteModel, sha256?: string): Expectation | undefined {
  if (sha256 !== undefined) {
    if (/^[0-9a-f]{64}$/i.test(sha256)) return { hex: sha256.toLowerCase(), by: 'caller' };
    throw new ShapeError(`sha256: expected 64 hex digits, got ${sha256}`);
  }
  const prefix = known?.sha256Prefix;
  return prefix === undefined ? undefined : { hex: prefix, by: 'file name' };
}

/** Runs `action` as the only process that writes `path`. */
async function locked<T>(
  path: string,
  { onWait = () => {} }: FetchOptions,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { lock } = (await import('proper-lockfile')).default;
  const lost = new AbortController();
  const settings = {
    realpath: false,
    stale: STALE_LOCK_MS,
    // After a sleep the lock may belong to another process: then this one must not write.
    onCompromised: () => lost.abort(new FetchError(`${path}: another process took over`)),
  };
  const release = await lock(path, settings).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ELOCKED') throw error;
    onWait();
    const retries = { forever: true, minTimeout: 100, maxTimeout: 1000 };
    return lock(path, { ...settings, retries });
  });
  try {
    return await action(lost.signal);
  } finally {
    // The lock may belong to another process by now.
    await release().catch(() => {});
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  return hash.digest('hex');
}
