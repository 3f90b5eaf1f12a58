import { expect, test } from 'vitest';
import { describeFailure } from '../../src/cli/streams.js';
import { FormatError, ShapeError } from '../../src/errors.js';

test('a failure is one line that names the input once', () => {
  expect(describeFailure(new FormatError('a.png: is empty'), false, 'a.png')).toBe(
    'fastcam: a.png: is empty\n',
  );
  expect(describeFailure(new ShapeError('size: too\n  small'), false, 'a.png')).toBe(
    'fastcam: a.png: size: too small\n',
  );
});

test('a name with line breaks and terminal codes is one line, its codes written out', () => {
  const name = 'a\n\u001b[31m.png';
  expect(describeFailure(new FormatError(`${name}: is\n empty`), false, name)).toBe(
    'fastcam: a\\n\\x1b[31m.png: is empty\n',
  );
});

test('a message of any length is cut to a line that can be read', () => {
  const error = new FormatError(`a.png: tensor ${'x'.repeat(1e6)} is missing`);
  expect(describeFailure(error, false, 'a.png').length).toBeLessThan(600);
});

test('what nobody expected is called so, and lack of memory what it is', () => {
  expect(describeFailure(new TypeError('x is not a function'), false)).toContain('--debug');
  for (const message of ['Array buffer allocation failed', 'Invalid typed array length: 1e10']) {
    const line = describeFailure(new RangeError(message), false, 'a.png');
    expect(line).toMatch(/^fastcam: a.png: not enough memory/);
  }
});

test('with --debug the stack follows, and the stack of the cause', () => {
  const error = new FormatError('a.png: damaged', { cause: new Error('the decoder’s own') });
  const text = describeFailure(error, true);
  expect(text).toMatch(/^fastcam: a.png: damaged\n/);
  expect(text).toContain('caused by Error: the decoder’s own');
});
