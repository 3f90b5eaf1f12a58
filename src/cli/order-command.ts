/** `fastcam order`: how similarly SMOE Scale and the other statistics rank a picture's pixels. */

import {
  type InputFlags,
  type ModelFlags,
  type OutputFlags,
  openFlagged,
  pictureOptions,
} from './options.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface OrderFlags extends ModelFlags, InputFlags, OutputFlags {
  readonly out?: string;
}

/** @returns the exit code */
export async function orderCommand(
  input: string,
  flags: OrderFlags,
  streams: Streams,
): Promise<number> {
  const [{ orderFile }, { formatOrder }] = await Promise.all([
    import('../node/order.js'),
    import('./order-table.js'),
  ]);
  const model = await openFlagged(flags, streams);
  const { out, json } = flags;
  const options = { model, ...pictureOptions(flags), ...(out !== undefined && { out }) };
  const report = await orderFile(input, options);
  streams.stdout.write(json ? `${JSON.stringify(report)}\n` : formatOrder(report));
  return EXIT.ok;
}
