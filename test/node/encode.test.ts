import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { decodePicture } from '../../src/node/decode.js';
import { encodePng, writeBytes } from '../../src/node/encode.js';

const side = fc.integer({ min: 1, max: 9 });

test.prop([side, side, fc.infiniteStream(fc.integer({ min: 0, max: 255 }))])(
  'what is encoded is decoded to the same pixels, opaque',
  async (width, height, levels) => {
    const data = Uint8ClampedArray.from({ length: 4 * width * height }, () => levels.next().value);
    const bytes = await encodePng({ data, width, height });
    const back = await decodePicture(bytes, 'encoded');
    expect([back.width, back.height]).toEqual([width, height]);
    const opaque = data.map((level, i) => (i % 4 === 3 ? 255 : level));
    expect([...back.data]).toEqual([...opaque]);
  },
);

test('a file that cannot be written is told in one line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fastcam-encode-'));
  const path = join(folder, 'none', 'a.png');
  await expect(writeBytes(path, 'x')).rejects.toThrow(
    `${path}: cannot be written: its folder does not exist`,
  );
  rmSync(folder, { recursive: true });
});
