import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSafetensors } from '../../src/model/index.js';
import { readPicture } from '../../src/node/index.js';
import { writeSafetensors } from '../../src/node/safetensors-writer.js';
import { exif, jpeg, PNG_COLOR, png, tiff, tiffEntries } from '../node/pictures/picture-files.js';
import { failure, fastcam, inTerminal } from './terminal.js';

const CAT = 'samples/chelsea.png';
const MODEL = 'models/tiny-resnet50.safetensors';
const PICTURES = [
  'fastcam.png',
  'lovi.png',
  'non-class.png',
  'overlay.png',
  'report.json',
  'saliency.png',
  ...[1, 2, 3, 4, 5].map((scale) => `scale-${scale}.png`),
  'sheet.png',
];

let folder: string;
let out: string;
let small: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-run-'));
  out = join(folder, 'out');
  small = write('small.png', grid(40, 30));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A colorful PNG. */
function grid(width: number, height: number): Uint8Array {
  const rows = Array.from({ length: height }, (_, y) =>
    Array.from({ length: 3 * width }, (_, x) => (x * 7 + y * 31) & 255),
  );
  return png(width, height, { depth: 8, color: PNG_COLOR.rgb, rows });
}

describe('fastcam explain', () => {
  test('prints the class (a cat), the times and the paths of the pictures', async () => {
    const { code, stdout, stderr } = await fastcam('explain', CAT, '-o', out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Egyptian cat');
    expect(stdout).toMatch(/Network [\d.]+ ms, saliency [\d.]+ ms/);
    expect(readdirSync(join(out, 'chelsea')).sort()).toEqual([...PICTURES].sort());
    for (const name of PICTURES) expect(stdout).toContain(join(out, 'chelsea', name));

    const { width, height } = await readPicture(CAT);
    for (const name of ['saliency', 'overlay', 'fastcam', 'non-class']) {
      const picture = await readPicture(join(out, 'chelsea', `${name}.png`));
      expect([name, picture.width, picture.height]).toEqual([name, width, height]);
    }
  });

  test('report.json has the input and the results, and no path except the caller’s', async () => {
    await fastcam('explain', small, '-o', out, '--class', 'espresso', '--cam', 'xgradcam');
    const text = readFileSync(join(out, 'small', 'report.json'), 'utf8');
    const report = JSON.parse(text);
    expect(report).toMatchObject({
      input: { path: small, decoder: 'png', width: 40, height: 30, networkInput: [128, 160] },
      model: { name: 'bundled', architecture: { block: 'bottleneck', classes: 200 } },
      options: { cam: 'xgradcam', target: 'espresso', normalizer: 'gaussian', fit: 'whole' },
      target: { label: 'espresso' },
    });
    expect(report.top).toHaveLength(5);
    expect(report.scales.map(({ shape }: { shape: number[] }) => shape)).toEqual([
      [64, 80],
      [32, 40],
      [16, 20],
      [8, 10],
      [4, 5],
    ]);
    for (const { min, max, mean } of report.scales) {
      expect(min).toBeGreaterThanOrEqual(0);
      expect(mean).toBeGreaterThan(min);
      expect(max).toBeGreaterThan(mean);
    }
    expect(report.files).toContain(join(out, 'small', 'sheet.png'));
    expect(text.replaceAll(JSON.stringify(folder).slice(1, -1), '')).not.toContain(process.cwd());
  });

  test('--statistic names what is measured: in the report, and the arrays after it', async () => {
    const arrays = join(folder, 'entropy.safetensors');
    const statistic = 'truncated-normal-entropy';
    const argv = ['explain', small, '-o', join(folder, 'entropy'), '--tensors', arrays, '--json'];
    const { code, stdout } = await fastcam(...argv, '--statistic', statistic, '--size', '64');
    expect(code).toBe(0);
    const { options, scales } = JSON.parse(stdout);
    expect(options).toMatchObject({ statistic });
    const file = parseSafetensors(readFileSync(arrays), arrays);
    const raw = file.read(`${statistic}.0`);
    expect(scales[0]).toMatchObject({ min: Math.min(...raw), max: Math.max(...raw) });
    for (const name of file.tensors.keys())
      expect(file.read(name).every(Number.isFinite)).toBe(true);
  });

  test('--json prints one line of JSON for each input, and nothing else', async () => {
    const { code, stdout } = await fastcam('explain', small, small, '-o', out, '--json');
    expect(code).toBe(0);
    const reports = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(reports.map(({ input }) => input.path)).toEqual([small, small]);
  });

  test('two inputs with the same name are written to separate folders', async () => {
    mkdirSync(join(folder, 'b'), { recursive: true });
    const other = write(join('b', 'small.png'), grid(8, 8));
    const { code } = await fastcam('explain', small, other, '-o', join(folder, 'twice'));
    expect(code).toBe(0);
    expect(readdirSync(join(folder, 'twice')).sort()).toEqual(['small', 'small-2']);
  });

  test('--cam none leaves the class maps out, --fit crop marks what was not seen', async () => {
    const target = join(folder, 'crop');
    const { code } = await fastcam(
      ...['explain', small, '-o', target, '--cam', 'none', '--fit', 'crop', '--colormap', 'jet'],
      ...['--scale-weights', '1,2,3,4,5', '--normalizer', 'identity', '--size', '64'],
    );
    expect(code).toBe(0);
    expect(existsSync(join(target, 'small', 'fastcam.png'))).toBe(false);
    expect(existsSync(join(target, 'small', 'sheet.png'))).toBe(true);
  });

  test.each([
    ['1×1', () => grid(1, 1)],
    ['1×60', () => grid(1, 60)],
    ['grey 16-bit', () => png(2, 1, { depth: 16, color: PNG_COLOR.grey, rows: [[1, 2, 3, 4]] })],
    ['transparent', () => png(1, 1, { depth: 8, color: PNG_COLOR.rgba, rows: [[9, 9, 9, 0]] })],
    ['CMYK', () => jpeg([[[255, 0, 0, 255]]], { adobe: 0 })],
    ['EXIF-turned', () => jpeg([[[20], [220]]], { exif: exif(6) })],
  ])('a %s picture is explained', async (name, bytes) => {
    const path = write(`${name}.img`, bytes());
    const { code, stderr } = await fastcam('explain', path, '-o', out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('the results of a folder of pictures have the same subfolders, and a page that shows them', async () => {
    const photos = join(folder, 'photos');
    mkdirSync(join(photos, 'in'), { recursive: true });
    for (const name of ['2.png', '10.png', 'in/3.png']) {
      writeFileSync(join(photos, name), grid(40, 30));
    }
    writeFileSync(join(photos, 'in', 'bad.png'), 'no picture');
    const target = join(folder, 'folders');
    const argv = [
      'explain',
      photos,
      '-o',
      target,
      '--only',
      'lovi',
      '--gallery',
      '--format',
      'webp',
    ];
    const { code, stdout, stderr } = await fastcam(...argv, '--jobs', '2');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^fastcam: .*bad\.png: not a picture[^\n]*\n$/);
    const told = [...stdout.matchAll(/^(.*): 40 × 30, seen by/gm)].map(([, path]) => path);
    expect(told).toEqual(
      ['2.png', '10.png', join('in', '3.png')].map((name) => join(photos, name)),
    );
    expect(stdout).toContain(`All of them: ${join(target, 'index.html')}`);
    expect(readdirSync(target).sort()).toEqual(['10', '2', 'in', 'index.html']);
    const shown = ['fastcam', 'lovi', 'overlay', 'picture', 'thumbnails'];
    expect(readdirSync(join(target, 'in', '3')).sort()).toEqual(
      [...shown.map((name) => `${name}.webp`), 'report.json'].sort(),
    );
    const html = readFileSync(join(target, 'index.html'), 'utf8');
    expect(html).toContain('in/3/thumbnails.webp');
    expect(html).toContain('not a picture');
  });

  test('pictures are drawn at 1600 pixels at most, or at full size; a report says which', async () => {
    const large = write('large.png', grid(2000, 40));
    const sizes: unknown[] = [];
    for (const flags of [[], ['--full-size']]) {
      const target = join(folder, `drawn-${flags.length}`);
      const argv = [
        'explain',
        large,
        '-o',
        target,
        '--only',
        'saliency',
        '--format',
        'jpeg',
        '--json',
      ];
      const { stdout } = await fastcam(...argv, ...flags);
      const { input, drawn, files } = JSON.parse(stdout);
      expect(input).toMatchObject({ width: 2000, height: 40, decoder: 'png' });
      expect(files).toEqual([
        join(target, 'large', 'saliency.jpg'),
        join(target, 'large', 'report.json'),
      ]);
      const { width, height } = await readPicture(join(target, 'large', 'saliency.jpg'));
      expect(drawn).toEqual({ width, height });
      sizes.push([width, height]);
    }
    expect(sizes).toEqual([
      [1600, 32],
      [2000, 40],
    ]);
  });

  test('--sample-range sets black and white of a TIFF, and the report states it', async () => {
    const pixels = Float32Array.from({ length: 16 }, (_, i) => i);
    const floats = tiff(
      [...tiffEntries(4, 4, 1, [32], 64), [339, 3, 3]],
      new Uint8Array(pixels.buffer),
    );
    const path = write('floats.tif', floats);
    const report = async (...argv: string[]) =>
      JSON.parse((await fastcam('explain', path, '-o', out, '--json', ...argv)).stdout);
    const dark = await report('--sample-range', '0,150');
    expect(dark).toMatchObject({
      input: { decoder: 'geotiff' },
      options: { sampleRange: [0, 150] },
    });
    const full = await report();
    expect(full.options).not.toHaveProperty('sampleRange');
    expect(full.scales).not.toEqual(dark.scales);
    expect((await report('--sample-range', 'min-max')).scales).toEqual(full.scales);
  });

  test('bad pictures are one line each, the others are done, the exit code is 1', async () => {
    const bad = [
      write('empty.png', ''),
      write('text.jpg', 'not a picture'),
      write('cut.png', grid(20, 20).subarray(0, 300)),
      write('bomb.png', png(30_000, 30_000, { depth: 8, color: PNG_COLOR.rgb, rows: [[]] })),
      write('none.png', png(0, 0, { depth: 8, color: PNG_COLOR.rgb, rows: [[]] })),
      write('photo.webp', 'RIFF\x10\0\0\0WEBPVP8 '),
      join(folder, 'missing.png'),
      join(folder, 'nothing'),
    ];
    mkdirSync(join(folder, 'nothing'));
    const { code, stdout, stderr } = await fastcam('explain', ...bad, small, '-o', out, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).input.path).toBe(small);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(bad.length);
    for (const [i, path] of bad.entries()) {
      expect(lines[i]!.startsWith(`fastcam: ${path}: `)).toBe(true);
    }
    expect(stderr).not.toMatch(/ {4}at |unexpected/);
  });

  test('--debug adds the stack to the line', async () => {
    const { code, stderr } = await fastcam('explain', join(folder, 'missing.png'), '--debug');
    expect(code).toBe(1);
    expect(stderr).toContain('missing.png: no such file');
    expect(stderr).toMatch(/\n {4}at /);
  });

  test('if nothing can be written, the line says so', async () => {
    const line = await failure(1, 'explain', small, '-o', small);
    expect(line).toContain(`${join(small, 'small')}: cannot be created`);
  });

  test('no input is overwritten', async () => {
    for (const read of [small, join(folder, '.', 'small.png')]) {
      const line = await failure(2, 'explain', small, '--tensors', read, '-o', out);
      expect(line).toContain('would overwrite');
    }
    await failure(2, 'explain', small, '--model', MODEL, '--tensors', MODEL, '-o', out);
  });

  test('the bar leaves no mode of the terminal behind when it is interrupted', async () => {
    const { stderr } = await inTerminal(true, ['explain', small, '-o', out]);
    // DEC private modes: no line wrapping, no cursor.
    for (const mode of ['[?7l', '[?25l']) expect(stderr).not.toContain(mode);
  });

  test('the bar is shown on a terminal only', async () => {
    const terminal = await inTerminal(true, ['explain', small, small, '-o', out]);
    expect(terminal.stderr).toContain('0/2');
    expect(terminal.stdout).not.toContain('0/2');
    const { stderr } = await fastcam('explain', small, '-o', out);
    expect(stderr).toBe('');
  });
});

describe('tensors', () => {
  const data = Float32Array.from({ length: 2 * 3 * 64 * 96 }, (_, i) => Math.sin(i * i) * 2);

  test('in: a batch of two has a report for each; out: every array, float32', async () => {
    const input = write(
      'x.safetensors',
      writeSafetensors({ input: { shape: [2, 3, 64, 96], data } }),
    );
    const arrays = join(folder, 'y.safetensors');
    const { code, stdout } = await fastcam(
      'explain',
      input,
      '--tensors',
      arrays,
      '-o',
      out,
      '--json',
    );
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).input.item),
    ).toEqual([0, 1]);
    expect(readdirSync(join(out, 'x')).sort()).toEqual(['0', '1']);
    const { tensors } = parseSafetensors(readFileSync(arrays), arrays);
    const shapes = Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
    const full = [2, 64, 96];
    const scales = [
      [2, 32, 48],
      [2, 16, 24],
      [2, 8, 12],
      [2, 4, 6],
      [2, 2, 3],
    ];
    expect(shapes).toEqual({
      logits: [2, 200],
      ...Object.fromEntries(scales.map((shape, i) => [`smoe.${i}`, shape])),
      ...Object.fromEntries(scales.map((shape, i) => [`scale.${i}`, shape])),
      combined: full,
      cam: full,
      fastcam: full,
      nonclass: full,
    });
    expect([...tensors.values()].every(({ dtype }) => dtype === 'F32')).toBe(true);
  });

  test('files without a fitting input are one line', async () => {
    const other = write(
      'z.safetensors',
      writeSafetensors({ w: { shape: [1], data: data.slice(0, 1) } }),
    );
    expect(await failure(1, 'explain', other, '-o', out)).toContain('no tensor is called input');
    const flat = { shape: [3, 64, 96], data: data.slice(0, 3 * 64 * 96) };
    const shape = write('s.safetensors', writeSafetensors({ input: flat }));
    expect(await failure(1, 'explain', shape, '-o', out)).toContain('expected [N, 3, H, W]');
    const cut = write('c.safetensors', readFileSync(shape).subarray(0, 1000));
    expect(await failure(1, 'explain', cut, '-o', out)).toContain(cut);
  });
});

describe('model files', () => {
  const weights = readFileSync(MODEL);

  /** A safetensors file with a header of one's own. */
  function safetensors(header: unknown, dataBytes: number, claimed?: number): Uint8Array {
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(claimed ?? json.length));
    return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
  }

  const tensor = (begin: number, end: number, dtype = 'F32') => ({
    dtype,
    shape: [(end - begin) / 4],
    data_offsets: [begin, end],
  });

  test.each<[string, () => Uint8Array | string, RegExp]>([
    ['empty', () => '', /is empty/],
    ['truncated', () => weights.subarray(0, 100_000), /outside the file|truncated/],
    ['no-model', () => grid(4, 4), /is a picture \(PNG\), no weights/],
    ['huge-header', () => safetensors({}, 0, 2 ** 52), /it begins with the bytes 00 00/],
    ['overlap', () => safetensors({ a: tensor(0, 8), b: tensor(4, 12) }, 12), /overlap/],
    ['out-of-range', () => safetensors({ a: tensor(0, 400) }, 8), /outside the file/],
    ['wrong-dtype', () => safetensors({ a: tensor(0, 8, 'Q7') }, 8), /dtype/],
    [
      'stages-of-nothing',
      () => {
        const empty = { dtype: 'F32', shape: [0], data_offsets: [0, 0] };
        const names = Array.from({ length: 40 }, (_, s) => [`layer${s + 2}.0.conv1.weight`, empty]);
        const real = (...shape: number[]) => ({
          dtype: 'F32',
          shape,
          data_offsets: [0, 4 * shape.reduce((product, size) => product * size)],
        });
        return safetensors(
          {
            ...Object.fromEntries(names),
            'layer1.0.conv1.weight': empty,
            'conv1.weight': real(64, 3, 7, 7),
            'layer1.0.conv2.weight': { ...real(1, 1, 3, 3), data_offsets: [37632, 37668] },
            'fc.weight': { ...real(1, 1), data_offsets: [37668, 37672] },
          },
          37_672,
        );
      },
      /missing/,
    ],
    ['missing-tensors', () => safetensors({ 'conv1.weight': tensor(0, 8) }, 8), /conv1|missing/],
  ])('a file with %s is one line that names it', async (name, bytes, cause) => {
    const path = write(`${name}.safetensors`, bytes());
    const line = await failure(1, 'explain', small, '--model', path, '-o', out);
    expect(line).toContain(path);
    expect(line).toMatch(cause);
  });

  test('missing files, NaN weights, wrong architectures and labels are one line', async () => {
    const missing = join(folder, 'none.safetensors');
    expect(await failure(1, 'explain', small, '--model', missing)).toContain('no such file');

    const poisoned = Uint8Array.from(weights);
    const { tensors } = parseSafetensors(weights, MODEL);
    poisoned.fill(0xff, tensors.get('conv1.weight')!.begin, tensors.get('conv1.weight')!.begin + 4);
    const nan = write('nan.safetensors', poisoned);
    expect(await failure(1, 'explain', small, '--model', nan)).toContain('conv1.weight has NaN');

    expect(await failure(1, 'explain', small, '--arch', 'resnet18')).toContain('resnet18');
    const labels = write('labels.txt', 'one\ntwo\n');
    const line = await failure(1, 'explain', small, '--labels', labels);
    expect(line).toContain(`${labels}: 2 class names for a model of 200 classes`);
  });

  test('a model given by its path gives the same as the bundled one', async () => {
    const labels = 'models/tiny-resnet50-labels.json';
    const argv = ['explain', small, '-o', out, '--json'];
    const byPath = await fastcam(...argv, '--model', MODEL, '--labels', labels);
    const bundled = await fastcam(...argv);
    expect(JSON.parse(byPath.stdout).top).toEqual(JSON.parse(bundled.stdout).top);
  });
});

describe('wrong calls', () => {
  test.each([
    ['explain'],
    ['explain', 'a.png', '--size', 'big'],
    ['explain', 'a.png', '--sample-range', '1,0'],
    ['explain', 'a.png', '--sample-range', 'full'],
    ['explain', 'a.png', '--cam', 'nonsense'],
    ['explain', 'a.png', '--scale-weights', '1,2'],
    ['explain', 'a.png', '--normalizer', 'softmax'],
    ['explain', 'a.png', '--statistic', 'median'],
    ['explain', 'a.png', '--fit', 'whatever'],
    ['explain', 'a.png', '--arch', 'vgg12'],
    ['explain', 'a.png', '--backend', 'gpu'],
    ['explain', 'a.png', '--colormap', 'rainbow'],
    ['explain', 'a.png', '--stride-on', '5x5'],
    ['explain', 'a.png', '--colour'],
    ['explain', 'a.png', '--out'],
    ['explain', 'a.png', '--only', 'lovi,nonsense'],
    ['explain', 'a.png', '--only', 'fastcam', '--cam', 'none'],
    ['explain', 'a.png', '--format', 'gif'],
    ['explain', 'a.png', '--jobs', '0'],
    ['explain', 'samples', '--tensors', 'out.safetensors'],
    ['explain', 'a.png', '--class', '200'],
    ['explain', 'a.png', '--class', 'unicorn'],
    ['explain', ''],
    ['explain', 'a.png', 'b.png', '--tensors', 'out.safetensors'],
    ['photo.png'],
    ['--nonsense'],
  ])('fastcam %s %s %s %s: one line that says what was expected, exit code 2', async (...argv) => {
    await failure(2, ...argv.filter((word) => word !== undefined));
  });

  test('a nearly correct class name is answered with the correct names', async () => {
    expect(await failure(2, 'explain', small, '--class', 'egyptian')).toContain('Egyptian cat');
  });

  test('a name that two classes have asks for an index', async () => {
    const names = Array.from({ length: 200 }, (_, i) => (i % 100 === 7 ? 'crane' : `class ${i}`));
    const labels = write('cranes.json', JSON.stringify(names));
    const line = await failure(2, 'explain', small, '--labels', labels, '--class', 'Crane');
    expect(line).toContain('2 classes are called Crane; give an index: 7 or 107');
  });

  test('a class name for a model without names asks for --labels', async () => {
    const unnamed = 'test/goldens/tiny-resnet50-f32.safetensors';
    const line = await failure(2, 'explain', small, '--model', unnamed, '--class', 'espresso');
    expect(line).toContain('--labels FILE');
  });

  test('help and version are printed, exit code 0', async () => {
    const help = await fastcam('explain', '--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const word of ['--scale-weights', '--tensors', 'Examples:', 'Exit codes']) {
      expect(help.stdout).toContain(word);
    }
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await fastcam('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
