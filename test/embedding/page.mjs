/** Opens built pages in Debian's Chromium, and reads what they say. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

const { chromium } = createRequire(new URL('../runtimes/', import.meta.url))('playwright-core');

const PICTURE = readFileSync(new URL('../../samples/chelsea.png', import.meta.url));
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
};
const TIMEOUT_MS = 60_000;

/** The text that the page of a folder puts into its element `#result`. `cat.png` is always there. */
export async function resultOfFolder(folder, page = 'index.html') {
  const server = createServer(({ url }, response) => {
    const path = new URL(url, 'http://localhost').pathname;
    try {
      const body = path.endsWith('/cat.png') ? PICTURE : readFileSync(join(folder, path));
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await resultOf(`http://localhost:${server.address().port}/${page}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** The text that the page at an address puts into its element `#result`. */
export function resultOf(address) {
  return withBrowser([], async (browser) => {
    const tab = await browser.newPage();
    const said = [];
    tab.on('pageerror', ({ message }) => said.push(message));
    tab.on('console', (line) => line.type() === 'error' && said.push(line.text()));
    await tab.goto(address);
    try {
      const result = tab.locator('#result', { hasText: /\S/ });
      return await result.textContent({ timeout: TIMEOUT_MS });
    } catch (error) {
      throw new Error(`${error.message.split('\n')[0]} ${said.join('; ')}`);
    }
  });
}

export async function withBrowser(flags, use) {
  const profile = mkdtempSync(join(tmpdir(), 'fastcam-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    args: [...FLAGS, ...flags],
    ...(flags.length > 0 && { ignoreDefaultArgs: ['--disable-extensions'] }),
  });
  try {
    return await use(browser);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** The text that a page of an extension puts into its element `#result`. */
export function resultOfExtension(folder, page) {
  const flags = [`--disable-extensions-except=${folder}`, `--load-extension=${folder}`];
  return withBrowser(flags, async (browser) => {
    const [own] = browser.serviceWorkers();
    const background =
      own ?? (await browser.waitForEvent('serviceworker', { timeout: TIMEOUT_MS }));
    const tab = await browser.newPage();
    await tab.goto(new URL(page, background.url()).href);
    return tab.locator('#result', { hasText: /\S/ }).textContent({ timeout: TIMEOUT_MS });
  });
}
