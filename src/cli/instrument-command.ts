/** `fastcam instrument`: adds saliency to an ONNX file. */

import type { CamMethod } from '../methods/index.js';
import type { Instrumentation, InstrumentFileOptions } from '../node/instrument.js';
import type { ScaleWeights } from '../viz/index.js';
import { asUsage, type StatisticFlags } from './options.js';
import { EXIT, printable, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface InstrumentFlags extends StatisticFlags {
  readonly out: string;
  readonly scaleWeights: ScaleWeights;
  readonly cam?: CamMethod | 'none';
  readonly classInput?: boolean;
  readonly taps?: readonly string[];
  readonly output?: string;
  readonly size?: readonly [number, number];
  readonly json?: boolean;
}

/** @returns the exit code */
export async function instrumentCommand(
  input: string,
  { out, json, ...flags }: InstrumentFlags,
  { stdout, stderr }: Streams,
): Promise<number> {
  const { instrumentFile } = await import('../node/instrument.js');
  const options: InstrumentFileOptions = flags;
  const instrumentation = await asUsage(instrumentFile(input, out, options));
  for (const warning of instrumentation.warnings) {
    stderr.write(`fastcam: note: ${printable(input)}: ${printable(warning)}\n`);
  }
  stdout.write(json ? `${JSON.stringify(instrumentation)}\n` : tell(instrumentation));
  return EXIT.ok;
}

/** A line for each output, and lines for what changed in the file. */
function tell({
  output,
  bytes,
  sourceBytes,
  outputs,
  classInput,
  cam,
  taps,
  opset,
  rewritten,
}: Instrumentation): string {
  const { saliency, scales, fastcam } = outputs;
  const rows: [string, string, string][] = [[saliency, '[N, H, W]', 'combined']];
  scales.forEach((name, i) => {
    rows.push([name, '[N, h, w]', taps[i]!]);
  });
  if (outputs.cam !== undefined)
    rows.push([
      outputs.cam,
      '[N, H, W]',
      `${cam} of ${classInput ? 'the given class' : 'the top class'}`,
    ]);
  if (fastcam !== undefined) rows.push([fastcam, '[N, H, W]', `${saliency} × ${outputs.cam}`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(
    ([name, shape, text]) => `  ${printable(name).padEnd(width)}  ${shape}  ${printable(text)}`,
  );
  const changes = Object.entries(rewritten).map(([type, count]) => `${count} ${type}`);
  const raised = `Converted from opset ${opset.before} to ${opset.after}`;
  return [
    `${printable(output)}: ${bytes - sourceBytes} bytes more, with the outputs`,
    ...lines,
    ...(classInput === undefined
      ? []
      : [`Input ${classInput}: int64 [N], the class of each picture.`]),
    ...(opset.before === opset.after
      ? []
      : [
          `${raised}; rewritten: ${changes.length > 0 ? changes.map(printable).join(', ') : 'no node'}.`,
        ]),
    '',
  ].join('\n');
}
