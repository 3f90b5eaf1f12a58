/** Generated pictures of five shapes, which a small network can learn to tell apart. */

import { uniformGenerator } from '../../src/math/normal-generator.js';
import type { Examples } from '../../src/train/index.js';

export const SHAPES = ['disk', 'square', 'triangle', 'cross', 'ring'] as const;

/** Whether a point is inside a shape; x and y from −1 to 1. */
const INSIDE: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => x * x + y * y < 1,
  (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.85,
  (x, y) => y < 0.8 && Math.abs(x) < (y + 1) / 2,
  (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.3 && Math.max(Math.abs(x), Math.abs(y)) < 1,
  (x, y) => x * x + y * y < 1 && x * x + y * y > 0.35,
];

export interface ShapeExamples extends Examples {
  /** [length, side, side, 3] */
  readonly pictures: Float32Array;
  /** The box around each shape, [left, top, right, bottom], in pixels. */
  readonly boxes: readonly (readonly [number, number, number, number])[];
}

/** `length` pictures of side × side; the shapes in turns, each somewhere on a noisy ground. */
export function shapeExamples(length: number, side: number, seed: number): ShapeExamples {
  const random = uniformGenerator(seed);
  const area = side * side * 3;
  const pictures = new Float32Array(length * area);
  const boxes: [number, number, number, number][] = [];
  for (let n = 0; n < length; n++) {
    const inside = INSIDE[n % SHAPES.length]!;
    const radius = side * (0.2 + 0.12 * random());
    const [cx, cy] = [0, 1].map(() => radius + (side - 2 * radius) * random()) as [number, number];
    const color = [0, 1, 2].map(() => 0.6 + 1.2 * random());
    boxes.push([cx - radius, cy - radius, cx + radius, cy + radius]);
    for (let i = 0; i < area; i++) {
      const [c, p] = [i % 3, Math.floor(i / 3)];
      const [x, y] = [p % side, Math.floor(p / side)];
      const isShape = inside((x + 0.5 - cx) / radius, (y + 0.5 - cy) / radius);
      pictures[n * area + i] = (isShape ? color[c]! : -0.8) + 0.6 * (random() - 0.5);
    }
  }
  return {
    ...{ length, pictures, boxes },
    read: (out, i) => out.set(pictures.subarray(i * area, (i + 1) * area)),
    target: (i) => i % SHAPES.length,
  };
}
