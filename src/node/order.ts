/**
 * How similarly SMOE Scale and the other statistics rank the pixels of a picture, scale by scale. The first
 * of them is the full Gamma scale, which SMOE Scale approximates. docs/order-equivalence.md says what to
 * expect.
 */

import { join } from 'node:path';
import { kendallTau, sameMaximum, spearmanRho, topOverlap } from '../evaluate/map-order.js';
import { runPicture } from '../explain.js';
import type { Region } from '../image/picture.js';
import { STATISTICS, type Statistic } from '../kernels/index.js';
import { type Fit, overWhite } from '../model/index.js';
import { makeFolder } from './folders.js';
import { bundledModel, type Model } from './model-file.js';
import { readPicture } from './pictures/decode.js';
import type { DecodeOptions } from './pictures/format.js';
import { describeModel, type ReportedModel } from './report.js';
import { VERSION } from './version.js';
import { writeWhole } from './written-file.js';

export interface OrderOptions extends DecodeOptions {
  /** Default: the bundled model. */
  readonly model?: Model;
  /** Default `whole`. */
  readonly fit?: Fit;
  /** Short side of the input; default the size that the model was trained at. */
  readonly size?: number;
  /** The folder for report.json, created if necessary. Without it nothing is written. */
  readonly out?: string;
}

/** How similarly two maps rank their pixels. */
export interface OrderAgreement {
  /** Kendall's τ-b. */
  readonly tau: number;
  /** Spearman's ρ. */
  readonly rho: number;
  /** The share that the most salient tenths of both maps have in common. */
  readonly topOverlap: number;
  /** Whether the most salient pixel is the same. */
  readonly sameMaximum: boolean;
}

/** SMOE Scale against one other statistic. */
export interface OrderComparison {
  readonly statistic: Statistic;
  /** One for each scale, first to last. */
  readonly scales: readonly OrderAgreement[];
}

export interface OrderReport {
  readonly version: string;
  readonly input: {
    readonly path: string;
    readonly width: number;
    readonly height: number;
    /** The part of the picture that the network saw, in its pixels. */
    readonly region: Region;
    /** [H, W] of the network's input. */
    readonly networkInput: readonly number[];
  };
  readonly model: ReportedModel;
  /** The compared maps, first to last: `relu`, `layer1` …, and their [h, w]. */
  readonly scales: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** The full Gamma scale first. */
  readonly order: readonly OrderComparison[];
}

/** The part of the pixels that counts as the top. */
const TOP = 0.1;

const OTHERS = (Object.keys(STATISTICS) as Statistic[]).filter((name) => name !== 'smoe');

/**
 * Compares how SMOE Scale and each other statistic rank a picture's pixels, from one
 * forward pass.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option out of range
 */
export async function orderFile(path: string, options: OrderOptions = {}): Promise<OrderReport> {
  const { model = await bundledModel(), out, sampleRange: _range, ...fitting } = options;
  const picture = overWhite(await readPicture(path, options));
  const statistic: readonly Statistic[] = ['smoe', ...OTHERS];
  const { forward, region } = runPicture(model.net, picture, { ...fitting, statistic });
  const { plan, maps } = forward;
  const scalesOf = (name: Statistic): Float32Array[] =>
    maps.filter((_, i) => plan.taps[i]!.statistic === name);
  const smoe = scalesOf('smoe');
  const report: OrderReport = {
    version: VERSION,
    input: {
      path,
      width: picture.width,
      height: picture.height,
      region,
      networkInput: [plan.H, plan.W],
    },
    model: describeModel(model),
    scales: plan.taps
      .filter((tap) => tap.statistic === 'smoe')
      .map(({ name, H, W }) => ({ name, shape: [H, W] })),
    order: OTHERS.map((name) => ({
      statistic: name,
      scales: scalesOf(name).map((map, s) => agreementOf(smoe[s]!, map)),
    })),
  };
  if (out !== undefined) {
    await makeFolder(out);
    await writeWhole(join(out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  }
  return report;
}

function agreementOf(a: Float32Array, b: Float32Array): OrderAgreement {
  return {
    tau: kendallTau(a, b),
    rho: spearmanRho(a, b),
    topOverlap: topOverlap(a, b, TOP),
    sameMaximum: sameMaximum(a, b),
  };
}
