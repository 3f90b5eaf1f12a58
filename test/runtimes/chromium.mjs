/**
 * Chromium: a page of one module, served from localhost under the headers that decide what a page may
 * do. The page posts its report, so that nothing has to be evaluated in it from outside.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { chromium } from 'playwright-core';
import { bundle } from './layout.mjs';

const EXECUTABLE = '/usr/bin/chromium';
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  // It asks nobody but the page's server.
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const PAGE = '<!doctype html><script type="module" src="page-entry.mjs"></script>';
const TYPES = { '.html': 'text/html', '.mjs': 'text/javascript', '.png': 'image/png' };

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const policy = (sources) => ({ 'Content-Security-Policy': `script-src ${sources}` });

const ALL = ['js', 'simd', 'relaxed'];

export const pages = [
  page('Chromium', {}, ALL, { codeGeneration: true, isolated: false }),
  page('Chromium isolated', ISOLATION, ALL, { codeGeneration: true, isolated: true }),
  page("Chromium CSP 'wasm-unsafe-eval'", policy("'self' 'wasm-unsafe-eval'"), ALL, {
    codeGeneration: false,
    isolated: false,
  }),
  {
    ...page("Chromium CSP 'self'", policy("'self'"), ['js'], {
      codeGeneration: false,
      isolated: false,
    }),
    // The engine has SIMD: that the page may not use it is the page's to know.
    auto: 'UnsupportedError',
  },
];

function page(name, headers, backends, allowed) {
  return { name, backends, allowed, run: (folder) => openPage(folder, headers) };
}

async function openPage(folder, headers) {
  await bundle(folder, 'page-entry.mjs', { conditions: ['browser'] });
  writeFileSync(join(folder, 'index.html'), PAGE);
  const site = await serve(folder, headers);
  const profile = mkdtempSync(join(tmpdir(), 'fastcam-chromium-'));
  const options = { executablePath: EXECUTABLE, args: FLAGS };
  const browser = await chromium.launchPersistentContext(profile, options);
  try {
    const tab = await browser.newPage();
    const failure = new Promise((_, reject) => {
      tab.on('pageerror', reject);
      setTimeout(reject, 120_000, new Error('the page did not report')).unref();
    });
    await tab.goto(site.address);
    return await Promise.race([site.report, failure]);
  } finally {
    await browser.close();
    site.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Serves the folder on a free port of this machine; `report` is what will be posted. */
async function serve(folder, headers) {
  let posted;
  const report = new Promise((resolve) => {
    posted = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      posted(await json(request));
      response.end();
      return;
    }
    const path = request.url === '/' ? '/index.html' : request.url;
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    try {
      const body = readFileSync(join(folder, path));
      response.writeHead(200, { 'Content-Type': type, ...headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://localhost:${server.address().port}/`;
  return { address, report, close: () => server.close() };
}
