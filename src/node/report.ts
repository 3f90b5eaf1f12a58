/** The report of one explanation, for programs: inputs, results, cost. */

import type { Cost, Explanation, Prediction } from '../explanation.js';
import type { Region, Size } from '../image/picture.js';
import type { Architecture } from '../model/index.js';
import type { SaliencyMap } from '../viz/ndarray.js';
import type { ReportedAttribution } from './attribution.js';
import type { Model } from './model-file.js';
import { VERSION } from './version.js';

/** Statistics of the values of a raw map. */
export interface ScaleStatistics {
  /** Name of the measured value. */
  readonly name: string;
  /** [h, w] */
  readonly shape: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** A picture that was explained strip by strip: its explanation has maps of a smaller size. */
export interface DividedPicture {
  /** Of the picture. */
  readonly size: Size;
  readonly report: ReportedTiles;
  /** Files that are written already, and how long that took. */
  readonly files: readonly string[];
  readonly picturesMs: number;
}

/** How a picture was divided. */
export interface ReportedTiles {
  readonly strips: number;
  /** Rows of the picture in a strip. */
  readonly rows: number;
  /** Strips of an interrupted run that were not computed again. */
  readonly resumed: number;
  /** Bytes of weights, arena and scratch while a strip is computed. */
  readonly bytes: number;
}

/** Facts that only the caller of `explain` knows. */
export interface ReportContext {
  readonly input: {
    /** As given. */
    readonly path: string;
    /** The decoder that read the picture; none if the input is a tensor. */
    readonly decoder?: string;
    /** Which picture of a tensor file. */
    readonly item?: number;
  };
  /** In the pixels of the picture as given. */
  readonly explanation: Explanation;
  readonly tiles?: DividedPicture;
  readonly attribution?: ReportedAttribution;
  readonly model: Model;
  readonly options: Readonly<Record<string, unknown>>;
  readonly decodeMs: number;
  readonly picturesMs: number;
  /** The files written, as paths that start like the caller's. */
  readonly files: readonly string[];
}

export interface Report {
  readonly version: string;
  readonly input: {
    readonly path: string;
    /** The decoder that read the picture: `mozjpeg`, `sharp`, …; docs/pictures.md lists them. */
    readonly decoder?: string;
    readonly item?: number;
    readonly width: number;
    readonly height: number;
    /** The part of the picture that the network saw, in its pixels. */
    readonly region: Region;
    /** [H, W] of the network's input. */
    readonly networkInput: readonly number[];
  };
  /** The size of the pictures and of the maps that they show, in pixels. */
  readonly drawn: { readonly width: number; readonly height: number };
  /** Set if the picture was divided, with `tile`. */
  readonly tiles?: ReportedTiles;
  readonly model: ReportedModel;
  readonly options: Readonly<Record<string, unknown>>;
  /** The five most likely classes. */
  readonly top: readonly Prediction[];
  /** The class that the class maps are for. */
  readonly target?: { readonly index: number; readonly label: string };
  readonly scales: readonly ScaleStatistics[];
  /** The other method, if one was asked for. */
  readonly attribution?: ReportedAttribution;
  readonly ms: Cost['ms'] & { readonly decode: number; readonly pictures: number };
  readonly cost: Omit<Cost, 'ms'>;
  readonly files: readonly string[];
}

/** What a report says about the model. */
export interface ReportedModel {
  readonly name: string;
  readonly backend: string;
  /** How many threads worked on each step. */
  readonly threads: number;
  /** Why it was plain JavaScript, or one thread: what the engine lacks. */
  readonly fallback?: string;
  readonly architecture: Architecture;
  /** The values where its scales end, first to last. */
  readonly scales: readonly string[];
  /** What was ignored in its file, and what is doubtful: a line each. */
  readonly warnings: readonly string[];
  /** What the weights do not show, and what is assumed: a line. */
  readonly assumption?: string;
}

/** @param drawn the explanation at the drawn size; its maps have been made */
export function makeReport(drawn: Explanation, context: ReportContext): Report {
  const { input, explanation, attribution, model, options, decodeMs, picturesMs, files } = context;
  const { inputSize, target } = explanation;
  const { tiles } = context;
  const { width, height } = tiles?.size ?? explanation;
  const region = tiles ? { x: 0, y: 0, width, height } : explanation.region;
  const { ms, ...cost } = drawn.cost;
  return {
    version: VERSION,
    input: {
      ...input,
      width,
      height,
      region,
      networkInput: inputSize,
    },
    drawn: { width: drawn.width, height: drawn.height },
    ...(tiles && { tiles: tiles.report }),
    model: describeModel(model),
    options,
    top: explanation.top(5),
    ...(target !== undefined && { target: { index: target, label: explanation.label(target) } }),
    scales: explanation.rawMaps.map((map, i) => ({
      name: explanation.scaleNames[i]!,
      ...statisticsOf(map),
    })),
    ...(attribution && { attribution }),
    ms: roundAll({ decode: decodeMs, ...ms, pictures: picturesMs }),
    cost,
    files,
  };
}

export function describeModel({ name, backend, net, warnings, assumption }: Model): ReportedModel {
  const { architecture, scales, kernels } = net;
  const { threads = 1, fallback } = kernels;
  return {
    name,
    backend,
    threads,
    ...(fallback !== undefined && { fallback }),
    architecture,
    scales,
    warnings,
    ...(assumption !== undefined && { assumption }),
  };
}

/** Describes a network in one line: resnet, block bottleneck, depths 3 4 6 3, … */
export function describeArchitecture({ family, ...facts }: Architecture): string {
  const told = Object.entries(facts).filter(([, value]) => `${value}` !== '');
  const words = told.map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(' ') : String(value);
    return `${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${text}`;
  });
  return [family, ...words].join(', ');
}

function statisticsOf({ data, shape }: SaliencyMap): Omit<ScaleStatistics, 'name'> {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const value of data) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { shape, min, max, mean: sum / data.length };
}

/** Rounded to the microsecond: clocks are not more exact. */
function roundAll<T extends Readonly<Record<string, number>>>(ms: T): T {
  return Object.fromEntries(
    Object.entries(ms).map(([name, value]) => [name, Math.round(value * 1000) / 1000]),
  ) as T;
}
