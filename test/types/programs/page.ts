import { type Explanation, loadNetwork, makeKernels } from 'fastcam';
import {
  colorize,
  hardMask,
  heatMap,
  keepMask,
  lovi,
  loviLegend,
  overlay,
  softMask,
} from 'fastcam/viz';

export async function load(url: string): Promise<Explanation> {
  const { body } = await fetch(url);
  const net = await loadNetwork(body!, { kernels: await makeKernels() });
  return net.explain(new ImageData(8, 8));
}

export function drawn(image: ImageData, { combinedMap }: Explanation): ImageData[] {
  return [
    lovi([combinedMap], [8, 8]),
    heatMap([combinedMap], [8, 8]),
    loviLegend(5, 8, 8),
    colorize(combinedMap, 'viridis'),
    overlay(image, combinedMap),
    softMask(image, combinedMap),
    hardMask(image, keepMask(combinedMap, 0.1)),
  ].map(({ data, width, height }) => new ImageData(data, width, height));
}
