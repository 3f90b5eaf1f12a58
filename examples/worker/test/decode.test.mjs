/** Decoding and packing, held against the decoders that fastcam has on Node. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { decodePicture as decodeOnNode } from 'fastcam/node';
import { cat, png, rocket, withOrientation } from './pictures.mjs';
import { greedy, webp, withOrientation as webpWithOrientation } from './webp.mjs';

const { decodePicture, encodePng } = await bundled(['decode', 'png']);

/** The sources as they stand, for Node. */
async function bundled(names) {
  const { outputFiles } = await build({
    stdin: {
      contents: names.map((name) => `export * from './src/${name}.ts';`).join('\n'),
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    plugins: [{ name: 'wasm', setup: (own) => own.onLoad({ filter: /\.wasm$/ }, compiled) }],
    write: false,
  });
  const base64 = Buffer.from(outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${base64}`);
}

/** The import of a .wasm file is a compiled module, as in workerd. */
function compiled({ path }) {
  const base64 = readFileSync(path, 'base64');
  return {
    contents: `export default new WebAssembly.Module(Buffer.from('${base64}', 'base64'));`,
  };
}

/** Of all samples, opaque or over white. */
function assertNear(actual, expected, levels) {
  assert.deepEqual([actual.width, actual.height], [expected.width, expected.height]);
  for (let i = 0; i < actual.data.length; i += 4) {
    const alpha = expected.data[i + 3] / 255;
    for (let c = i; c < i + 3; c++) {
      const seen = 255 + alpha * (expected.data[c] - 255);
      if (Math.abs(actual.data[c] - seen) > levels) {
        assert.fail(`byte ${c}: ${actual.data[c]}, expected ${seen}`);
      }
    }
  }
}

/** On average: Node's decoder of JPEG rounds otherwise than the worker's, and spreads color otherwise. */
function assertAlike(actual, expected, levels) {
  assert.deepEqual([actual.width, actual.height], [expected.width, expected.height]);
  const sum = actual.data.reduce((all, level, i) => all + Math.abs(level - expected.data[i]), 0);
  const mean = sum / ((3 / 4) * actual.data.length);
  assert.ok(mean <= levels, `${mean} levels on average, at most ${levels} expected`);
}

/** Bytes of a generator (Park and Miller's) that starts anew each time. */
function randomBytes(length) {
  let seed = 1911;
  const next = () => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed & 255;
  };
  return Buffer.from(Array.from({ length }, next));
}

describe('PNG: every color type, depth and order of lines, within a level of pngjs', () => {
  const WIDTH = 13;
  const HEIGHT = 11;
  const SAMPLES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
  const DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
  const ADAM7 = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ];

  /** Any bytes are pixels: each line has the next of the five filters. */
  function lines(bitsPerPixel, interlaced) {
    const passes = interlaced ? ADAM7 : [[0, 0, 1, 1]];
    const lengths = passes.flatMap(([x, y, stepX, stepY]) => {
      const columns = Math.ceil((WIDTH - x) / stepX);
      const rows = Math.ceil((HEIGHT - y) / stepY);
      return new Array(columns > 0 ? rows : 0).fill(1 + Math.ceil((columns * bitsPerPixel) / 8));
    });
    const bytes = randomBytes(lengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    for (const [i, length] of lengths.entries()) {
      bytes[at] = i % 5;
      at += length;
    }
    return bytes;
  }

  for (const color of [0, 2, 3, 4, 6]) {
    for (const depth of DEPTHS[color]) {
      for (const interlaced of [false, true]) {
        it(`color type ${color}, ${depth} bits${interlaced ? ', interlaced' : ''}`, async () => {
          const chunks = color === 3 ? [['PLTE', randomBytes(3 * 2 ** depth)]] : [];
          const header = { width: WIDTH, height: HEIGHT, depth, color, interlaced, chunks };
          const bytes = png(header, lines(SAMPLES[color] * depth, interlaced));
          assertNear(decodePicture(bytes), await decodeOnNode(bytes, 'it'), 1);
        });
      }
    }
  }

  it('a transparent color, and a transparent entry of the palette', async () => {
    const pixels = Buffer.from([0, 0, 1, 2, 3]);
    const size = { width: 4, height: 1 };
    const grey = png({ ...size, color: 0, chunks: [['tRNS', Buffer.from([0, 2])]] }, pixels);
    assert.deepEqual(rgbOf(decodePicture(grey)), [0, 0, 0, 1, 1, 1, 255, 255, 255, 3, 3, 3]);
    const chunks = [
      ['PLTE', Buffer.from([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0])],
      ['tRNS', Buffer.from([255, 0])],
    ];
    const palette = png({ ...size, color: 3, chunks }, pixels);
    assert.deepEqual(rgbOf(decodePicture(palette)), [9, 8, 7, 255, 255, 255, 3, 2, 1, 0, 0, 0]);
  });
});

describe('the samples', () => {
  it('the cat, a PNG, and back', async () => {
    const expected = await decodeOnNode(cat, 'cat');
    assertNear(decodePicture(cat), expected, 0);
    assertNear(await decodeOnNode(encodePng(expected), 'packed'), expected, 0);
  });

  for (let orientation = 1; orientation <= 8; orientation++) {
    it(`the rocket, a JPEG, in orientation ${orientation}`, async () => {
      const bytes = withOrientation(rocket, orientation);
      assertAlike(decodePicture(bytes), await decodeOnNode(bytes, 'rocket'), 2);
    });
  }
});

describe('WebP', () => {
  it('the cat, without loss and with it', async () => {
    const source = await decodeOnNode(cat, 'cat');
    assertNear(decodePicture(await webp(source, { lossless: 1 })), source, 0);
    const lossy = await webp(source, { quality: 90 });
    assertNear(decodePicture(lossy), await decodeOnNode(lossy, 'cat'), 0);
    assertAlike(decodePicture(lossy), source, 4);
  });

  it('transparent pixels over white', async () => {
    const data = randomBytes(4 * 37 * 23);
    const source = { data, width: 37, height: 23 };
    // `exact` keeps the colors of pixels that are wholly transparent.
    const file = await webp(source, { lossless: 1, exact: 1 });
    assertNear(decodePicture(file), source, 1);
  });

  it('in at most 32 MiB: a file of 330 KB that asks for 900 MB is refused', (t) => {
    const { Instance } = WebAssembly;
    const memories = [];
    t.after(() => {
      WebAssembly.Instance = Instance;
    });
    WebAssembly.Instance = class extends Instance {
      constructor(module, imports) {
        super(module, imports);
        memories.push(
          ...Object.values(this.exports).filter((it) => it instanceof WebAssembly.Memory),
        );
      }
    };
    assert.throws(() => decodePicture(greedy(1280, 1024)), { status: 422, code: 'damaged' });
    assert.equal(memories.length, 1);
    assert.ok(memories[0].buffer.byteLength <= 32 << 20, `${memories[0].buffer.byteLength} bytes`);
  });

  it('turned as its EXIF orientation says', async () => {
    const source = await decodeOnNode(rocket, 'rocket');
    const plain = await webp(source, { quality: 80 });
    for (let orientation = 1; orientation <= 8; orientation++) {
      const file = webpWithOrientation(plain, source, orientation);
      const turned = decodePicture(file);
      assertNear(turned, await decodeOnNode(file, 'rocket'), 0);
      assert.equal(turned.width, orientation < 5 ? source.width : source.height);
    }
  });
});

function rgbOf({ data }) {
  return [...data].filter((_, i) => i % 4 !== 3);
}
