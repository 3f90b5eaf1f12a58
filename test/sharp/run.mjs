/**
 * Reads pictures with sharp installed beside fastcam and without it, and compares the two:
 *
 *   pixels of lossless formats are equal, others differ by at most two levels on average;
 *   formats that only sharp reads are read;
 *   pictures that are too large or damaged are refused with the same message.
 *
 *   npm run test:sharp
 *
 * The build must be there.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FILES = fileURLToPath(new URL('../fixtures/pictures/', import.meta.url));
const PACKAGE = `${HERE}node_modules/fastcam/`;

if (!existsSync(PACKAGE)) {
  const install = ['ci', '--no-audit', '--no-fund'];
  execFileSync('npm', install, { cwd: HERE, stdio: ['ignore', 2, 2] });
}
// Uses the current build, also if the package was installed earlier.
rmSync(`${PACKAGE}dist`, { recursive: true, force: true });
cpSync(fileURLToPath(new URL('../../dist/', import.meta.url)), `${PACKAGE}dist`, {
  recursive: true,
});
const { default: sharp } = await import('sharp');
const { decodePicture } = await import('fastcam/node');

/** The largest allowed mean difference of a lossy format, in levels. */
const MOST = 2;
/** Formats for which sharp is tried first. */
const SUITED = /\.(jpg|webp|avif)$/;
/** Files that sharp does not read: CMYK without a profile, and a sequence. */
const LEFT = ['cmyk.jpg', 'sequence.avif'];

let checks = 0;
const source = readFileSync(`${FILES}src.png`);

for (const name of readdirSync(FILES).filter((file) => !file.endsWith('.md'))) {
  await compareFile(name, readFileSync(`${FILES}${name}`));
}
await compareOrientations();
await compareProfiles();
await readWhatSharpAloneReads();
await refuseInTheSameWords();
compareReports();
console.log(`${checks} checks, sharp ${sharp.versions.sharp} with libvips ${sharp.versions.vips}`);

async function compareFile(name, bytes) {
  const own = await read(bytes, '0');
  const both = await read(bytes, '1');
  if (own.error !== undefined) {
    // Refused by our decoders: read, or refused by name too.
    const isRead = both.decoder === 'sharp' || both.error.includes('nor by the sharp');
    check(isRead, `${name}: ${both.error}`);
    return;
  }
  const expected = SUITED.test(name) && !LEFT.includes(name) ? 'sharp' : own.decoder;
  check(both.decoder === expected, `${name}: read by ${both.decoder}, expected ${expected}`);
  const most = /\.(jpg|avif)$|^(cw|lossy|anim)\.webp$/.test(name) ? MOST : 0;
  near(name, own, both, most);
}

async function compareOrientations() {
  for (let orientation = 1; orientation <= 8; orientation++) {
    const turned = sharp(source).withMetadata({ orientation });
    const files = { jpeg: turned.clone().jpeg(), webp: turned.clone().webp({ lossless: true }) };
    for (const [format, file] of Object.entries(files)) {
      const bytes = await file.toBuffer();
      near(
        `${format} of orientation ${orientation}`,
        await read(bytes, '0'),
        await read(bytes, '1'),
        format === 'jpeg' ? MOST : 0,
      );
    }
  }
}

/** A profile is embedded, and applied by neither. */
async function compareProfiles() {
  const wide = sharp(source).withIccProfile('p3');
  for (const format of ['jpeg', 'png', 'webp', 'tiff']) {
    const bytes = await wide.clone().toFormat(format, { lossless: true }).toBuffer();
    near(`${format} with a profile`, await read(bytes, '0'), await read(bytes, '1'), 0.5);
  }
  const cmyk = await sharp(source).toColourspace('cmyk').withIccProfile('cmyk').jpeg().toBuffer();
  const { decoder } = await read(cmyk, '1');
  check(decoder === 'sharp', `CMYK with a profile: read by ${decoder}`);
}

async function readWhatSharpAloneReads() {
  const fax = await sharp(source)
    .threshold(128)
    .toColourspace('b-w')
    .tiff({ compression: 'ccittfax4', bitdepth: 1 })
    .toBuffer();
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>');
  for (const [name, bytes, size] of [
    ['a fax TIFF', fax, '48×36'],
    ['an SVG drawing', svg, '4×3'],
  ]) {
    const { error, decoder, width, height } = await read(bytes, '1');
    check(decoder === 'sharp' && `${width}×${height}` === size, `${name}: ${error ?? decoder}`);
    const own = await read(bytes, '0');
    check(own.error?.includes('install sharp beside fastcam'), `${name}: ${own.error}`);
  }
}

async function refuseInTheSameWords() {
  for (const name of ['baseline.jpg', 'lossless.webp', 'photo.avif', 'src.png', 'src.tif']) {
    const cut = readFileSync(`${FILES}${name}`).subarray(0, 600);
    const own = await read(cut, '0');
    const both = await read(cut, '1');
    check(own.error && own.error === both.error, `${name}, cut: ${both.error ?? both.decoder}`);
  }
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"/>';
  const huge = await read(Buffer.from(svg), '1');
  check(/30000×30000, 900 megapixels/.test(huge.error), `a huge drawing: ${huge.error}`);
  const none = await read(Buffer.from('hello'), '1');
  check(/not a picture/.test(none.error), `no picture: ${none.error}`);
}

function compareReports() {
  for (const [setting, expected] of [
    ['1', 'sharp'],
    ['0', 'mozjpeg'],
  ]) {
    const argv = [`${PACKAGE}dist/cli/main.js`, 'explain', `${FILES}baseline.jpg`, '--json'];
    const out = ['--out', `${HERE}node_modules/.out`];
    const env = { ...process.env, FASTCAM_SHARP: setting };
    const report = JSON.parse(execFileSync(process.execPath, [...argv, ...out], { env }));
    const { decoder } = report.input;
    check(decoder === expected, `report: read by ${decoder}, expected ${expected}`);
  }
}

async function read(bytes, setting) {
  process.env.FASTCAM_SHARP = setting;
  try {
    return await decodePicture(bytes, 'the file');
  } catch (error) {
    return { error: error.message };
  }
}

function near(name, a, b, most) {
  const size = ({ width, height }) => `${width}×${height}`;
  check(size(a) === size(b), `${name}: ${size(b)} by ${b.decoder}, ${size(a)} by ${a.decoder}`);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i] - b.data[i]);
  const mean = sum / a.data.length;
  check(mean <= most, `${name}: ${a.decoder} and ${b.decoder} differ by ${mean} levels`);
}

function check(isRight, what) {
  checks++;
  if (isRight) return;
  console.error(`FAILED ${what}`);
  process.exitCode = 1;
}
