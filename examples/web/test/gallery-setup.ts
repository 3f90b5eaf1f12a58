/** What the tests of the gallery begin with: explained samples, a browser, a new page for each test. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { GalleryEntry, GalleryPage } from '../../../dist/node/gallery/gallery.js';
import { type Browser, openBrowser } from './browser.ts';
import { painted } from './driver.ts';
import { explainSamples, writeGallery } from './gallery-folder.ts';

/** Where the gallery and its pictures are. */
export let folder: string;
/** The three samples, one of them with a name that needs care. */
export let samples: readonly GalleryEntry[];
export let page: Page;
/** What the browser complains of. What is left of it fails the test. */
export let complaints: string[];

/** For what the browser does a moment later. */
export const WAIT = { timeout: 10_000 };

export function useGallery(): void {
  let browser: Browser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fastcam-gallery-'));
    samples = await explainSamples(folder, [
      { sample: 'chelsea.png', path: 'photos/cat.png' },
      { sample: 'coffee.png', path: 'a b#c?d%20"e\'<f>&é日本.png' },
      { sample: 'rocket.jpg', path: 'rocket.jpg' },
    ]);
    browser = await openBrowser({ viewport: { width: 1280, height: 900 } });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    page = await browser.context.newPage();
    complaints = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  });
  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
  });
}

/** Writes a gallery and opens it from the disk. */
export async function open(content: Partial<GalleryPage>, fragment = ''): Promise<void> {
  await page.goto(`${writeGallery(folder, content)}${fragment}`);
  await painted(page);
}

/** The names on the cards, in order. */
export function names(): Promise<string[]> {
  return page.locator('#cards h2').allTextContents();
}

/** What has the focus, as it is read aloud. */
export function focused(): Promise<string | null> {
  return page.evaluate(() => document.activeElement!.getAttribute('aria-label'));
}
