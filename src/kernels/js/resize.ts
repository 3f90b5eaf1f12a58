/**
 * Enlarges and shrinks maps, NHWC, as ONNX's Resize (opset 13) defines it. Along each axis, output index i has the
 * input coordinate
 *
 *   half_pixel           (i + ½)/scale − ½
 *   pytorch_half_pixel   likewise; 0 where the output has extent 1
 *   asymmetric           i/scale
 *   align_corners        i·(n − 1)/(nOut − 1); 0 where the output has extent 1
 *
 * It reads the nearest element, or the two neighbours with the weights 1 − t and t. Beyond an end it reads the last
 * element. Shrinking does not smooth first. Weights and sums are doubles, rounded once.
 */

export type ResizeCoordinates =
  | 'half_pixel'
  | 'pytorch_half_pixel'
  | 'align_corners'
  | 'asymmetric';

/** Which element is the nearest: the lower or the upper one at exactly half way, or always the lower or the upper. */
export type NearestRounding = 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil';

/** One axis: from `n` elements to `nOut`. */
export interface ResizedAxis {
  readonly n: number;
  readonly nOut: number;
  /** nOut/n, or the scale that the network states. */
  readonly scale: number;
  readonly coordinates: ResizeCoordinates;
}

/** What each output index reads: two indices along the axis, and their weights. */
export interface AxisTaps {
  readonly places: Int32Array;
  readonly weights: Float64Array;
}

/** @param round applied to each intermediate result */
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
 * The nearest input index for each output index. Coordinates are float32 here, as in other runtimes: a scale of 0.6 is
 * 0.60000002 in a file, and a coordinate that is whole in float32 would be just below it in doubles.
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
  const places = new Int32Array(axis.nOut * 2);
  const weights = new Float64Array(axis.nOut * 2);
  for (let i = 0; i < axis.nOut; i++) {
    const coordinate = coordinateOf(axis, i, (x) => x);
    const below = Math.floor(coordinate);
    places[2 * i] = clamped(below, axis.n);
    places[2 * i + 1] = clamped(below + 1, axis.n);
    weights[2 * i] = 1 - (coordinate - below);
    weights[2 * i + 1] = coordinate - below;
  }
  return { places, weights };
}

function clamped(place: number, n: number): number {
  return Math.min(Math.max(place, 0), n - 1);
}

/**
 * The weighted sum of two rows and two columns.
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
  const Hout = rows.places.length / 2;
  const Wout = columns.places.length / 2;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const upper = (n * H + rows.places[2 * oy]!) * W;
      const lower = (n * H + rows.places[2 * oy + 1]!) * W;
      const top = rows.weights[2 * oy]!;
      const bottom = rows.weights[2 * oy + 1]!;
      for (let ox = 0; ox < Wout; ox++) {
        const left = columns.places[2 * ox]!;
        const right = columns.places[2 * ox + 1]!;
        const first = columns.weights[2 * ox]!;
        const second = columns.weights[2 * ox + 1]!;
        const topLeft = (upper + left) * C;
        const topRight = (upper + right) * C;
        const bottomLeft = (lower + left) * C;
        const bottomRight = (lower + right) * C;
        const o = ((n * Hout + oy) * Wout + ox) * C;
        for (let c = 0; c < C; c++) {
          out[o + c] =
            top * (first * x[topLeft + c]! + second * x[topRight + c]!) +
            bottom * (first * x[bottomLeft + c]! + second * x[bottomRight + c]!);
        }
      }
    }
  }
}
