/** How the page looks with pictures of any shape, on screens of any size. */

import { decodePicture } from 'fastcam/node';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { ENGINE, openBrowser } from './browser.ts';
import { explained, explaining, openPage, overflow, painted, violations } from './driver.ts';
import { page, url, usePage } from './setup.ts';

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

usePage();

/** Drops a picture of that size, drawn by the page itself. */
function dropPicture(width: number, height: number): Promise<void> {
  const give = () =>
    page.evaluate(
      async ([w, h]) => {
        const canvas = new OffscreenCanvas(w, h);
        const context = canvas.getContext('2d')!;
        context.fillStyle = 'teal';
        context.fillRect(0, 0, w / 2, h / 2);
        const blob = await canvas.convertToBlob();
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([blob], 'drawn.png', { type: 'image/png' }));
        const init = { dataTransfer, cancelable: true, bubbles: true };
        document.body.dispatchEvent(new DragEvent('drop', init));
      },
      [width, height] as const,
    );
  return explaining(page, give);
}

async function boxOf(selector: string, of: Page = page): Promise<Box> {
  return (await of.locator(selector).first().boundingBox())!;
}

const centre = ({ x, width }: Box): number => x + width / 2;

// In Firefox what takes the screenshot writes a style that the page's policy forbids.
test.runIf(ENGINE === 'chromium')('a class’s bar fills its track from top to bottom', async () => {
  const bar = page.locator('#classes label').first().locator(':nth-child(3)');
  const { data, width, height } = await decodePicture(await bar.screenshot(), 'bar.png');
  const colors = (x: number): string[] =>
    Array.from({ length: height }, (_, y) => {
      const at = 4 * (y * width + Math.round(x * width));
      return data.subarray(at, at + 3).join();
    });
  // The track is seen where the bar has ended, and nowhere above or below it.
  const track = '229,226,220';
  expect(colors(7 / 8)).toContain(track);
  expect(colors(1 / 8)).not.toContain(track);
});

test('LOVI’s key stands apart from its caption and is as wide as its map', async () => {
  const caption = await boxOf('[data-map=lovi] figcaption');
  const key = await boxOf('.lovi-legend');
  expect(key.y - caption.y - caption.height).toBeGreaterThan(3);
  expect(key.width).toBeCloseTo((await boxOf('[data-map=lovi] .frame')).width, 0);
  await dropPicture(200, 500);
  expect((await boxOf('.lovi-legend')).width).toBeCloseTo(
    (await boxOf('[data-map=lovi] .frame')).width,
    0,
  );
});

test.each([390, 800, 1280])(
  'a portrait’s maps, %i pixels wide, stand in the middle of their tiles, with sliders no wider',
  async (width) => {
    await page.setViewportSize({ width, height: 900 });
    await dropPicture(300, 500);
    await painted(page);
    for (const name of ['scale1', 'scale5', 'combined', 'lovi']) {
      const tile = await boxOf(`[data-map=${name}]`);
      const frame = await boxOf(`[data-map=${name}] .frame`);
      const isRow = width === 390 && name.startsWith('scale');
      expect(frame.width / frame.height).toBeCloseTo(0.6, 1);
      if (isRow) {
        const { x } = await boxOf(`[data-map=${name}] .choice`);
        expect(x - frame.x - frame.width).toBeLessThan(20);
        continue;
      }
      expect(Math.abs(centre(frame) - centre(tile))).toBeLessThan(1);
      if (name.startsWith('scale')) {
        const { width: slider } = await boxOf(`[data-map=${name}] .weight`);
        expect(slider).toBeLessThanOrEqual(frame.width + 1);
      }
    }
  },
);

describe.each([
  [1500, 10, 'drawn about 27 times as high as it is'],
  [10, 1500, 'drawn about 40 times as wide as it is'],
])('a picture of %i×%i', (width, height, told) => {
  test.each([390, 1280])(
    'can be seen %i pixels wide, and what was done is told',
    async (screen) => {
      await page.setViewportSize({ width: screen, height: 844 });
      await dropPicture(width, height);
      await painted(page);
      const { width: w, height: h } = await boxOf('#probe');
      expect(Math.min(w, h)).toBeGreaterThan(50);
      expect(await page.innerText('#stretched')).toContain(told);
      expect(await overflow(page)).toBe(0);
      expect(await violations(page)).toEqual([]);
      await explaining(page, () => page.getByRole('button', { name: 'Cat' }).click());
      expect(await page.isVisible('#stretched')).toBe(false);
    },
  );
});

test.each([390, 800])(
  'on a screen %i pixels wide the picture stays in sight while a map is chosen',
  async (width) => {
    await page.setViewportSize({ width, height: 844 });
    for (const name of ['scale4', 'cam', 'nonClass']) {
      await page
        .locator(`[data-map=${name}] .name`)
        .evaluate((e) => e.scrollIntoView({ block: 'end' }));
      await page.click(`[data-map=${name}] .name`);
      await painted(page);
      const stage = await boxOf('.stage');
      const chosen = await boxOf(`[data-map=${name}]`);
      expect(stage.y).toBeGreaterThanOrEqual(0);
      expect(stage.y + stage.height).toBeLessThan(chosen.y + chosen.height);
      expect(stage.height).toBeLessThan(844 / 2);
      expect(await page.isChecked(`[data-map=${name}] [type=radio]`)).toBe(true);
    }
  },
);

test.runIf(ENGINE === 'chromium')(
  'where there is only a finger, nothing is to be dropped',
  async () => {
    const size = { viewport: { width: 390, height: 844 } };
    const phone = await openBrowser({ ...size, isMobile: true, hasTouch: true });
    try {
      const { page: touched } = await openPage(phone.context, url);
      await explained(touched);
      expect(await touched.getByText('drop or paste').isVisible()).toBe(false);
      expect(await page.getByText('drop or paste').isVisible()).toBe(true);
    } finally {
      await phone.close();
    }
  },
);
