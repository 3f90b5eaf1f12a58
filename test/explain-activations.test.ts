/** Activations of another library are explained like the network's own. These tests pass the network's own. */

import { readFileSync } from 'node:fs';
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  type ActivationOptions,
  type Activations,
  type ActivationTap,
  explainActivations,
} from '../src/explain-activations.js';
import {
  type ExplainingNetwork,
  type Explanation,
  type FloatTensor,
  jsKernels,
  type Kernels,
  loadNetwork,
  makeKernels,
  type Picture,
  ShapeError,
  type Statistic,
} from '../src/index.js';
import { isConv2d, STATISTICS, type Step } from '../src/kernels/index.js';
import { CAM_METHODS } from '../src/methods/index.js';
import { hashImage } from './hash-weights.js';

const bytes = readFileSync(new URL('../models/tiny-resnet50.safetensors', import.meta.url));
const STATISTIC_NAMES = Object.keys(STATISTICS) as Statistic[];
const BEHIND_RELU = STATISTIC_NAMES.filter((name) => !STATISTICS[name].preActivation);
const IMAGE: FloatTensor = { data: hashImage(1, 3 * 64 * 96), shape: [1, 3, 64, 96] };
const PICTURE: Picture = {
  ...{ width: 90, height: 61 },
  data: Uint8Array.from({ length: 4 * 90 * 61 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 251)),
};

/** A network that keeps, of each pass, the values that it measured, NHWC, without their extents. */
async function tapped(
  kernels: Kernels,
): Promise<{ net: ExplainingNetwork; values: Float32Array[] }> {
  const values: Float32Array[] = [];
  const bind: Kernels['bind'] = (steps, buffers, weights) => {
    const program = kernels.bind(steps, buffers, weights);
    const run = (): void => {
      values.length = 0;
      for (const [i, step] of steps.entries()) {
        program.runStep(i);
        const value = measuredBy(step);
        if (value !== undefined) values.push(program.buffer(value).slice());
      }
    };
    return {
      bytes: program.bytes,
      buffer: (index) => program.buffer(index),
      run,
      runStep: (index) => program.runStep(index),
      algorithm: (index) => program.algorithm(index),
      release: () => program.release(),
    };
  };
  const spying: Kernels = Object.assign(Object.create(kernels), { bind });
  for (const name of ['reserve', 'packConv2d', 'packVectors', 'release', 'packedBytes'] as const) {
    Object.assign(spying, { [name]: (kernels[name] as () => unknown).bind(kernels) });
  }
  Object.assign(spying, { programBytes: kernels.programBytes });
  return { net: await loadNetwork(bytes, { kernels: spying }), values };
}

/** The buffer that a step takes a statistic of. */
function measuredBy(step: Step): number | undefined {
  if (isConv2d(step)) return step.smoe === undefined ? undefined : step.out;
  return step.op in STATISTICS ? step.inputs[0] : undefined;
}

/** What another runtime would give, of the pass that made `e`. */
function activationsOf(net: ExplainingNetwork, e: Explanation, values: Float32Array[]) {
  const taps = values.map((data, i): ActivationTap => {
    const [H, W] = e.rawMaps[i]!.shape as [number, number];
    return {
      data,
      shape: [1, H, W, data.length / (H * W)],
      layout: 'nhwc',
      name: e.scaleNames[i]!,
    };
  });
  const features = taps.at(-1)!;
  const C = features.shape[3]!;
  const data = new Float32Array(net.labels.length * C);
  net.labels.forEach((_, i) => {
    net.classWeights(data.subarray(i * C, (i + 1) * C), i);
  });
  const { logits, region, width, height } = e;
  return {
    ...{ taps, features, logits, region, picture: { width, height } },
    classWeights: { data, shape: [net.labels.length, C], rows: 'classes' as const },
  };
}

/** The same in the other layout. */
function channelsFirst({ shape, data, ...rest }: ActivationTap): ActivationTap {
  const [C, H, W] = [shape.at(-1)!, shape.at(-3)!, shape.at(-2)!];
  const planes = Float32Array.from(
    data,
    (_, i) => data[(i % (H * W)) * C + Math.floor(i / (H * W))]!,
  );
  return { ...rest, data: planes, shape: [C, H, W], layout: 'nchw' };
}

const mapsOf = (e: Explanation) => ({
  raw: e.rawMaps,
  scales: e.scaleMaps,
  combined: e.combinedMap,
  lovi: e.lovi(),
  names: e.scaleNames,
});
const classMapsOf = ({ camMap, fastcamMap, nonClassMap, target }: Explanation) => ({
  ...{ camMap, fastcamMap, nonClassMap, target },
});

const { net, values } = await tapped(jsKernels());

describe('explainActivations of the network’s own activations', () => {
  it.each(BEHIND_RELU)(
    'gives the maps of explain, bit for bit, of both layouts: %s',
    (statistic) => {
      const e = net.explain(IMAGE, { statistic });
      const given = activationsOf(net, e, values);
      const nchw = { ...given, taps: given.taps.map(channelsFirst) };
      expect(mapsOf(explainActivations(given, { statistic }))).toEqual(mapsOf(e));
      expect(mapsOf(explainActivations(nchw, { statistic }))).toEqual(mapsOf(e));
    },
  );

  it.each(CAM_METHODS)(
    'gives its class activation maps, of any class and both orders: %s',
    (cam) => {
      const e = net.explain(IMAGE, { cam });
      const given = activationsOf(net, e, values);
      const ours = explainActivations(given, { cam, labels: net.labels });
      expect(classMapsOf(ours)).toEqual(classMapsOf(e));
      expect(ours.top(5)).toEqual(e.top(5));
      expect(ours.classMaps(7)).toEqual(e.classMaps(7));
      const transposed = channelsFirst({
        ...{ data: given.classWeights.data, layout: 'nhwc' },
        shape: [given.classWeights.shape[0]!, 1, given.classWeights.shape[1]!],
      });
      const classWeights = {
        data: transposed.data,
        shape: transposed.shape.slice(0, 2),
        rows: 'channels' as const,
      };
      const features = channelsFirst(given.features);
      const target = e.top(2)[1]!.index;
      expect(
        classMapsOf(explainActivations({ ...given, features, classWeights }, { cam, target })),
      ).toEqual(classMapsOf(net.explain(IMAGE, { cam, target })));
    },
  );

  it('makes a class activation map by default where it can, and only there', () => {
    const given = activationsOf(net, net.explain(IMAGE), values);
    expect(explainActivations(given).cam).toBe('gradcam++');
    const { taps, logits } = given;
    const bare = explainActivations({ taps, logits });
    expect(bare.cam).toBe('none');
    expect(bare.top(1)[0]!.index).toBe(given.logits.indexOf(Math.max(...given.logits)));
    expect(() => bare.camMap).toThrow('cam expected classWeights and features');
    expect(explainActivations({ taps }).top(3)).toEqual([]);
    expect(explainActivations({ taps }).target).toBeUndefined();
  });

  it.each(['whole', 'crop', 'stretch'] as const)(
    'takes picture and region into account: %s',
    (fit) => {
      const e = net.explain(PICTURE, { fit, size: 64 });
      const ours = explainActivations(activationsOf(net, e, values));
      expect(mapsOf(ours)).toEqual(mapsOf(e));
      expect(classMapsOf(ours)).toEqual(classMapsOf(e));
      expect([ours.width, ours.height, ours.region]).toEqual([90, 61, e.region]);
    },
  );

  it('takes any number of taps, with the options of explain', () => {
    const names = net.scales;
    for (let count = 1; count <= names.length; count++) {
      const taps = names.slice(-count);
      const options = { normalizer: 'range', scaleWeights: 'ramp', cam: 'none' } as const;
      const e = net.explain(IMAGE, { ...options, taps });
      const { logits, classWeights, features, ...given } = activationsOf(net, e, values);
      expect(mapsOf(explainActivations(given, options))).toEqual(mapsOf(e));
    }
    const scales = names.map((_, i) => ({ gaussian: { mean: 0.1 * i, sd: 0.5 + i } }));
    const calibration = { statistic: 'smoe', scales } as const;
    const e = net.explain(IMAGE, { calibration });
    expect(mapsOf(explainActivations(activationsOf(net, e, values), { calibration }))).toEqual(
      mapsOf(e),
    );
  });

  it('uses the backend’s own kernels, and gives the same maps as the network', async () => {
    const kernels = await makeKernels('simd');
    const simd = await tapped(kernels);
    for (const statistic of ['smoe', 'gamma', 'sd'] as const) {
      const e = simd.net.explain(IMAGE, { statistic });
      const given = activationsOf(simd.net, e, simd.values);
      const ours = explainActivations(given, { statistic, kernels });
      expect(mapsOf(ours)).toEqual(mapsOf(e));
      expect(classMapsOf(ours)).toEqual(classMapsOf(e));
    }
  });

  it('counts the operations of SMOE Scale only, not those of the network', () => {
    const e = net.explain(IMAGE);
    const { ops, bytes: used } = explainActivations(activationsOf(net, e, values)).cost;
    expect(ops).toEqual({ ...e.cost.ops, network: 0 });
    expect(used).toEqual({ weights: 0, arena: 0, maps: e.cost.bytes.maps });
  });
});

/** Columns of a tap, negative ones too. */
const tapValues = fc
  .tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 9 }),
  )
  .chain(([H, W, C]) =>
    fc.record({
      data: fc.float32Array({
        ...{ minLength: H * W * C, maxLength: H * W * C, min: -8, max: 8, noNaN: true },
      }),
      shape: fc.constant([H, W, C]),
      layout: fc.constant('nhwc' as const),
    }),
  );
const anyTaps = fc.array(tapValues, { minLength: 1, maxLength: 4 });

describe('explainActivations', () => {
  property.prop([anyTaps, fc.constantFrom(...BEHIND_RELU)])(
    'gives the same for NHWC and NCHW',
    (taps, statistic) => {
      const picture = { width: 7, height: 5 };
      const given = { taps, picture };
      const first = explainActivations({ ...given, taps: taps.map(channelsFirst) }, { statistic });
      const last = explainActivations(given, { statistic });
      expect(mapsOf(first)).toEqual(mapsOf(last));
    },
  );

  property.prop([anyTaps])('reads values below 0 as 0, and changes nothing', (taps) => {
    const before = structuredClone(taps);
    const clamped = taps.map((tap) => ({ ...tap, data: tap.data.map((v) => Math.max(v, 0)) }));
    expect(mapsOf(explainActivations({ taps }))).toEqual(
      mapsOf(explainActivations({ taps: clamped })),
    );
    expect(taps).toEqual(before);
  });

  property.prop([anyTaps])('takes the size of the first tap where there is no picture', (taps) => {
    const [height, width] = taps[0]!.shape as readonly number[];
    const e = explainActivations({ taps });
    expect(e.combinedMap.shape).toEqual([height, width]);
    expect(e.scaleNames).toEqual(taps.map((_, i) => `taps[${i}]`));
  });

  it('copies features and logits', () => {
    const taps = [tapOf([2, 2, 3])];
    const e = explainActivations({ ...fitting(), taps });
    const before = [e.logits.slice(), e.classMaps(1, 'gradcam').camMap];
    const given = fitting();
    const changed = explainActivations({ ...given, taps });
    given.features.data.fill(0);
    given.logits.fill(0);
    expect([changed.logits, changed.classMaps(1, 'gradcam').camMap]).toEqual(before);
  });

  it('has probabilities by softmax, with their logarithms, or by sigmoid', () => {
    const { taps, logits } = fitting();
    const soft = explainActivations({ taps, logits });
    const probabilities = soft.top(2).map(({ probability }) => probability);
    expect(probabilities[0]! + probabilities[1]!).toBeCloseTo(1, 12);
    const logarithms = probabilities.map(Math.log);
    const again = explainActivations({ taps, logits: logarithms }, { labels: ['cat', 'dog'] });
    again.top(2).forEach(({ probability, label }, i) => {
      // A logarithm is rounded to float32: below 8, by 2^-22 at most.
      expect(Math.abs(probability - probabilities[i]!)).toBeLessThanOrEqual(2 ** -22);
      expect(label).toBe(['cat', 'dog'][i]);
    });
    const [best] = explainActivations({ taps, logits }, { activation: 'sigmoid' }).top(1);
    expect(best!.probability).toBe(1 / (1 + Math.exp(-best!.logit)));
  });
});

function tapOf(shape: readonly number[], layout: ActivationTap['layout'] = 'nhwc') {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return { data: Float32Array.from({ length }, (_, i) => (i * 7) % 5), shape, layout };
}

/** Two classes of three channels. */
function fitting() {
  return {
    taps: [tapOf([4, 4, 2]), tapOf([2, 2, 3])],
    features: tapOf([2, 2, 3]),
    classWeights: {
      data: Float32Array.of(1, 0, 2, 0, 1, 1),
      shape: [2, 3],
      rows: 'classes' as const,
    },
    logits: Float32Array.of(2, 1),
  };
}

const withNaN = { ...tapOf([2, 2, 3]), data: new Float32Array(12).fill(Number.NaN, 5, 6) };
const refused: readonly [string, object, object, RegExp][] = [
  ['no tap', { taps: [] }, {}, /taps expected at least 1, got 0/],
  [
    'a batch',
    { taps: [tapOf([2, 4, 4, 2])] },
    {},
    /taps\[0\] expected one picture, nhwc, .* got \[2,4,4,2\]/,
  ],
  [
    'a vector',
    { taps: [tapOf([4, 4, 2]), tapOf([8])] },
    {},
    /taps\[1\] expected one picture, .* got \[8\]/,
  ],
  [
    'another length',
    { taps: [{ ...tapOf([4, 4, 2]), shape: [4, 4, 3] }] },
    {},
    /got \[4,4,3\] with 32/,
  ],
  [
    'extents below 1',
    { taps: [{ ...tapOf([4, 4, 2]), shape: [-4, -4, 2] }] },
    {},
    /got \[-4,-4,2\]/,
  ],
  ['an empty tap', { taps: [tapOf([0, 4, 2])] }, {}, /got \[0,4,2\]/],
  [
    'a layout',
    { taps: [tapOf([4, 4, 2], 'NHWC' as 'nhwc')] },
    {},
    /taps\[0\]\.layout: expected nhwc, nchw, got NHWC/,
  ],
  ['NaN', { taps: [tapOf([4, 4, 2]), withNaN] }, {}, /taps\[1\] has NaN at element 5/],
  ['NaN in features', { features: withNaN }, {}, /features has NaN at element 5/],
  [
    'infinite logits',
    { logits: [1, Number.POSITIVE_INFINITY] },
    {},
    /logits has Infinity at element 1/,
  ],
  [
    'weights with their axes mixed up',
    { classWeights: { ...fitting().classWeights, rows: 'channels' } },
    {},
    /classWeights expected 2×3, classes by channels of the features, got 3×2/,
  ],
  ['weights without features', { features: undefined }, {}, /classWeights expected 2×0/],
  ['weights without logits', { logits: undefined }, {}, /classWeights expected 0×3/],
  [
    'rows',
    { classWeights: { ...fitting().classWeights, rows: 'both' } },
    {},
    /classWeights\.rows: expected classes, channels, got both/,
  ],
  [
    'a class activation map of nothing',
    { classWeights: undefined },
    { cam: 'gradcam' },
    /cam expected classWeights and features/,
  ],
  ['labels that do not fit', {}, { labels: ['cat'] }, /labels expected 2, got 1/],
  ['a class', {}, { target: 2 }, /target: expected a class index 0…1, got 2/],
  ['a statistic', {}, { statistic: 'variance' }, /statistic: expected smoe, .* got variance/],
  ['weights of scales', {}, { scaleWeights: 'prior' }, /scaleWeights: expected 2 weights/],
  [
    'a calibration',
    {},
    { calibration: { statistic: 'smoe', scales: [] } },
    /calibration: scales expected 2/,
  ],
];

describe('explainActivations refuses', () => {
  it.each(refused)('%s', (_, given, options, message) => {
    const act = () =>
      explainActivations({ ...fitting(), ...given } as Activations, options as ActivationOptions);
    expect(act).toThrow(ShapeError);
    expect(act).toThrow(message);
  });

  it.each(STATISTIC_NAMES.filter((name) => STATISTICS[name].preActivation))('%s', (statistic) => {
    expect(() => explainActivations(fitting(), { statistic })).toThrow(
      `statistic expected one measured behind a ReLU, got ${statistic}`,
    );
  });

  const other = { Float64Array, Uint16Array, Array };
  it.each(Object.keys(other) as (keyof typeof other)[])('data that is a %s', (kind) => {
    const data = new other[kind](32).fill(0);
    const taps = [{ ...tapOf([4, 4, 2]), data: data as unknown as Float32Array }];
    const act = () => explainActivations({ taps });
    expect(act).toThrow(TypeError);
    expect(act).toThrow('explainActivations: taps[0] expected a Float32Array');
  });
});
