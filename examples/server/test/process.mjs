/** The server as a process of its own, as it is deployed. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** @returns { url, ended, kill }, `ended` resolving to the exit code */
export async function startProcess() {
  const env = { ...process.env, PORT: '0', THREADS: '2' };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code, signal]) => signal ?? code);
  const [line] = await once(createInterface(child.stdout), 'line');
  const [url] = line.split(',');
  return { url, ended, kill: (signal) => child.kill(signal) };
}
