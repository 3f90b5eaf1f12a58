import { bundledModel, readPicture } from 'fastcam/node';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { openBrowser } from './browser.ts';
import {
  explained,
  explaining,
  openPage,
  overflow,
  painted,
  passes,
  violations,
} from './driver.ts';
import { page, url, usePage } from './setup.ts';

const repository = new URL('../../../', import.meta.url);
const fileIn = (path: string): string => new URL(path, repository).pathname;

usePage();

async function lookInside(of: Page): Promise<void> {
  await of.click('#inside');
  await of.waitForSelector('.column');
  await explained(of);
}

/** A number of every scale. */
function numbers(name: string): Promise<number[]> {
  return page
    .locator(`[data-number="${name}"]`)
    .evaluateAll((found) => found.map(({ textContent }) => Number.parseFloat(textContent!)));
}

/** Where the point is, in parts of the picture. */
function pointOf(of: Page): Promise<[number, number]> {
  return of.evaluate(() => {
    const { style } = document.getElementById('main')!;
    return [Number(style.getPropertyValue('--u')), Number(style.getPropertyValue('--v'))];
  });
}

test('it begins at the most salient pixel, with the numbers of each column as the library has them', async () => {
  const before = await passes(page);
  await lookInside(page);
  // A pass of its own, which is none of those that explain.
  expect(await passes(page)).toBe(before);
  const { net } = await bundledModel();
  const e = net.explain(await readPicture(fileIn('samples/chelsea.png')));
  const { data, shape } = e.combinedMap;
  const [H, W] = shape as [number, number];
  const [u, v] = await pointOf(page);
  const here = data[Math.floor(v * H) * W + Math.floor(u * W)]!;
  expect(here).toBeGreaterThan(0.99 * data.reduce((most, value) => Math.max(most, value)));
  const at = (maps: typeof e.rawMaps): number[] =>
    maps.map((map) => {
      const [h, w] = map.shape as [number, number];
      return map.data[Math.floor(v * h) * w + Math.floor(u * w)]!;
    });
  const gamma = net.explain(await readPicture(fileIn('samples/chelsea.png')), {
    statistic: 'gamma',
  });
  const mean = net.explain(await readPicture(fileIn('samples/chelsea.png')), { statistic: 'mean' });
  for (const [name, expected] of [
    ['phi', at(e.rawMaps)],
    ['theta', at(gamma.rawMaps)],
    ['mean', at(mean.rawMaps)],
  ] as const) {
    const told = await numbers(name);
    expect(told).toHaveLength(5);
    // The browser decodes and multiplies in its own way: a thousandth of the greatest, as for the maps.
    for (const [i, value] of told.entries()) {
      expect(Math.abs(value / expected[i]! - 1), `${name} of scale ${i + 1}`).toBeLessThan(0.01);
    }
  }
});

test('the numbers fit together as docs/algorithm.md says', async () => {
  await lookInside(page);
  const box = (await page.locator('#probe').boundingBox())!;
  for (const [u, v] of [
    [0.2, 0.3],
    [0.6, 0.7],
  ] as const) {
    await page.mouse.move(box.x + u * box.width, box.y + v * box.height);
    await painted(page);
    const [mean, meanLog, phi, theta, shape] = await Promise.all(
      ['mean', 'mean-log', 'phi', 'theta', 'shape'].map(numbers),
    );
    for (let i = 0; i < 5; i++) {
      const size = Math.max(mean![i]! * (1 + Math.abs(meanLog![i]!)), 1e-6);
      const own = mean![i]! * (Math.log2(mean![i]!) - meanLog![i]!);
      // Four digits of each are on the page.
      expect(Math.abs(own - phi![i]!)).toBeLessThan(2e-3 * size);
      expect(theta![i]! * shape![i]!).toBeCloseTo(mean![i]!, 2);
      expect(theta![i]!).toBeGreaterThan(0.999 * Math.LN2 * phi![i]!);
      expect(theta![i]!).toBeLessThan(1.001 * 2 * Math.LN2 * phi![i]!);
    }
  }
});

test('pointer and arrow keys move it, and another picture begins at its own most salient pixel', async () => {
  await lookInside(page);
  const first = await numbers('phi');
  await page.focus('#probe');
  await page.keyboard.press('Shift+ArrowLeft');
  await painted(page);
  const second = await numbers('phi');
  expect(second).not.toEqual(first);
  await page.locator('[data-map=scale3] .frame').hover({ position: { x: 9, y: 9 } });
  await painted(page);
  expect(await numbers('phi')).not.toEqual(second);
  const cat = await pointOf(page);
  await explaining(page, () => page.getByRole('button', { name: 'Coffee' }).click());
  await page.waitForFunction(
    (u) => document.getElementById('main')!.style.getPropertyValue('--u') !== String(u),
    cat[0],
  );
  await explained(page);
  expect(await page.locator('.column').count()).toBe(5);
  await page.click('#inside');
  expect(await page.isVisible('#columns')).toBe(false);
});

test.each([390, 1280])(
  'at a width of %i pixels nothing is cut off, and axe finds nothing',
  async (width) => {
    const browser = await openBrowser({ viewport: { width, height: 844 } });
    try {
      const { page: own, complaints } = await openPage(browser.context, url);
      await lookInside(own);
      expect(await overflow(own)).toBe(0);
      expect(await violations(own)).toEqual([]);
      const bars = await own
        .locator('.plot path')
        .evaluateAll((found) => found.map((path) => path.getBoundingClientRect().width));
      for (const each of bars) expect(each).toBeGreaterThan(80);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);
