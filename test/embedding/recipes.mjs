/** The recipes of docs/embedding.md, each as a stranger would follow it. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { resultOf, resultOfExtension, resultOfFolder } from './page.mjs';

const BUN = fileURLToPath(
  new URL('../runtimes/node_modules/@oven/bun-linux-x64/bin/bun', import.meta.url),
);
const CAT = 'samples/chelsea.png';

/** What every recipe must say: the class of the sample, and a backend that is not plain JavaScript. */
const EXPECTED = /^Egyptian cat, (?:relaxed|simd)\b/;

export const recipes = [
  page('vite-react', 'Vite 5', { install: ['vite@5', '@vitejs/plugin-react@4'] }),
  page('vite-vue', 'Vite 6', { install: ['vite@6', '@vitejs/plugin-vue@6'] }),
  page('vite-react', 'Vite 7', { install: ['vite@7', '@vitejs/plugin-react@5'] }),
  page('vite-vue', 'Vite 8', { install: ['vite@8', '@vitejs/plugin-vue@6'], dev: true }),
  page('webpack', 'webpack 5', { html: true }),
  page('rspack', 'Rspack 2', { html: true }),
  page('parcel', 'Parcel 2'),
  page('esbuild', 'esbuild, a classic worker', { html: true }),
  { name: 'rollup: es, iife, umd', run: rollup },
  page('service-worker', 'a service worker', { html: true }),
  { name: 'extension: its background', run: extension },
  { name: 'next: Turbopack, webpack', run: next },
  { name: 'sveltekit', node: 24, run: sveltekit },
  { name: 'node-bundle: one file by esbuild', run: nodeBundle },
  { name: 'bun-compile: one binary', run: bunCompile },
  { name: 'jest', run: jest },
  { name: 'pnpm', run: pnpm },
  { name: 'yarn: Plug’n’Play', run: yarn },
  { name: 'servers: Express, Fastify, Hono', run: servers },
  { name: 'readme: its example', run: readme },
  { name: 'without optional packages', run: withoutCodecs },
  { name: 'examples/web, copied', run: webExample },
  { name: 'examples/worker, copied', run: workerExample },
  { name: 'examples/server, copied', run: serverExample },
];

/** A page with a worker: shared/explain.js and explainer.js are the same in most of them. */
function page(folder, version, { install = [], html = false, dev = false } = {}) {
  return {
    name: `${folder}: ${version}`,
    async run(project) {
      project.copy('shared', 'src');
      project.copy(folder);
      await project.install(...install);
      await project.run('npm', 'run', 'build');
      if (html) project.copy('shared/index.html', 'dist/index.html');
      const built = expected(await resultOfFolder(project.path('dist')));
      return dev ? `${built}; ${await servedByVite(project)}` : built;
    },
  };
}

/** Vite's server for development bundles each dependency by itself. */
async function servedByVite(project) {
  project.copy(CAT, 'public/cat.png');
  return project.serve(['npx', 'vite', '--port', 'PORT'], async (address) =>
    expected(await resultOf(address)),
  );
}

async function rollup(project) {
  project.copy('rollup');
  await project.install();
  await project.run('npm', 'run', 'build');
  project.copy('rollup/pages', 'dist');
  const said = [];
  for (const format of ['es', 'iife', 'umd']) {
    said.push(expected(await resultOfFolder(project.path('dist'), `${format}.html`)));
  }
  return said.join('; ');
}

async function extension(project) {
  project.copy('extension');
  await project.install();
  await project.run('npm', 'run', 'build');
  project.copy(CAT, 'dist/cat.png');
  return expected(await resultOfExtension(project.path('dist'), 'popup.html'));
}

async function next(project) {
  project.copy('shared', 'app');
  project.copy('next');
  project.copy(CAT, 'public/cat.png');
  await project.install();
  const turbopack = await builtByNext(project);
  project.copy('next-webpack');
  return `${turbopack}; ${await builtByNext(project, '--webpack')}`;
}

async function builtByNext(project, ...flags) {
  await project.run('npm', 'run', 'build', '--', ...flags);
  return project.serve(['npm', 'start'], async (address) => {
    const said = expected(await resultOf(address));
    return `${said}; ${await posted(`${address}/api/explain`)}`;
  });
}

async function sveltekit(project) {
  project.copy('shared', 'src/lib');
  project.copy('sveltekit');
  project.copy(CAT, 'static/cat.png');
  await project.install();
  await project.run('npm', 'run', 'build');
  return project.serve(['npm', 'start'], async (address) => {
    const said = expected(await resultOf(address));
    return `${said}; ${await posted(`${address}/explain`)}`;
  });
}

/** Deployed without node_modules, and with the model beside the file. */
async function nodeBundle(project) {
  project.copy('node-bundle');
  project.copy(CAT, 'cat.png');
  await project.install();
  for (const format of ['esm', 'cjs', 'bare']) await project.run('npm', 'run', format);
  await project.run('mv', 'node_modules', 'moved');
  const said = [];
  for (const file of ['app.mjs', 'app.cjs']) {
    said.push(expected(await project.run('node', `deploy/${file}`, 'cat.png')));
  }
  // Pictures are read without the model, and the message tells how to bring it.
  const failure = await project.run('node', 'deploy/bare.cjs', 'cat.png').catch((error) => error);
  if (!/^451×300$/m.test(failure.message)) throw failure;
  if (!/copy it from fastcam\/models/.test(failure.message)) throw failure;
  return said.join('; ');
}

async function bunCompile(project) {
  project.copy('bun-compile');
  project.copy(CAT, 'cat.png');
  await project.install();
  await project.run(BUN, 'build', '--compile', 'app.js', '--outfile', 'app');
  await project.run('rm', '-r', 'node_modules');
  return expected(await project.run('./app', 'cat.png'));
}

async function jest(project) {
  project.copy('jest');
  project.copy(CAT, 'cat.png');
  await project.install();
  await project.run('npm', 'test');
  return 'its test passes';
}

async function pnpm(project) {
  project.copy('package-managers');
  project.usePackage();
  await project.run('npx', '--yes', 'pnpm@12', 'install');
  return expected(await project.run('node', 'app.js'));
}

async function yarn(project) {
  project.copy('package-managers');
  project.usePackage();
  project.write('yarn.lock', '');
  const command = ['npx', '--yes', '--package=@yarnpkg/cli-dist@4', 'yarn'];
  await project.run(...command, 'install');
  return expected(await project.run(...command, 'node', 'app.js'));
}

async function servers(project) {
  project.copy('servers');
  await project.install();
  const said = [];
  for (const name of ['express', 'fastify', 'hono']) {
    said.push(
      await project.serve(['node', `${name}.js`], (address) => posted(`${address}/explain`)),
    );
  }
  return said.join('; ');
}

async function readme(project) {
  const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, code, output] = /```js\n(.*?)```.*?```text\n(.*?)```/s.exec(text);
  await project.install();
  project.write('example.mjs', code);
  const last = await project.run('node', 'example.mjs');
  if (!output.endsWith(`${last}\n`)) throw new Error(`prints ${last} in place of ${output}`);
  return last;
}

/** PNG is read; other pictures are refused with the name of the package that is missing. */
async function withoutCodecs(project) {
  project.copy('package-managers');
  project.copy('samples/rocket.jpg', 'rocket.jpg');
  await project.install('--omit=optional');
  const said = expected(await project.run('node', 'app.js'));
  const failure = await project
    .run('npx', 'fastcam', 'explain', 'rocket.jpg')
    .catch((error) => error.message);
  if (!/npm install @jsquash\/jpeg/.test(failure)) throw new Error(failure);
  return said;
}

async function webExample(project) {
  project.copy('examples/web');
  await project.install();
  await project.run('npm', 'run', 'build');
  return 'builds';
}

async function workerExample(project) {
  project.copy('examples/worker');
  await project.install();
  await project.run('npm', 'run', 'check');
  await project.run('npm', 'run', 'build');
  return 'builds';
}

async function serverExample(project) {
  project.copy('examples/server');
  await project.install();
  await project.run('npm', 'run', 'build');
  return 'builds';
}

/** What a server says of the cat, a PNG; the rocket, a JPEG, has a decoder in WebAssembly. */
async function posted(address) {
  const jpeg = await answer(address, 'image/jpeg', 'samples/rocket.jpg');
  if (jpeg.label === undefined) throw new Error('no answer to a JPEG');
  const { label, backend } = await answer(address, 'image/png', CAT);
  return expected(`${label}, ${backend}`);
}

async function answer(address, type, picture) {
  const body = readFileSync(new URL(`../../${picture}`, import.meta.url));
  const headers = { 'content-type': type };
  const response = await fetch(address, { method: 'POST', headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${type}: ${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

function expected(said) {
  if (!EXPECTED.test(said)) throw new Error(`says ${JSON.stringify(said)}`);
  return said;
}
