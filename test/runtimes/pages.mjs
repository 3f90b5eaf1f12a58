/**
 * Browsers: a page of one module, served from localhost under the headers that decide what a page may
 * do. The page posts its report or what went wrong, so that nothing has to be evaluated in it from outside.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { chromium, firefox } from 'playwright-core';
import { Builder } from 'selenium-webdriver';
import { CAPABILITIES, startWebKit } from '../webkit-session.mjs';
import { bundle } from './layout.mjs';

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  // It asks nobody but the page's server.
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const PAGE = '<!doctype html><script type="module" src="page-entry.mjs"></script>';
const TYPES = { '.html': 'text/html', '.mjs': 'text/javascript', '.png': 'image/png' };
const LONGEST_MS = 240_000;

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const policy = (sources) => ({ 'Content-Security-Policy': `script-src ${sources}` });

/**
 * What opens an address and returns `{ version, close }`, the backends that the browser has, and the threads of an
 * isolated page. WebKitGTK has no SharedArrayBuffer.
 */
const BROWSERS = [
  ['Chromium', openChromium, ['js', 'simd', 'relaxed'], 2],
  ['Firefox', openFirefox, ['js', 'simd', 'relaxed'], 2],
  ['WebKitGTK', openWebKit, ['js', 'simd'], 1],
];

export const pages = BROWSERS.flatMap(([name, open, backends, threads]) => [
  page(name, open, {}, backends, { codeGeneration: true, isolated: false }),
  {
    ...page(`${name} isolated`, open, ISOLATION, backends, {
      codeGeneration: true,
      isolated: true,
    }),
    threads,
  },
  page(`${name} CSP 'wasm-unsafe-eval'`, open, policy("'self' 'wasm-unsafe-eval'"), backends, {
    codeGeneration: false,
    isolated: false,
  }),
  {
    ...page(`${name} CSP 'self'`, open, policy("'self'"), ['js'], {
      codeGeneration: false,
      isolated: false,
    }),
    // The engine has SIMD: that the page may not use it is the page's to know.
    auto: 'UnsupportedError',
  },
]);

function page(name, open, headers, backends, allowed) {
  return { name, backends, allowed, run: (folder) => reportOf(folder, open, headers) };
}

async function reportOf(folder, open, headers) {
  await bundle(folder, 'page-entry.mjs', { conditions: ['browser'] });
  writeFileSync(join(folder, 'index.html'), PAGE);
  const site = await serve(folder, headers);
  const profile = mkdtempSync(join(tmpdir(), 'fastcam-browser-'));
  let browser;
  try {
    browser = await open(site.address, profile);
    const tooLate = new Promise((_, reject) => {
      setTimeout(reject, LONGEST_MS, new Error('the page did not report')).unref();
    });
    const report = await Promise.race([site.report, tooLate]);
    if (report.failure) throw new Error(report.failure);
    return { ...report, version: browser.version };
  } finally {
    await browser?.close();
    site.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

function openChromium(address, profile) {
  const options = { executablePath: '/usr/bin/chromium', args: FLAGS };
  return openTab(address, chromium.launchPersistentContext(profile, options));
}

/** By WebDriver BiDi. */
function openFirefox(address, profile) {
  const options = { channel: 'moz-firefox', executablePath: '/usr/bin/firefox-esr' };
  return openTab(address, firefox.launchPersistentContext(profile, options));
}

async function openTab(address, launched) {
  const context = await launched;
  const tab = await context.newPage();
  await tab.goto(address);
  const version = context.browser().version().split('.')[0];
  return { version, close: () => context.close() };
}

/** By WebDriver. */
async function openWebKit(address) {
  const webkit = await startWebKit();
  const driver = await new Builder()
    .usingServer(webkit.address)
    .withCapabilities(CAPABILITIES)
    .build();
  await driver.get(address);
  const version = (await driver.getCapabilities()).getBrowserVersion();
  const close = async () => {
    await driver.quit();
    webkit.stop();
  };
  return { version, close };
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
