/** `fastcam bench`: the time of a forward pass and of its layers. */

import type { Model } from '../node/index.js';
import { describeMachine } from './machine.js';
import type { MeasureFlags, OutputFlags, StatisticFlags } from './options.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface BenchFlags extends MeasureFlags, StatisticFlags, OutputFlags {
  readonly layers?: boolean;
  readonly model?: string;
}

/** The network that is measured without --model and --arch. */
const ARCHITECTURE = 'resnet50';

/** @returns the exit code */
export async function benchCommand(flags: BenchFlags, streams: Streams): Promise<number> {
  const { size, rounds, statistic } = flags;
  const [{ profileModel }, { formatLayers, formatTotals }] = await Promise.all([
    import('../node/profile.js'),
    import('./profile-table.js'),
  ]);
  const model = await modelOf(flags);
  const options = { rounds, statistic, ...(size !== undefined && { size }) };
  const { layers, ...totals } = await profileModel(model, options);
  const subject = { model: model.name, backend: model.backend, machine: describeMachine() };
  streams.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...subject, ...totals, ...(flags.layers && { layers }) })}\n`
      : formatTotals(subject, totals) + (flags.layers ? formatLayers(layers) : ''),
  );
  return EXIT.ok;
}

async function modelOf({ arch, model, backend }: BenchFlags): Promise<Omit<Model, 'options'>> {
  if (model === undefined) {
    const { noiseModel } = await import('../node/noise-model.js');
    return noiseModel(arch ?? ARCHITECTURE, backend);
  }
  const { openModel } = await import('../node/model-file.js');
  return openModel({ model, backend, ...(arch !== undefined && { architecture: arch }) });
}
