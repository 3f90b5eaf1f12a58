/**
 * The folder for downloaded weights, and the names of models in it. Nothing here uses the internet: a
 * file in the cache is complete and verified, or it is not there (`fetch-model.ts`).
 */

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { FormatError, ShapeError } from '../errors.js';
import { type KnownModel, knownModel } from './known-models.js';

/** A model that is downloaded by its name or its URL. */
export interface RemoteModel {
  /** The name or URL as given. */
  readonly name: string;
  readonly url: URL;
  /** Its name in the cache. */
  readonly file: string;
  readonly known: KnownModel | undefined;
}

/** How many characters of a URL's own name are kept in the file name. */
const STEM_LENGTH = 60;
/** Hex digits of a URL's hash in the file name: enough that no two URLs have the same name. */
const TAG_LENGTH = 12;

/**
 * FASTCAM_CACHE, else the system's own folder: `$XDG_CACHE_HOME/fastcam` or `~/.cache/fastcam`, on macOS
 * `~/Library/Caches/fastcam`, on Windows `%LOCALAPPDATA%\fastcam\Cache`.
 */
export function cacheFolder(): string {
  const chosen = process.env['FASTCAM_CACHE'];
  return chosen ? resolve(chosen) : envPaths('fastcam', { suffix: '' }).cache;
}

/**
 * The model for a name of KNOWN_MODELS or an http(s) URL; `undefined` if the text is
 * neither.
 *
 * @throws {ShapeError} for a URL of another scheme, or with a password in it
 */
export function remoteModel(name: string): RemoteModel | undefined {
  const known = knownModel(name);
  if (known) return { name, url: new URL(known.url), file: known.file, known };
  // At least two letters, because C:\weights is a path.
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(name)) return undefined;
  if (!URL.canParse(name)) throw new ShapeError(`${name}: not a URL`);
  const url = new URL(name);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new ShapeError(`${name}: expected an http or https URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ShapeError(`${url.host}: a URL with a password in it is not fetched`);
  }
  url.hash = '';
  return { name, url, file: fileNameOf(url), known: undefined };
}

/** The path of a remote model in the cache, or `undefined` if it is not there. */
export async function cachedPath({ file }: RemoteModel): Promise<string | undefined> {
  const path = join(cacheFolder(), file);
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? path : undefined;
}

/**
 * The cached file of a remote model; `undefined` if the name is a path. The file is not read.
 *
 * @throws {FormatError} if it is not in the cache, with the command that downloads it
 */
export async function locateRemote(
  name: string,
): Promise<{ path: string; known: KnownModel | undefined } | undefined> {
  const remote = remoteModel(name);
  if (!remote) return undefined;
  const path = await cachedPath(remote);
  if (path === undefined) {
    throw new FormatError(
      `${name}: not in the cache, ${cacheFolder()}; to download it: fastcam fetch ${name}`,
    );
  }
  return { path, known: remote.known };
}

/**
 * The last part of a URL in plain characters, and a hash of the whole URL. So `model.safetensors` of two
 * repositories are two files, and no URL can name a file outside the cache.
 */
function fileNameOf(url: URL): string {
  const last = url.pathname.split('/').pop()!;
  const extension = /\.[a-z0-9]{1,12}$/i.exec(last)?.[0] ?? '';
  const stem = last.slice(0, last.length - extension.length).replace(/%[0-9a-f]{2}|[^\w.-]/gi, '-');
  const tag = createHash('sha256').update(url.href).digest('hex').slice(0, TAG_LENGTH);
  return `${stem.replace(/^[.-]+/, '').slice(0, STEM_LENGTH) || 'model'}-${tag}${extension}`;
}
