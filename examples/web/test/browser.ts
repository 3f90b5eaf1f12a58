/** The built page in Debian's Chromium: a server for it, and a browser that has seen nothing before. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';
import { type PreviewServer, preview } from 'vite';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Without a GPU; or with WebGPU in software, which takes its flags. */
export const NO_GPU: readonly string[] = ['--disable-gpu'];
export const SOFTWARE_GPU: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

/** It looks for no updates, and shows its own test picture where a page asks for the camera. */
const ARGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];

/** Serves dist/, with the content security policy as a header of every file. */
export async function servePage(): Promise<{ server: PreviewServer; url: string }> {
  const root = new URL('..', import.meta.url).pathname;
  const server = await preview({
    root,
    preview: { port: 0, host: '127.0.0.1' },
    logLevel: 'error',
  });
  return { server, url: server.resolvedUrls!.local[0]! };
}

export interface Browser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** @throws where there is no Chromium: nothing is tested without it, and nothing is skipped */
export async function openBrowser(
  options: BrowserContextOptions = {},
  gpu: readonly string[] = NO_GPU,
): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) {
    throw new Error(
      `${EXECUTABLE} is not there: install Chromium (Debian: apt-get install chromium), or name it in CHROMIUM`,
    );
  }
  const profile = mkdtempSync(join(tmpdir(), 'fastcam-page-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    args: [...ARGS, ...gpu],
    ...options,
  });
  const close = async (): Promise<void> => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, close };
}
