/** `fastcam fetch`: downloads weights into the cache, one model after another. */

import { ShapeError } from '../errors.js';
import type { FetchedModel, FetchOptions } from '../node/fetch-model.js';
import { startTransfer } from './progress.js';
import { describeFailure, EXIT, printable, type Streams, UsageError } from './streams.js';

/** The options as commander hands them over. */
export interface FetchFlags {
  readonly sha256?: string;
  readonly maxBytes?: number;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** @returns the exit code */
export async function fetchCommand(
  names: readonly string[],
  flags: FetchFlags,
  streams: Streams,
): Promise<number> {
  const { fetchModel, resolveRemote } = await import('../node/fetch-model.js');
  checkNames(names, flags, resolveRemote);
  let failures = 0;
  for (const name of names) {
    const progress = await startTransfer(name, streams.stderr);
    try {
      const fetched = await fetchModel(name, {
        ...fetchOptions(flags),
        onProgress: progress.update,
        onWait: () => progress.say('waiting for another process that downloads it'),
      }).finally(progress.stop);
      streams.stdout.write(flags.json ? `${JSON.stringify(fetched)}\n` : tell(fetched));
    } catch (error) {
      failures++;
      streams.stderr.write(describeFailure(error, flags.debug === true, name));
    }
  }
  return failures > 0 ? EXIT.failed : EXIT.ok;
}

function fetchOptions({ sha256, maxBytes, force }: FetchFlags): FetchOptions {
  return {
    ...(sha256 !== undefined && { sha256 }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(force !== undefined && { force }),
  };
}

/** A wrong name is a mistake in the call. All names are checked before the first download. */
function checkNames(
  names: readonly string[],
  { sha256 }: FetchFlags,
  resolve: (name: string) => unknown,
): void {
  if (sha256 !== undefined && names.length > 1) {
    throw new UsageError(
      `--sha256 is for one file, got ${names.length} models: run fetch for each`,
    );
  }
  try {
    for (const name of names) resolve(name);
  } catch (error) {
    if (error instanceof ShapeError) throw new UsageError(error.message);
    throw error;
  }
}

/** Ends with a new line. */
function tell({ name, path, bytes, sha256, verified, cached }: FetchedModel): string {
  const said = {
    caller: 'as given',
    'file name': 'as its name says',
    server: 'as the server says',
    none: cached ? 'the cache’s' : 'not verified: there is no known hash',
  }[verified];
  return (
    `${printable(name)}: ${(bytes / 1e6).toFixed(1)} MB${cached ? ', already in the cache' : ''}\n` +
    `  ${printable(path)}\n` +
    `  SHA-256 ${sha256}, ${said}\n` +
    `To use it: fastcam explain photo.jpg --model ${printable(name)}\n`
  );
}
