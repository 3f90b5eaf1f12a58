// The race in Chromium, on a cross-origin isolated page: the only place where TensorFlow.js has threads.
//
// The page has the headers COOP and COEP. fastcam, TensorFlow.js (its build with threads and SIMD, `setThreadsCount`) and
// onnxruntime-web (`env.wasm.numThreads`) run in turns in the page's own thread, with workers of their own.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { build } from 'esbuild';
import { median } from '../../dist/node/stopwatch.js';

const here = createRequire(import.meta.url);
const { chromium } = createRequire(new URL('../../test/runtimes/', import.meta.url))(
  'playwright-core',
);

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const TYPES = { '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const PAGE = '<!doctype html><script type="module" src="/page.js"></script>';

/** @returns medians of each peer in ms, ours first, and the version of the browser */
export async function racePage(options) {
  const { outputFiles } = await build({
    entryPoints: [new URL('page-entry.mjs', import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    external: ['node:*', '/ort/*'],
    write: false,
    logLevel: 'error',
  });
  const site = await serve(outputFiles[0].contents, options);
  const profile = mkdtempSync(join(tmpdir(), 'fastcam-race-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    args: FLAGS,
  });
  try {
    const tab = await context.newPage();
    tab.on('pageerror', (error) => site.fail(error));
    await tab.goto(site.address);
    const outcome = await site.report;
    if (outcome.failure) throw new Error(outcome.failure);
    const version = context.browser().version();
    return { version, racers: outcome.map(({ ms, ...racer }) => ({ ...racer, ms: median(ms) })) };
  } finally {
    await context.close();
    site.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function serve(script, options) {
  const folders = {
    '/tfjs/': dirname(here.resolve('@tensorflow/tfjs-backend-wasm')),
    '/ort/': dirname(here.resolve('onnxruntime-web/wasm')),
  };
  let settle;
  const report = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  const server = createServer(async (request, response) => {
    const { url, method } = request;
    const send = (type, body) =>
      response.writeHead(200, { 'Content-Type': type, ...HEADERS }).end(body);
    if (method === 'POST') {
      settle.resolve(await json(request));
      response.end();
    } else if (url === '/') send('text/html', PAGE);
    else if (url === '/page.js') send('text/javascript', script);
    else if (url === '/options.json') send('application/json', JSON.stringify(options));
    else {
      const folder = folders[Object.keys(folders).find((begin) => url.startsWith(begin))];
      if (!folder) return response.writeHead(404).end();
      send(
        TYPES[extname(url)] ?? 'application/octet-stream',
        readFileSync(join(folder, basename(url))),
      );
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://localhost:${server.address().port}/`;
  return { address, report, fail: settle.reject, close: () => server.close() };
}
