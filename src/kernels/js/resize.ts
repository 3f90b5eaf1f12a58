/**
 * Enlarging and shrinking maps, NHWC, as ONNX's Resize (opset 13) defines it. Along each axis output index i reads
 * around the coordinate
 *
 *   half_pixel           (i + ½)/scale − ½
 *   pytorch_half_pixel   likewise; 0 where the output has extent 1
 *   asymmetric           i/scale
 *   align_corners        i·(n − 1)/(nOut − 1); 0 where the output has extent 1
 *
 * the nearest element, or two with the weights 1 − t and t, or four with those of cubic convolution (Keys 1981, IEEE
 * TASSP 29, eq. 4, with a free coefficient). Elements beyond an end are that end. Nothing is smoothed before it is
 * shrunk. Weights and sums are doubles, rounded once.
 */

export type ResizeCoordinates =
  | 'half_pixel'
  | 'pytorch_half_pixel'
  | 'align_corners'
  | 'asymmetric';

/** Which element is the nearest: at half the way the lower, at half the way the upper, or always one of them. */
export type NearestRounding = 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil';

/** One axis: from `n` elements to `nOut`. */
export interface ResizedAxis {
  readonly n: number;
  readonly nOut: number;
  /** nOut/n, or what the network says that it is. */
  readonly scale: number;
  readonly coordinates: ResizeCoordinates;
}

/** What each output index reads: `taps` places of the axis, and their weights. */
export interface AxisTaps {
  readonly taps: number;
  readonly places: Int32Array;
  readonly weights: Float64Array;
}

/** @param round of each result on the way */
function coordinateOf(
  { n, nOut, scale, coordinates }: ResizedAxis,
  index: number,
  round: (x: number) => number,
): number {
  if (coordinates === 'asymmetric') return round(index / round(scale));
  if (coordinates === 'align_corners')
    return nOut === 1 ? 0 : round((index * (n - 1)) / (nOut - 1));
  if (coordinates === 'pytorch_half_pixel' && nOut === 1) return 0;
  return round(round((index + 0.5) / round(scale)) - 0.5);
}

/**
 * The nearest place for each output index. Coordinates are float32 here: a scale of 0.6 is 0.60000002 in a file, and
 * what runtimes round to a whole coordinate would be just below it in doubles.
 */
export function nearestPlaces(axis: ResizedAxis, rounding: NearestRounding): Int32Array {
  const round = ROUNDINGS[rounding];
  return Int32Array.from({ length: axis.nOut }, (_, i) =>
    clamped(round(coordinateOf(axis, i, Math.fround)), axis.n),
  );
}

const ROUNDINGS: Readonly<Record<NearestRounding, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

export function linearTaps(axis: ResizedAxis): AxisTaps {
  return tapsOf(axis, 0, (t) => [1 - t, t], false);
}

/**
 * @param coefficient the slope of the weights at distance 1: −0.75, or −0.5 as Keys has it
 * @param excludeOutside whether elements beyond an end count nothing, and the others so much more
 */
export function cubicTaps(
  axis: ResizedAxis,
  coefficient: number,
  excludeOutside: boolean,
): AxisTaps {
  const a = coefficient;
  const near = (t: number): number => ((a + 2) * t - (a + 3)) * t * t + 1;
  const far = (t: number): number => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return tapsOf(axis, 1, (t) => [far(1 + t), near(t), near(1 - t), far(2 - t)], excludeOutside);
}

/** @param before places before the one at or below the coordinate */
function tapsOf(
  axis: ResizedAxis,
  before: number,
  weightsAt: (t: number) => readonly number[],
  excludeOutside: boolean,
): AxisTaps {
  const taps = 2 * (before + 1);
  const places = new Int32Array(axis.nOut * taps);
  const weights = new Float64Array(axis.nOut * taps);
  for (let i = 0; i < axis.nOut; i++) {
    const coordinate = coordinateOf(axis, i, (x) => x);
    const below = Math.floor(coordinate);
    const own = weightsAt(coordinate - below).map((weight, k) => {
      const place = below - before + k;
      return excludeOutside && place !== clamped(place, axis.n) ? 0 : weight;
    });
    const sum = excludeOutside ? own.reduce((all, weight) => all + weight, 0) : 1;
    for (let k = 0; k < taps; k++) {
      places[i * taps + k] = clamped(below - before + k, axis.n);
      weights[i * taps + k] = own[k]! / sum;
    }
  }
  return { taps, places, weights };
}

function clamped(place: number, n: number): number {
  return Math.min(Math.max(place, 0), n - 1);
}

/**
 * The weighted sum of rows and columns; as many taps along both.
 *
 * @param out [N, Hout, Wout, C], overwritten; not `x`
 * @param x [N, H, W, C]
 */
export function resize(
  out: Float32Array,
  x: Float32Array,
  [N, H, W, C]: readonly [number, number, number, number],
  rows: AxisTaps,
  columns: AxisTaps,
): void {
  const { taps } = rows;
  const Hout = rows.places.length / taps;
  const Wout = columns.places.length / taps;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      for (let ox = 0; ox < Wout; ox++) {
        const o = ((n * Hout + oy) * Wout + ox) * C;
        if (taps === 2) linearColumn(out, o, x, n * H, W, C, rows, 2 * oy, columns, 2 * ox);
        else weightedColumn(out, o, x, n * H, W, C, rows, taps * oy, columns, taps * ox);
      }
    }
  }
}

/** One pixel of any number of taps, those of its row from `r` on and those of its column from `s` on. */
function weightedColumn(
  out: Float32Array,
  o: number,
  x: Float32Array,
  rowBase: number,
  W: number,
  C: number,
  rows: AxisTaps,
  r: number,
  columns: AxisTaps,
  s: number,
): void {
  const { taps } = rows;
  for (let c = 0; c < C; c++) {
    let sum = 0;
    for (let i = r; i < r + taps; i++) {
      const base = (rowBase + rows.places[i]!) * W;
      let along = 0;
      for (let j = s; j < s + taps; j++) {
        along += columns.weights[j]! * x[(base + columns.places[j]!) * C + c]!;
      }
      sum += rows.weights[i]! * along;
    }
    out[o + c] = sum;
  }
}

/** `weightedColumn` of two taps, without its loops. */
function linearColumn(
  out: Float32Array,
  o: number,
  x: Float32Array,
  rowBase: number,
  W: number,
  C: number,
  rows: AxisTaps,
  r: number,
  columns: AxisTaps,
  s: number,
): void {
  const upper = (rowBase + rows.places[r]!) * W;
  const lower = (rowBase + rows.places[r + 1]!) * W;
  const left = columns.places[s]!;
  const right = columns.places[s + 1]!;
  const topLeft = (upper + left) * C;
  const topRight = (upper + right) * C;
  const bottomLeft = (lower + left) * C;
  const bottomRight = (lower + right) * C;
  const top = rows.weights[r]!;
  const bottom = rows.weights[r + 1]!;
  const first = columns.weights[s]!;
  const second = columns.weights[s + 1]!;
  for (let c = 0; c < C; c++) {
    out[o + c] =
      top * (first * x[topLeft + c]! + second * x[topRight + c]!) +
      bottom * (first * x[bottomLeft + c]! + second * x[bottomRight + c]!);
  }
}
