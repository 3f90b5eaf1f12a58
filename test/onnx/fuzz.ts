/**
 * Damaged ONNX files by the thousand: bytes set and cut; fields removed, doubled, moved; whole numbers made huge,
 * negative or 0; names exchanged, so that nodes read what is made after them. Each must end in a FormatError or a
 * ShapeError, or in a network with a plan; in bounded time and memory.
 */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FormatError, ShapeError } from '../../src/errors.js';
import { jsKernels } from '../../src/kernels/index.js';
import { loadNetwork } from '../../src/onnx.js';
import { cpuMs } from '../cpu-time.js';
import { bytesOf, type Field, fieldsOf, messagesOf } from './wire.js';

/** Of the processor. One case takes a millisecond or two, without a pause of the garbage collector. */
const MAX_CASE_MS = 3000;
/** The files have a few kilobytes, and loading has a budget; the rest of the memory is the engine's. */
const MAX_GROWTH_BYTES = 600e6;
const BUDGET_BYTES = 64e6;

const CASES: readonly { name: string; file: string }[] = JSON.parse(
  readFileSync(new URL('../goldens/onnx-cases.json', import.meta.url), 'utf8'),
);
/** Every third: networks of all kinds, some of which are refused as they are. */
const FILES = CASES.filter((_, i) => i % 3 === 0).map(({ file }) => Buffer.from(file, 'base64'));

const EXTERNAL = { location: 1, value: 2 };

/** A file whose first initializer of floats is in another file, with the given path. */
function external(file: Uint8Array, location: string, extra: readonly [string, string][]): Field[] {
  const model = fieldsOf(file);
  const graph = model.find(({ id }) => id === 7)!.value as Field[];
  const tensor = graph.find(({ id }) => id === 5)!.value as Field[];
  const text = (value: string) => Buffer.from(value);
  const entries = [['location', location], ...extra].map(([key, value]): Field => {
    const pair: Field[] = [
      { id: EXTERNAL.location, wire: 2, value: text(key!) },
      { id: EXTERNAL.value, wire: 2, value: text(value!) },
    ];
    return { id: 13, wire: 2, value: pair };
  });
  const kept = tensor.filter(({ id }) => id !== 9);
  tensor.splice(0, tensor.length, ...kept, ...entries, { id: 14, wire: 0, value: 1n });
  return model;
}

const LOCATIONS = [
  'weights.bin',
  '../weights.bin',
  '/etc/passwd',
  'a/../../b',
  '',
  'C:\\x',
  'a\0b',
];
const OFFSETS = ['0', '4', '-1', '1e9', '9007199254740993', '18446744073709551615', 'x', ''];

const NUMBERS = [
  0n,
  1n,
  2n,
  7n,
  -1n,
  255n,
  65535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
].concat([2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)]);

interface Mutation {
  readonly kind:
    | 'number'
    | 'name'
    | 'remove'
    | 'double'
    | 'move'
    | 'bytes'
    | 'cut'
    | 'id'
    | 'raw'
    | 'end';
  readonly at: number;
  readonly to: number;
  readonly value: number;
}

const MUTATIONS: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...(['number', 'number', 'number', 'name', 'name', 'remove', 'double', 'move'] as const),
      ...(['bytes', 'cut', 'id', 'raw', 'raw', 'end'] as const),
    ),
    at: fc.nat(0xffffff),
    to: fc.nat(0xffffff),
    value: fc.nat(255),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Short fields of bytes: names, types, locations. */
function isName({ wire, value }: Field): boolean {
  return wire === 2 && value instanceof Uint8Array && value.length > 0 && value.length < 40;
}

function damageTree(model: Field[], { kind, at, to, value }: Mutation): void {
  const messages = messagesOf(model);
  const chosen = <T>(from: readonly T[], index: number): T | undefined => from[index % from.length];
  const all = messages.flat();
  if (kind === 'number') {
    const field = chosen(
      all.filter((each) => each.wire === 0),
      at,
    );
    if (field) field.value = NUMBERS[value % NUMBERS.length]!;
  } else if (kind === 'name') {
    const names = all.filter(isName);
    const [one, other] = [chosen(names, at), chosen(names, to)];
    if (one && other) one.value = other.value;
  } else if (kind === 'bytes' || kind === 'cut') {
    const field = chosen(
      all.filter((each) => each.value instanceof Uint8Array && each.value.length > 0),
      at,
    );
    if (!field) return;
    const bytes = Buffer.from(field.value as Uint8Array);
    if (kind === 'bytes') bytes[to % bytes.length] = value;
    const cut = field.wire === 2 && kind === 'cut';
    field.value = cut ? bytes.subarray(0, to % bytes.length) : bytes;
  } else {
    const message = chosen(
      messages.filter((fields) => fields.length > 0),
      at,
    )!;
    const i = to % message.length;
    if (kind === 'remove') message.splice(i, 1);
    else if (kind === 'double') message.push(message[i]!);
    else if (kind === 'move') message.unshift(...message.splice(i, 1));
    else if (kind === 'id') message[i] = { ...message[i]!, id: (value % 31) + 1 };
  }
}

function damaged(model: Field[], mutations: readonly Mutation[]): Uint8Array {
  for (const mutation of mutations) damageTree(model, mutation);
  const bytes = Buffer.from(bytesOf(model));
  for (const { kind, at, value } of mutations) {
    if (kind === 'raw' && bytes.length > 0) bytes[at % bytes.length] = value;
    else if (kind === 'end' && value < 64) return bytes.subarray(0, at % (bytes.length + 1));
  }
  return bytes;
}

const kernels = jsKernels();

/** @returns whether it was refused; any other error is the test's */
async function refused(bytes: Uint8Array): Promise<boolean> {
  try {
    const net = await loadNetwork(bytes, {
      kernels,
      name: 'file',
      budgetBytes: BUDGET_BYTES,
      size: 16,
      externalData: () => new Uint8Array(64),
    });
    try {
      const [H, W] = net.fixedSize ?? [16, 16];
      net.forward(1, H, W);
    } finally {
      net.dispose();
    }
    return false;
  } catch (error) {
    if (error instanceof FormatError || error instanceof ShapeError) return true;
    throw error;
  }
}

/** Four fifths of `runs` are damaged files; the rest are damaged files with their weights in another file. */
export function fuzzOnnx(runs: number): void {
  const bounded = async (
    numRuns: number,
    models: fc.Arbitrary<() => Field[]>,
    spread: boolean,
  ): Promise<void> => {
    const before = process.memoryUsage().rss;
    const ends = { refused: 0, loaded: 0 };
    const property = fc.asyncProperty(models, MUTATIONS, async (make, mutations) => {
      const bytes = damaged(make(), mutations);
      const start = cpuMs();
      ends[(await refused(bytes)) ? 'refused' : 'loaded']++;
      expect(cpuMs() - start).toBeLessThan(MAX_CASE_MS);
    });
    await fc.assert(property, { numRuns });
    expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH_BYTES);
    // Both ends are reached: the damage is neither too much nor too little.
    if (!spread) return;
    expect(ends.refused).toBeGreaterThan(numRuns / 5);
    expect(ends.loaded).toBeGreaterThan(numRuns / 10);
  };

  const most = (runs * 4) / 5;
  it(`${most.toLocaleString('en')} damaged ONNX files end in a FormatError, a ShapeError or a network`, async () => {
    const models = fc.constantFrom(...FILES).map((file) => () => fieldsOf(file));
    await bounded(most, models, true);
  });

  it(`${(runs / 5).toLocaleString('en')} whose weights lie in another file do too`, async () => {
    const whole = FILES.filter((file) => {
      const graph = fieldsOf(file).find(({ id }) => id === 7)!.value as Field[];
      return graph.some(({ id }) => id === 5);
    });
    const models = fc
      .tuple(
        fc.constantFrom(...whole),
        fc.constantFrom(...LOCATIONS),
        fc.constantFrom(...OFFSETS),
        fc.constantFrom(...OFFSETS),
      )
      .map(
        ([file, location, offset, length]) =>
          () =>
            external(file, location, [
              ['offset', offset],
              ['length', length],
            ]),
      );
    await bounded(runs / 5, models, false);
  });
}
