/** Frames of the camera, in the worker: one stream, kept while network, size and settings stay. */

import type { Network } from 'fastcam';
import { preprocessingOfRange } from 'fastcam/model';
import { type FrameStream, makeStream, mapAgreement, type NewBuffers } from 'fastcam/stream';
import type { LivePictures, LiveResult, LiveSettings } from './network.ts';

/** The longest side of frames and maps: what a phone has time for. */
const LONGEST_SIDE = 384;
/** The share of the newest frame in running constants. */
const MOMENTUM = 0.1;

interface Live {
  readonly net: Network;
  readonly key: string;
  readonly stream: FrameStream;
  readonly context: OffscreenCanvasRenderingContext2D;
  /** Two, so that the map of the frame before is still there. */
  readonly buffers: [Latest, Latest];
  frames: number;
}

type Latest = NewBuffers<'combinedMap' | 'probabilities'>;

let live: Live | undefined;

/**
 * Explains a frame.
 *
 * @param pictures of an earlier result, whose memory is used again
 */
export function liveFrame(
  net: Network,
  bitmap: ImageBitmap,
  settings: LiveSettings,
  pictures: LivePictures | undefined,
): LiveResult {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const key = `${width} ${height} ${JSON.stringify(settings)}`;
  if (live?.net !== net || live.key !== key) live = begun(net, key, width, height, settings);
  const { stream, context, buffers } = live;
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const frame = context.getImageData(0, 0, width, height);
  const isSame = pictures?.overlay.length === frame.data.length;
  const drawn = isSame ? pictures : stream.buffers('overlay', 'lovi');
  const [now, before] = live.frames++ % 2 === 0 ? buffers : ([buffers[1], buffers[0]] as const);
  stream.run(frame.data, { ...now, ...drawn });
  const { target } = stream;
  return {
    ...{ width, height, picture: frame.data },
    ...{ overlay: drawn.overlay, lovi: drawn.lovi },
    ms: { ...stream.ms },
    ...(target >= 0 && { top: { index: target, probability: now.probabilities[target]! } }),
    ...(live.frames > 1 && { agreement: mapAgreement(now.combinedMap, before.combinedMap) }),
  };
}

function begun(
  net: Network,
  key: string,
  width: number,
  height: number,
  { statistic, pixels, scaleWeights, colormap, opacity, isRunning }: LiveSettings,
): Live {
  const stream = makeStream(net, {
    ...{ width, height, statistic, cam: 'none' },
    // Those of the picture on the page may still be for the network before.
    scaleWeights: scaleWeights.length === net.scales.length ? scaleWeights : 'equal',
    overlay: { colormap, opacity },
    ...(isRunning && { momentum: MOMENTUM }),
    ...(pixels !== 'said' && { preprocessing: preprocessingOfRange(pixels, net.channels) }),
    now: () => performance.now(),
  });
  const context = new OffscreenCanvas(width, height).getContext('2d', {
    willReadFrequently: true,
  })!;
  const buffers = [1, 2].map(() => stream.buffers('combinedMap', 'probabilities'));
  return { net, key, stream, context, buffers: buffers as Live['buffers'], frames: 0 };
}
