/** A picture's bytes → what is answered: a picture, or the numbers. */

import type { ExplainingNetwork, ExplainOptions, Explanation, Picture, SaliencyMap } from 'fastcam';
import { ShapeError } from 'fastcam';
import { colorize, overlay, toNdArray } from 'fastcam/viz';
import { decodePicture } from './decode.js';
import { checkOptions, type View } from './options.js';
import { encodePng } from './png.js';
import { Problem } from './problem.js';

export interface Answer {
  readonly body: Uint8Array | string;
  readonly type: 'image/png' | 'application/json';
}

/**
 * Synchronous from end to end: while it runs there is no other picture in memory.
 *
 * @throws {Problem} 400 as `checkOptions`, 413, 415 and 422 as `decodePicture`, and 422 for a picture that the
 * network has no room for
 */
export function answer(
  net: ExplainingNetwork,
  bytes: Uint8Array,
  options: ExplainOptions,
  view: View,
): Answer {
  checkOptions(net, options, view);
  const picture = decodePicture(bytes);
  const explanation = explained(net, picture, options);
  if (view === 'json') {
    return { body: JSON.stringify(report(net, explanation)), type: 'application/json' };
  }
  return { body: encodePng(draw(explanation, picture, view)), type: 'image/png' };
}

function explained(net: ExplainingNetwork, picture: Picture, options: ExplainOptions): Explanation {
  try {
    return net.explain(picture, options);
  } catch (error) {
    if (error instanceof ShapeError) throw new Problem(422, 'no-room', error.message);
    throw error;
  }
}

function draw(explanation: Explanation, picture: Picture, view: Exclude<View, 'json'>): Picture {
  const withCam = explanation.cam !== 'none';
  switch (view) {
    case 'lovi':
      return explanation.lovi();
    case 'saliency':
      return colorize(forDisplay(explanation.combinedMap));
    case 'fastcam':
      return colorize(forDisplay(explanation.fastcamMap));
    case 'overlay':
      return overlay(
        picture,
        forDisplay(withCam ? explanation.fastcamMap : explanation.combinedMap),
      );
  }
}

/** Maps of the normaliser `identity` have no upper bound: their maximum is shown as 1. */
function forDisplay(map: SaliencyMap): SaliencyMap {
  const max = map.data.reduce((most, value) => (value > most ? value : most), 1);
  return max === 1
    ? map
    : toNdArray(
        map.data.map((value) => value / max),
        map.shape,
      );
}

/**
 * No milliseconds: a worker's clock stands still while it computes, so that nothing can be timed by
 * it. What a request took is in the worker's logs.
 */
function report({ scales }: ExplainingNetwork, explanation: Explanation): object {
  const { width, height, region, inputSize, target } = explanation;
  const { ops, bytes } = explanation.cost;
  return {
    input: { width, height, region, networkInput: inputSize },
    top: explanation.top(5),
    ...(target !== undefined && { target: { index: target, label: explanation.label(target) } }),
    scales: explanation.rawMaps.map((map, i) => ({ name: scales[i], ...statisticsOf(map) })),
    combined: statisticsOf(explanation.combinedMap),
    cost: { ops, bytes },
  };
}

/** Of the pixels that the network saw. */
function statisticsOf({ data, shape }: SaliencyMap): object {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let count = 0;
  for (const value of data) {
    if (Number.isNaN(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    count++;
  }
  return { shape, min, max, mean: sum / count };
}
