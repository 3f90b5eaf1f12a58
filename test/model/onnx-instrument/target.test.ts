import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { instrumentTarget } from '../../../src/instrument.js';
import type { InstrumentTarget } from '../../../src/model/onnx-instrument/index.js';

const FILES = 'test/onnx/instrument';
const CASES = JSON.parse(readFileSync(`${FILES}/cases.json`, 'utf8')) as Readonly<
  Record<string, { readonly target: InstrumentTarget }>
>;
const { opset7: _clip, opset9: _too, 'channels-last': _own, ...others } = CASES;

const targetOf = (name: string, taps?: readonly string[]): InstrumentTarget =>
  instrumentTarget(readFileSync(`${FILES}/${name}.onnx`), name, {
    ...(taps && { taps }),
    externalData: (location) => {
      const data = readFileSync(`${FILES}/${location}`);
      return { length: data.length, read: (begin, end) => data.subarray(begin, end) };
    },
  });

test.each(Object.entries(others).filter(([name]) => !name.startsWith('rewrites')))(
  'scale ends and classifier of %s are found',
  (name, { target }) => {
    const { logits: _, ...found } = targetOf(name);
    const { logits: __, ...expected } = target;
    expect(found).toEqual(expected);
  },
);

test.each(['opset7', 'opset9', 'channels-last'])(
  'values of %s are measured by their names',
  (name) => {
    const { taps, head, inputLayout } = CASES[name]!.target;
    const names = taps.map((tap) => tap.name);
    expect(targetOf(name, names)).toMatchObject({ taps, head, inputLayout });
  },
);

test('a name that no map has is refused', () => {
  expect(() => targetOf('opset11', ['nobody'])).toThrow('no value of the file is called nobody');
  expect(() => targetOf('opset11', ['logits'])).toThrow('only maps can be tapped');
  expect(() => targetOf('opset11', ['fc.weight'])).toThrow('no value of the file is called');
});
