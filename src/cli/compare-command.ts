/** `fastcam compare`: every method side by side, each with what it costs. */

import type { DrawOptions } from '../node/index.js';
import { type PassFlags, passesOf } from './attribution-options.js';
import { Interruption } from './interruption.js';
import {
  checkClass,
  type InputFlags,
  type ModelFlags,
  type OutputFlags,
  openFlagged,
  pictureOptions,
} from './options.js';
import { startProgress } from './progress.js';
import { EXIT, printable, type Streams, UsageError } from './streams.js';

/** The options as commander hands them over. */
export interface CompareFlags extends ModelFlags, InputFlags, PassFlags, OutputFlags {
  readonly out: string;
  readonly methods?: readonly string[];
  readonly class?: number | string;
  readonly taps?: readonly string[];
  readonly colormap: NonNullable<DrawOptions['colormap']>;
}

/** @returns the exit code */
export async function compareCommand(
  input: string,
  flags: CompareFlags,
  streams: Streams,
): Promise<number> {
  const { out, methods, class: wanted, taps, colormap, json } = flags;
  const [{ compareFile }, { formatComparison }, model] = await Promise.all([
    import('../node/compare.js'),
    import('./comparison-table.js'),
    openFlagged(flags, streams),
  ]);
  const { net } = model;
  if (wanted !== undefined) checkClass(wanted, model);
  if (net.labels.length === 0) throw new UsageError(`${model.name} has no classifier: see explain`);
  const { COMPARED_METHODS } = await import('../methods/gradients/comparison.js');
  const progress = await startProgress(methods?.length ?? COMPARED_METHODS.length, streams.stderr);
  const interruption = new Interruption();
  try {
    const { report } = await compareFile(input, {
      model,
      out,
      colormap,
      ...pictureOptions(flags),
      ...(await passesOf(flags, model)),
      ...(methods && { methods }),
      ...(wanted !== undefined && { target: wanted }),
      ...(taps && { taps }),
      ...{ signal: interruption.signal, onProgress: progress.update },
    });
    progress.stop();
    streams.stdout.write(json ? `${JSON.stringify(report)}\n` : formatComparison(report));
    for (const { title, error } of report.methods) {
      if (error !== undefined) streams.stderr.write(`fastcam: ${title}: ${printable(error)}\n`);
    }
    return report.methods.some(({ error }) => error !== undefined) ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    streams.stderr.write('fastcam: interrupted: nothing is written\n');
    return EXIT.failed;
  } finally {
    progress.stop();
    await interruption.end();
  }
}
