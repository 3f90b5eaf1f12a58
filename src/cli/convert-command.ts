/** `fastcam convert`: weights of any supported format → safetensors that carry their own description. */

import type { ConvertOptions } from '../node/index.js';
import { asUsage, tell, type WeightsFlags, weightsOf } from './options.js';
import { startProgress } from './progress.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface ConvertFlags extends WeightsFlags {
  readonly precision: NonNullable<ConvertOptions['precision']>;
  readonly shard?: number;
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
  const { precision, shard } = flags;
  const progress = await startProgress(1, streams.stderr);
  try {
    const conversion = await asUsage(
      convertModel(input, output, {
        precision,
        ...(shard !== undefined && { shardBytes: shard }),
        ...weightsOf(flags),
        onProgress: (done, tensor) => progress.update(done, tensor),
      }),
    );
    progress.stop();
    tell({ ...conversion, name: input, warnings: [] }, streams);
    streams.stdout.write(
      flags.json ? `${JSON.stringify(conversion)}\n` : formatConversion(conversion),
    );
    return EXIT.ok;
  } finally {
    progress.stop();
  }
}
