import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { openBrowser, servePage } from './browser.ts';
import { openPage, painted } from './driver.ts';
import { explainSamples, writeGallery } from './gallery-folder.ts';

const images = new URL('../../../docs/images/', import.meta.url).pathname;

test('the whole page, for the README', async () => {
  const { server, url } = await servePage();
  const browser = await openBrowser({ viewport: { width: 1040, height: 800 } });
  try {
    const { page } = await openPage(browser.context, url);
    // The cost of a first drawing is not that of the next ones.
    for (const weights of ['ramp', 'prior', 'equal', 'ramp', 'equal']) {
      await page.click(`[data-weights=${weights}]`);
      await painted(page);
    }
    await page.locator('#probe').hover({ position: { x: 132, y: 110 } });
    await painted(page);
    await page.screenshot({ path: `${images}page.png`, fullPage: true });
  } finally {
    await browser.close();
    await server.close();
  }
});

test('a gallery of the samples, for docs/gallery.md', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fastcam-gallery-'));
  const browser = await openBrowser({ viewport: { width: 1040, height: 632 } });
  try {
    const entries = await explainSamples(
      folder,
      ['chelsea.png', 'coffee.png', 'rocket.jpg'].map((name) => ({
        sample: name,
        path: `samples/${name}`,
      })),
    );
    const page = await browser.context.newPage();
    await page.goto(writeGallery(folder, { entries }));
    await page.waitForFunction(() => [...document.images].every(({ complete }) => complete));
    await painted(page);
    await page.screenshot({ path: `${images}gallery.png` });
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});
