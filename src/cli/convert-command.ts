/** `fastcam convert`: weights of any kind that is read, as safetensors that explain themselves. */

import { ShapeError } from '../errors.js';
import type { ConvertOptions } from '../node/index.js';
import { type RecognitionFlags, recognition } from './options.js';
import { startProgress } from './progress.js';
import { EXIT, type Streams, UsageError } from './streams.js';

/** The options as commander hands them over. */
export interface ConvertFlags extends RecognitionFlags {
  readonly precision: NonNullable<ConvertOptions['precision']>;
  readonly shard?: number;
  readonly labels?: string;
  readonly arch?: string;
  readonly json?: boolean;
}

/** @returns the exit code */
export async function convertCommand(
  input: string,
  output: string,
  flags: ConvertFlags,
  streams: Streams,
): Promise<number> {
  const [{ convertModel }, { formatConversion }] = await Promise.all([
    import('../node/convert.js'),
    import('./conversion-table.js'),
  ]);
  const { precision, shard, labels, arch } = flags;
  const progress = await startProgress(1, streams.stderr);
  try {
    const conversion = await convertModel(input, output, {
      precision,
      ...(shard !== undefined && { shardBytes: shard }),
      ...(labels !== undefined && { labels }),
      ...(arch !== undefined && { architecture: arch }),
      ...recognition(flags),
      onProgress: (done, tensor) => progress.update(done, tensor),
    });
    progress.stop();
    streams.stdout.write(
      flags.json ? `${JSON.stringify(conversion)}\n` : formatConversion(conversion),
    );
    return EXIT.ok;
  } catch (error) {
    progress.stop();
    if (error instanceof ShapeError) throw new UsageError(error.message);
    throw error;
  }
}
