import fc from 'fast-check';
import { expect } from 'vitest';

// One seed for every property, so that CI is repeatable; FC_SEED explores others. It is printed by a failing run.
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 19111293) });

// Vitest compares typed arrays element by element, as any iterable, which takes a second for a picture. Arrays with
// the same bytes are equal; the others are left to it, for its message.
expect.addEqualityTesters([
  (a: unknown, b: unknown) => {
    if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return undefined;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return undefined;
    return bytesOf(a).equals(bytesOf(b)) || undefined;
  },
]);

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
