/**
 * What the engines are given: the package as npm packs it, in a folder of its own, of its dependencies
 * none but the ONNX reader's, and out of reach of this repository's; the suite's files; and the suite in one file
 * for engines that resolve no package.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { readPicture } from '../../dist/node/index.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));

const FILES = [
  'models/tiny-resnet50.safetensors',
  'samples/chelsea.png',
  'samples/rocket.jpg',
  'test/goldens/graph/densenet.gradients.safetensors',
  'test/goldens/graph/densenet.safetensors',
  'test/goldens/graph/densenet.weights.safetensors',
  'test/goldens/graph/mobilenet-v3.onnx',
  'test/goldens/graph/mobilenet-v3.safetensors',
  'test/goldens/resnet18_2x64x96_s2.safetensors',
  'test/goldens/tiny-resnet50-f32.safetensors',
  'test/goldens/tiny-resnet50-pipeline.safetensors',
];

/** Makes a folder with node_modules/fastcam, node_modules/pbf and files/. Whoever calls removes it. */
export async function layOut() {
  const folder = mkdtempSync(join(tmpdir(), 'fastcam-runtimes-'));
  const installed = join(folder, 'node_modules', 'fastcam');
  mkdirSync(installed, { recursive: true });
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const archive = execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', installed, '--strip-components', '1']);
  cpSync(join(ROOT, 'node_modules/pbf'), join(folder, 'node_modules/pbf'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));

  mkdirSync(join(folder, 'files'));
  for (const file of FILES) copyFileSync(join(ROOT, file), join(folder, 'files', basename(file)));
  const { data } = await readPicture(join(ROOT, 'samples/chelsea.png'));
  writeFileSync(join(folder, 'files', 'picture.rgba'), data);
  return folder;
}

/**
 * Bundles an engine's entry into the folder.
 *
 * @param options for esbuild: above all what stays an import, which the engine resolves
 */
export async function bundle(folder, entry, options = {}) {
  const outfile = join(folder, entry);
  await build({
    entryPoints: [join(HERE, entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    nodePaths: [join(folder, 'node_modules')],
    ...options,
  });
  return outfile;
}
