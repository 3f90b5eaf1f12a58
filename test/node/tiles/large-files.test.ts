import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromArrayBuffer } from 'geotiff';
import { describe, expect, it } from 'vitest';
import type { Picture } from '../../../src/index.js';
import { explainMany } from '../../../src/node/explain-many.js';
import { bundledModel, explainFile } from '../../../src/node/index.js';
import { readPicture } from '../../../src/node/pictures/decode.js';
import { TAG } from '../../../src/node/pictures/tiff/directory.js';
import { explainLargeFile } from '../../../src/node/tiles/explain-large-file.js';
import { MapTiff, positionOf } from '../../../src/node/tiles/map-tiff.js';
import { halved, Pyramid } from '../../../src/node/tiles/pyramid.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { tiff, tiffEntries } from '../pictures/picture-files.js';

const { folder, write } = temporaryFolder('large');

function noise(width: number, height: number): Picture {
  const data = Uint8Array.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 ? 255 : (Math.imul(i, 2654435761) >>> 24) ^ (i & 63),
  );
  return { data, width, height };
}

/** Joins the tiles of a level. */
async function level(
  path: string,
  number: number,
  width: number,
  height: number,
): Promise<Picture> {
  const inner = path.replace('.dzi', `_files/${number}`);
  const data = new Uint8Array(4 * width * height);
  for (const name of readdirSync(inner)) {
    const [column, row] = name.split(/[_.]/).map(Number) as [number, number];
    const tile = await readPicture(join(inner, name));
    for (let y = 0; y < tile.height; y++) {
      const to = 4 * ((512 * row + y) * width + 512 * column);
      data.set(tile.data.subarray(4 * y * tile.width, 4 * (y + 1) * tile.width), to);
    }
  }
  return { data, width, height };
}

describe('a pyramid', () => {
  it.each([
    [700, 1100],
    [512, 512],
    [1025, 3],
    [1, 1],
  ])(
    'of %i×%i has the picture, and each level half of the one before, rounded up, down to one pixel',
    async (width, height) => {
      const picture = noise(width, height);
      const path = join(folder, `p${width}.dzi`);
      const pyramid = await Pyramid.create(path, picture, 'png');
      for (let top = 0; top < height; top += 100) {
        const rows = Math.min(100, height - top);
        const data = picture.data.subarray(4 * width * top, 4 * width * (top + rows));
        await pyramid.add({ data, width, height: rows });
      }
      await pyramid.end();
      let expected = picture;
      for (let number = Math.ceil(Math.log2(Math.max(width, height))); number >= 0; number--) {
        const got = await level(path, number, expected.width, expected.height);
        expect(Buffer.compare(got.data as Uint8Array, expected.data as Uint8Array)).toBe(0);
        expected = halved(expected);
      }
      expect(expected).toMatchObject({ width: 1, height: 1 });
      expect(readFileSync(path, 'utf8')).toContain(`<Size Width="${width}" Height="${height}"/>`);
    },
  );
});

describe('a map as TIFF', () => {
  it('has the values, and the place of the picture: larger pixels, the same corner', async () => {
    const [width, height] = [500, 1300];
    const at = (x: number, y: number) => Math.fround(Math.sin(x + 3 * y));
    const tags: Readonly<Record<number, number[]>> = {
      [TAG.modelPixelScale]: [10, 12, 0],
      [TAG.modelTiepoint]: [4, 6, 0, 300_000, 5_000_000, 0],
      [TAG.geoKeyDirectory]: [1, 1, 0, 1, 3072, 0, 1, 32_633],
    };
    const directory = { values: (tag: number) => tags[tag] ?? [] };
    const path = join(folder, 'map.tif');
    const file = await MapTiff.create(path, { width, height }, positionOf(directory, 2, 3));
    const row = new Float32Array(width);
    for (let y = 0; y < height; y++) await file.add(row.map((_, x) => at(x, y)));
    expect(existsSync(path)).toBe(false);
    await file.end();
    const bytes = readFileSync(path);
    const image = await (
      await fromArrayBuffer(
        bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
      )
    ).getImage();
    const [values] = (await image.readRasters()) as unknown as [Float32Array];
    expect(values).toBeInstanceOf(Float32Array);
    for (const [x, y] of [
      [0, 0],
      [499, 0],
      [7, 524],
      [123, 1299],
    ] as const) {
      expect(values[y * width + x]).toBe(at(x, y));
    }
    expect(image.getResolution()).toEqual([20, -36, 0]);
    // The same place is at a smaller number of larger pixels.
    expect(await image.getTiePoints()).toEqual([
      { i: 2, j: 2, k: 0, x: 300_000, y: 5_000_000, z: 0 },
    ]);
    expect(image.getGeoKeys()?.['ProjectedCSTypeGeoKey']).toBe(32_633);
  });

  it('leaves nothing behind if it is given up', async () => {
    const path = join(folder, 'given-up.tif');
    const file = await MapTiff.create(path, { width: 2, height: 2 }, []);
    await file.add(new Float32Array(2));
    await file.discard();
    expect(readdirSync(folder).filter((name) => name.startsWith('given-up'))).toEqual([]);
  });
});

describe('explainLargeFile', async () => {
  const [width, height] = [128, 640];
  const pixels = [...noise(width, height).data].filter((_, i) => i % 4 < 3);
  const entries = tiffEntries(width, height, 2, [8, 8, 8], pixels.length);
  const path = write('large.tif', tiff(entries, pixels));
  const options = { model: await bundledModel(), tile: 64 };

  it('gives what explainFile gives at the size of the picture, and writes pyramids and maps', async () => {
    const out = join(folder, 'out');
    const { report, files, explanation } = await explainLargeFile(path, { ...options, out });
    const expected = await explainFile(path, { model: options.model, size: width });
    expect(report.top).toEqual(expected.report.top);
    expect(report.scales).toEqual(expected.report.scales);
    expect(report.input).toEqual({ ...expected.report.input, path });
    expect(explanation.fastcamMap.data).toEqual(expected.explanation.fastcamMap.data);
    expect(report.tiles).toMatchObject({ strips: 5, rows: 128, resumed: 0 });
    expect(report.options).toMatchObject({ tile: 64 });
    const names = files.map((file) => file.slice(out.length + 1));
    for (const name of [
      'overlay.png',
      'overlay.dzi',
      'saliency.tif',
      'fastcam.tif',
      'report.json',
    ]) {
      expect(names).toContain(name);
      expect(existsSync(join(out, name))).toBe(true);
    }
    expect(existsSync(join(out, 'resume'))).toBe(false);
    // The pyramid’s picture is the overlay at full size.
    const overlay = await level(join(out, 'overlay.dzi'), 10, width, height);
    const whole = await readPicture(join(out, 'overlay.png'));
    expect(Buffer.compare(overlay.data as Uint8Array, whole.data as Uint8Array)).toBe(0);
  });

  it('writes only the kinds that are asked for', async () => {
    const out = join(folder, 'only');
    await explainLargeFile(path, { ...options, out, only: ['lovi', 'saliency'], format: 'webp' });
    const names = readdirSync(out).sort();
    expect(names).toEqual([
      ...['lovi.dzi', 'lovi.webp', 'lovi_files', 'report.json'],
      ...['saliency.dzi', 'saliency.tif', 'saliency.webp', 'saliency_files'],
    ]);
  });

  it('continues after an interruption, with the same results, unless the options are others', async () => {
    const out = join(folder, 'resumed');
    const input = [{ path, name: 'large.tif' }];
    const start = async (tile: number, stopAt: number) => {
      const stop = new AbortController();
      const onProgress = (done: number) => done > stopAt && stop.abort(new Error('Ctrl-C'));
      const own = { ...options, tile, only: ['saliency'] as const, folders: [out] };
      for await (const { results, error } of explainMany(input, {
        ...own,
        onProgress,
        signal: stop.signal,
      })) {
        if (error) throw error;
        return results[0]!.report;
      }
      return undefined;
    };
    await expect(start(64, 0.3)).rejects.toThrow('Ctrl-C');
    expect(readdirSync(join(out, 'resume')).sort()).toEqual(['features', 'state']);
    const report = await start(64, 1);
    expect(report?.tiles?.resumed).toBe(3);
    expect(report?.top).toEqual((await explainLargeFile(path, options)).report.top);
    await expect(start(64, 0.3)).rejects.toThrow('Ctrl-C');
    expect((await start(200, 1))?.tiles?.resumed).toBe(0);
    // After the network, only the drawing is left.
    await expect(start(64, 0.71)).rejects.toThrow('Ctrl-C');
    expect((await start(64, 1))?.tiles?.resumed).toBe(5);
  });

  it.each([
    [{ size: 64 }, 'size'],
    [{ fit: 'crop' }, 'fit'],
    [{ fullSize: true }, 'fullSize'],
  ] as const)('refuses %j', async (odd, name) => {
    await expect(explainLargeFile(path, { ...options, ...odd })).rejects.toThrow(
      `tile: the picture is explained at its own resolution, without ${name}`,
    );
  });
});
