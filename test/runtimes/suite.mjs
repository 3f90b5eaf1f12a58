/**
 * The same checks for every engine: two ResNets against the goldens of the authors' code, a DenseNet and the
 * MobileNetV3 of an ONNX file against PyTorch's, and maps of one picture, which are compared with Node's
 * afterwards. It does not depend on an engine: it takes bytes, and its result can be written as JSON.
 */

import { loadNetwork, makeKernels, networkOf } from 'fastcam';
import { attribute } from 'fastcam/gradients';
import { orient, parseSafetensors } from 'fastcam/model';
import { loadNetwork as loadOnnx } from 'fastcam/onnx';
import { makeKernels as makeThreaded } from 'fastcam/threads';
import { distance, everyThird } from '../compare.ts';
import { hashImage, hashWeights, stateDictOf, torchvisionStateDict } from '../hash-weights.ts';

/** The picture that every engine explains. */
const PICTURE = { width: 451, height: 300 };

/** Bounds of test/goldens.test.ts. */
const BOUNDS = { logits: 2e-5, smoe: 2e-3, combined: 1e-3, gradient: 1e-3 };

/** A small ResNet-50 with all five scales, which an interpreter runs in a second. */
const SMALL = { depths: [1, 1, 1, 1], width: 8, classes: 5 };
const SMALL_SIZE = 64;

/**
 * Runs the suite on each backend.
 *
 * @param read gives the bytes of a file of the suite
 * @param clock gives milliseconds, perhaps after a while: where time stands still while code runs, it
 * waits for it to go on
 * @param decode gives the picture of a PNG or JPEG file as it is to be seen, where the engine has what
 * it takes
 * @param full false where an engine is too slow for more than the small network
 * @returns {{ allowed, auto, checks, backends, threads }} checks (what, error, bound) of decoded pictures; for
 * each backend its checks, the picture's maps and the milliseconds of a forward pass, or why it was
 * refused; and what two threads do
 */
export async function runSuite({ read, clock, decode, full = true }) {
  const backends = [];
  for (const backend of ['js', 'simd', 'relaxed']) {
    try {
      const kernels = await makeKernels(backend);
      backends.push({ backend, ...(await runBackend(kernels, { read, clock, full })) });
    } catch (error) {
      if (error.name !== 'UnsupportedError') throw error;
      backends.push({ backend, refused: error.message });
    }
  }
  const allowed = { codeGeneration: codeGeneration() };
  const checks = decode ? await checkPictures(decode, read) : [];
  const auto = await makeKernels().then(
    ({ name }) => name,
    (error) => error.name,
  );
  const threads = auto === 'UnsupportedError' ? undefined : await runThreads({ read, clock, full });
  return { allowed, auto, checks, backends, threads };
}

/** Asks for two threads: how many there are, on which backend, or why not, the map, and the milliseconds. */
async function runThreads({ read, clock, full }) {
  const kernels = await makeThreaded({ threads: 2 });
  const { name: backend, threads: count = 1, fallback } = kernels;
  if (!full) return { backend, count, fallback };
  const picture = { ...PICTURE, data: await read('picture.rgba') };
  const bundled = await loadNetwork(await read('tiny-resnet50.safetensors'), { kernels });
  const map = mapOf(bundled, picture);
  const ms = await timePass(bundled.forward(1, 128, 192), clock);
  kernels.dispose();
  return { backend, count, fallback, map, ms };
}

async function runBackend(kernels, { read, clock, full }) {
  const picture = { ...PICTURE, data: await read('picture.rgba') };
  const small = networkOf(hashWeights(stateDictOf(SMALL), 3), { kernels });
  const densenet = await loadNetwork(await read('densenet.weights.safetensors'), { kernels });
  const mobilenet = await loadOnnx(await read('mobilenet-v3.onnx'), { kernels });
  const maps = {
    small: mapOf(small, picture, SMALL_SIZE),
    densenet: mapOf(densenet, picture, SMALL_SIZE),
    mobilenet: mapOf(mobilenet, picture, SMALL_SIZE),
  };
  const passMs = { small: await timePass(small.forward(1, SMALL_SIZE, SMALL_SIZE), clock) };
  if (!full) return { checks: [], maps, passMs };
  const checks = [
    ...(await checkHashed(kernels, read)),
    ...(await checkTrained(kernels, read)),
    ...(await checkDenseNet(densenet, read)),
    ...(await checkMobileNet(mobilenet, read)),
  ];
  const bundled = await loadNetwork(await read('tiny-resnet50.safetensors'), { kernels });
  maps.bundled = mapOf(bundled, picture);
  passMs.bundled = await timePass(bundled.forward(1, 128, 192), clock);
  return { checks, maps, passMs };
}

/** ResNet-18 with weights made from a hash, two pictures of 64×96. */
async function checkHashed(kernels, read) {
  const [salt, shape] = [2, [2, 3, 64, 96]];
  const golden = goldenOf(await read('resnet18_2x64x96_s2.safetensors'));
  const net = networkOf(hashWeights(torchvisionStateDict('resnet18'), salt), { kernels });
  const batch = { data: hashImage(salt, 2 * 3 * 64 * 96), shape };
  return net.explainBatch(batch).flatMap((e, n) => {
    const item = (key) => {
      const { data } = golden(key);
      return data.slice((n * data.length) / 2, ((n + 1) * data.length) / 2);
    };
    return checkArrays(e, item, 'combined');
  });
}

/** The bundled model's weights before they were rounded to float16, on a photograph. */
async function checkTrained(kernels, read) {
  const golden = goldenOf(await read('tiny-resnet50-pipeline.safetensors'));
  const net = await loadNetwork(await read('tiny-resnet50-f32.safetensors'), { kernels });
  const get = (key) => golden(`cat.${key}`).data;
  return checkArrays(net.explain(golden('cat.input')), get, 'combined.equal');
}

/** Another family: concatenations, batch norms that no convolution takes in, pools between the scales. */
async function checkDenseNet(net, read) {
  const [salt, shape] = [4034, [1, 3, 96, 128]];
  const golden = goldenOf(await read('densenet.safetensors'));
  const input = { data: hashImage(salt, 3 * 96 * 128), shape };
  const gradients = goldenOf(await read('densenet.gradients.safetensors'));
  const { attribution } = attribute(net, input);
  const gradient = everyThird(attribution.data, attribution.shape);
  return [
    ...checkArrays(net.explain(input), (key) => golden(key).data, 'combined'),
    checkOf('gradient', gradient, gradients('gradient').data),
  ];
}

/** From ONNX: depthwise convolutions, hard swish, squeeze-and-excitation. PyTorch says its logits. */
async function checkMobileNet(net, read) {
  const [salt, shape] = [4119, [1, 3, 96, 96]];
  const golden = goldenOf(await read('mobilenet-v3.safetensors'));
  const { logits } = net.explain({ data: hashImage(salt, 3 * 96 * 96), shape });
  return [checkOf('logits', logits, golden('logits').data)];
}

function checkArrays(explanation, golden, combined) {
  const { logits, rawMaps, combinedMap } = explanation;
  return [
    checkOf('logits', logits, golden('logits')),
    ...rawMaps.map(({ data }, i) => checkOf('smoe', data, golden(`smoe.${i}`))),
    checkOf('combined', combinedMap.data, golden(combined)),
  ];
}

function checkOf(what, got, expected) {
  return { what, error: distance(got, expected).largest, bound: BOUNDS[what] };
}

/** A decoded file has Node's pixels, and stands upright in each of the eight orientations. */
async function checkPictures(decode, read) {
  const check = (what, got, expected) => ({
    what,
    error: got.width === expected.width ? distance(got.data, expected.data).largest : 1,
    bound: 0,
  });
  const png = await decode(await read('chelsea.png'), 'image/png');
  const checks = [check('png', png, { ...PICTURE, data: await read('picture.rgba') })];
  const file = await read('rocket.jpg');
  const stored = await decode(file, 'image/jpeg');
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const turned = await decode(withOrientation(file, orientation), 'image/jpeg');
    checks.push(check(`orientation ${orientation}`, turned, orient(stored, orientation)));
  }
  return checks;
}

/** A JPEG with an EXIF segment of one tag behind its first marker. */
function withOrientation(jpeg, orientation) {
  const marker = [0xff, 0xe1, 0, 34];
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0];
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8];
  const directory = [0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([
    ...jpeg.subarray(0, 2),
    ...marker,
    ...exif,
    ...tiff,
    ...directory,
    ...jpeg.subarray(2),
  ]);
}

/** The arrays of a golden by name, as float32: what that rounds away is far below every bound. */
function goldenOf(bytes) {
  const file = parseSafetensors(bytes, 'golden');
  return (key) => ({ shape: file.tensors.get(key).shape, data: file.read(key) });
}

function mapOf(net, picture, size) {
  return Array.from(net.explain(picture, size && { size }).combinedMap.data);
}

/**
 * Milliseconds of a pass: the best of fifteen rounds, because what else the machine does only adds to
 * them; each is long enough for a coarse clock.
 */
async function timePass(pass, clock) {
  const time = async (rounds) => {
    const start = await clock();
    for (let i = 0; i < rounds; i++) pass.run();
    return ((await clock()) - start) / rounds;
  };
  await time(3);
  const rounds = Math.max(1, Math.round(60 / Math.max(0.5, await time(2))));
  const times = [];
  for (let i = 0; i < 15; i++) times.push(await time(rounds));
  return Math.min(...times);
}

/** Whether the engine makes code from strings. The suite runs where it may not. */
function codeGeneration() {
  try {
    return new Function('return true')();
  } catch {
    return false;
  }
}
