/** The built page in a browser of Debian's: a server for it, and a browser that has seen nothing before. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  firefox,
  type Page,
} from 'playwright-core';
import { type PreviewServer, preview } from 'vite';

/** The engine that the tests run in: vitest.config.ts says it. */
export const ENGINE: 'chromium' | 'firefox' =
  process.env['BROWSER'] === 'firefox' ? 'firefox' : 'chromium';

/** Without a GPU; or with WebGPU in software, which takes its flags. Of Chromium. */
export const NO_GPU: readonly string[] = ['--disable-gpu'];
export const SOFTWARE_GPU: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

/** It looks for no updates, and shows its own test picture where a page asks for the camera. */
const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];
const FIREFOX_PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
};
/** Firefox's own setting of what pages are told of the system's theme; BiDi has none that it knows. */
const FIREFOX_THEMES = { dark: 0, light: 1 };

/** Where each browser puts what pages save. */
const downloadFolders = new WeakMap<BrowserContext, string>();

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

export interface Saved {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Browser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

export type BrowserOptions = Omit<BrowserContextOptions, 'colorScheme'> & {
  readonly colorScheme?: 'light' | 'dark';
};

/** @throws where the browser is not there: nothing is tested without it, and nothing is skipped */
export async function openBrowser(
  options: BrowserOptions = {},
  gpu: readonly string[] = NO_GPU,
): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'fastcam-page-'));
  const downloads = join(profile, 'downloads');
  const context =
    ENGINE === 'firefox'
      ? await openFirefox(profile, downloads, options)
      : await chromium.launchPersistentContext(profile, {
          executablePath: executable('CHROMIUM', '/usr/bin/chromium'),
          headless: true,
          args: [...CHROMIUM_ARGS, ...gpu],
          ...options,
        });
  downloadFolders.set(context, downloads);
  const close = async (): Promise<void> => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/** By WebDriver BiDi, which the browser itself speaks. */
function openFirefox(
  profile: string,
  downloadsPath: string,
  { colorScheme = 'light', ...options }: BrowserOptions,
): Promise<BrowserContext> {
  return firefox.launchPersistentContext(profile, {
    channel: 'moz-firefox',
    executablePath: executable('FIREFOX', '/usr/bin/firefox-esr'),
    headless: true,
    firefoxUserPrefs: {
      ...FIREFOX_PREFERENCES,
      'layout.css.prefers-color-scheme.content-override': FIREFOX_THEMES[colorScheme],
    },
    downloadsPath,
    ...options,
  });
}

function executable(variable: string, path: string): string {
  const found = process.env[variable] ?? path;
  if (existsSync(found)) return found;
  const name = path.split('/').at(-1);
  throw new Error(
    `${found} is not there: install it (Debian: apt-get install ${name}), or name another in ${variable}`,
  );
}

/** Does something that saves a file, and waits for it. */
export function saved(page: Page, action: () => Promise<unknown>): Promise<Saved> {
  if (ENGINE === 'firefox') return savedInto(downloadFolders.get(page.context())!, action);
  return savedByEvent(page, action);
}

async function savedByEvent(page: Page, action: () => Promise<unknown>): Promise<Saved> {
  const [download] = await Promise.all([page.waitForEvent('download'), action()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** Firefox tells of no download of a blob: the file is waited for. */
async function savedInto(folder: string, action: () => Promise<unknown>): Promise<Saved> {
  const files = (): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  for (const old of files()) rmSync(join(folder, old));
  await action();
  for (;;) {
    const names = files();
    const [name] = names;
    // While it is written, a second file stands beside it.
    if (name !== undefined && names.length === 1 && !name.endsWith('.part')) {
      const bytes = await readFile(join(folder, name));
      rmSync(join(folder, name));
      return { name, bytes };
    }
    await new Promise((next) => setTimeout(next, 20));
  }
}
