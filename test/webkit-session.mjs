/**
 * Debian's WebKitGTK (packages webkit2gtk-driver and xvfb): a screen in memory, and the driver that opens the browser
 * on it. It speaks WebDriver's HTTP, for which callers bring a client.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';

const DRIVER = '/usr/bin/WebKitWebDriver';
const SCREEN = '/usr/bin/Xvfb';
/** The packages' only browser, as the driver names it. */
export const CAPABILITIES = { browserName: 'MiniBrowser' };
const POLL_MS = 50;

/**
 * Starts both.
 *
 * @returns {Promise<{ address: string, stop: () => void }>} where the driver listens; whoever calls stops them
 * @throws where a package is missing
 */
export async function startWebKit() {
  for (const path of [DRIVER, SCREEN]) {
    if (existsSync(path)) continue;
    throw new Error(`${path} is not there: apt-get install webkit2gtk-driver xvfb`);
  }
  // It chooses a free display, and writes its number to file 3.
  const screen = spawn(SCREEN, ['-displayfd', '3', '-screen', '0', '1280x900x24'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [display] = await once(screen.stdio[3], 'data');
  const port = await freePort();
  const env = { ...process.env, DISPLAY: `:${String(display).trim()}` };
  const driver = spawn(DRIVER, [`--port=${port}`], { env, stdio: 'ignore' });
  const address = `http://127.0.0.1:${port}`;
  await listening(address, driver);
  const stop = () => {
    driver.kill();
    screen.kill();
  };
  return { address, stop };
}

async function freePort() {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(address, driver) {
  for (;;) {
    if (driver.exitCode !== null) throw new Error(`${DRIVER} ended with code ${driver.exitCode}`);
    try {
      await fetch(`${address}/status`);
      return;
    } catch {
      await new Promise((next) => setTimeout(next, POLL_MS));
    }
  }
}
