// The picture for timing an ONNX file: noise, the same in every process.

/**
 * The input of a file. If the file fixes no size, `size` is used.
 *
 * @param shape numbers, and names of free dimensions
 * @returns `shape` in numbers, one picture; `layout`: NCHW, or NHWC where the channels are last
 */
export function inputOf({ shape, type }, size) {
  const [, a, , d] = shape;
  const isLast = [1, 3, 4].includes(d) && !(typeof a === 'number' && a <= 4 && a > 0);
  const layout = isLast ? 'NHWC' : 'NCHW';
  const usual = { N: 1, C: 3, H: size, W: size };
  const dims = [...layout].map((axis, i) => {
    if (axis === 'N') return 1;
    return typeof shape[i] === 'number' && shape[i] > 0 ? shape[i] : usual[axis];
  });
  return { shape: dims, layout, type };
}

/** Channel by channel, in [−1, 1]; bytes if the file takes bytes. */
export function pictureOf({ shape, layout, type }) {
  const [C, H, W] = layout === 'NHWC' ? [shape[3], shape[1], shape[2]] : shape.slice(1);
  const planes = new Float32Array(C * H * W);
  const isBytes = type === 'uint8';
  for (let i = 0; i < planes.length; i++) {
    planes[i] = isBytes ? Math.round(127.5 + 127.5 * Math.sin(i)) : Math.sin(i);
  }
  return { planes, C, H, W };
}

/** The picture in the file's layout and type. */
export function asInput({ planes, C, H, W }, { shape, layout, type }) {
  const pixels = H * W;
  const at = (i) => (i % C) * pixels + Math.floor(i / C);
  const values = layout === 'NHWC' ? planes.map((_, i) => planes[at(i)]) : planes;
  const kinds = { float32: Float32Array, uint8: Uint8Array, float16: globalThis.Float16Array };
  return { data: kinds[type].from(values), shape, type };
}
