import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, openBrowser, servePage } from './browser.ts';
import {
  explained,
  explaining,
  openPage,
  overflow,
  painted,
  saveReport,
  violations,
} from './driver.ts';
import { url, useServer } from './setup.ts';

/** Its reader is not loaded before it comes. */
const CHECKPOINT = new URL('../../../test/weights/files/zip.pth', import.meta.url).pathname;

useServer();

describe('keyboard and screen reader', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await openBrowser({ viewport: { width: 1280, height: 900 } });
    ({ page } = await openPage(browser.context, url));
  });

  afterAll(async () => {
    await browser?.close();
  });

  test('Tab reaches every control, in the order of the page, and shows where it is', async () => {
    await page.locator('body').focus();
    const path: string[] = [];
    for (let stop = await nextStop(page); stop !== ''; stop = await nextStop(page)) path.push(stop);
    expect(path).toEqual([
      ...['weights', 'theme', 'Cat', 'Coffee', 'Rocket', 'file', 'snap', 'live'],
      ...['probe', 'opacity', 'colormap', 'class', 'other'],
      ...['equal', 'ramp', 'prior', ...Array.from({ length: 5 }, () => 'weight')],
      ...[
        'shown',
        'statistic',
        'normalizer',
        'cam',
        'save-png',
        'save-json',
        'inside',
        'compare',
        'other-method',
      ],
      'Efficient Saliency Maps for Explainable AI',
    ]);
  });

  test('arrow keys move the point, and its values are told', async () => {
    await page.focus('#probe');
    await page.keyboard.press('Home');
    await page.keyboard.press('Shift+ArrowLeft');
    await painted(page);
    const told = await page.innerText('#probe-values');
    expect(told).toMatch(/^Scale 1 \d\.\d{3}, .*Saliency \d\.\d{3}, .*Non-class \d\.\d{3}\.$/);
    expect(await page.locator('.tile .value:visible').count()).toBe(10);
    await page.keyboard.press('ArrowUp');
    expect(await page.innerText('#probe-values')).not.toBe(told);
    await page.keyboard.press('Escape');
    await painted(page);
    expect(await page.locator('.tile .value:visible').count()).toBe(0);
  });

  test('arrow keys choose class and map, and move sliders', async () => {
    const before = await saveReport(page);
    await page.locator('#classes input').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.locator('[data-map=scale2] .weight input').focus();
    await page.keyboard.press('ArrowLeft');
    await page.locator('[data-map=combined] [type=radio]').focus();
    await page.keyboard.press('ArrowRight');
    await painted(page);
    const { settings } = await saveReport(page);
    expect(settings.target).toBe(before.top[1]!.index);
    expect(settings.scaleWeights).toEqual([1, 0.99, 1, 1, 1]);
    expect(settings.shown).toBe('lovi');
  });

  test('what came out is told in words', async () => {
    await page.click('[data-map=combined] .name');
    await page.waitForFunction(() =>
      document
        .getElementById('stage')!
        .ariaLabel!.startsWith('Saliency over the picture. Greatest'),
    );
    expect(await page.getByRole('status').innerText()).toBe('Egyptian cat, 40 %');
    await page.getByRole('slider', { name: 'Weight of scale 3' }).waitFor();
    await page.getByRole('radio', { name: 'FastCAM' }).waitFor();
    await page.getByRole('radio', { name: 'Egyptian cat 39.9 %' }).waitFor();
  });
});

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each([1280, 360])('axe finds nothing at a width of %i pixels', async (width) => {
    const browser = await openBrowser({ viewport: { width, height: 800 }, colorScheme });
    try {
      const { page } = await openPage(browser.context, url);
      expect(await violations(page)).toEqual([]);
      await page.focus('#probe');
      await page.keyboard.press('Home');
      await page.setInputFiles('#weights', {
        name: 'a',
        mimeType: 'text/plain',
        buffer: Buffer.of(1),
      });
      await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
      expect(await violations(page)).toEqual([]);
      await page.click('#snap');
      expect(await violations(page)).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  test('the button turns to the other one, also for the next visit', async () => {
    const browser = await openBrowser({ colorScheme });
    try {
      const { page } = await openPage(browser.context, url);
      const paper = () =>
        page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const before = await paper();
      await page.getByRole('button', { name: / theme$/ }).click();
      const after = await paper();
      expect(after).not.toBe(before);
      await page.reload();
      await explained(page);
      expect(await paper()).toBe(after);
    } finally {
      await browser.close();
    }
  });
});

test.each([320, 360, 768])('at a width of %i pixels nothing is cut off', async (width) => {
  const browser = await openBrowser({ viewport: { width, height: 740 } });
  try {
    const { page } = await openPage(browser.context, url);
    const wide = await page.evaluate(() => {
      const { clientWidth: limit } = document.documentElement;
      const outside = [...document.body.querySelectorAll('*')].filter((found) => {
        const { left, right } = found.getBoundingClientRect();
        return right > limit + 0.5 || left < -0.5;
      });
      return outside.map(({ outerHTML }) => outerHTML);
    });
    expect(wide).toEqual([]);
    expect(await overflow(page)).toBe(0);
  } finally {
    await browser.close();
  }
});

test('after the first visit the page works without its server, also for weights of one’s own', async () => {
  const own = await servePage();
  const browser = await openBrowser();
  try {
    const { page } = await openPage(browser.context, own.url);
    await page.evaluate(() => navigator.serviceWorker.ready);
    const online = await saveReport(page);
    await own.server.close();
    await expect(fetch(own.url)).rejects.toThrow();
    await page.reload();
    await explained(page);
    const offline = await saveReport(page);
    expect(offline.scales).toEqual(online.scales);
    await page.getByRole('button', { name: 'Coffee' }).click();
    await page.waitForFunction(() =>
      document.getElementById('cost')!.textContent!.includes('2 forward'),
    );
    await explaining(page, () => page.setInputFiles('#weights', CHECKPOINT));
    expect((await saveReport(page)).model.name).toBe('zip.pth');
  } finally {
    await browser.close();
  }
});

/** Presses Tab, and tells what has the focus then: by its id, its name or its text; nothing at the end. */
async function nextStop(page: Page): Promise<string> {
  await page.keyboard.press('Tab');
  return page.evaluate(() => {
    const focused = document.activeElement as HTMLInputElement;
    if (focused === document.body) return '';
    const label = focused.closest('.button, .tile > label:first-child') ?? focused;
    const outlined = [focused, label].some((e) => getComputedStyle(e).outlineStyle !== 'none');
    const kind = focused.closest('.weight') ? 'weight' : focused.name || focused.textContent;
    return `${focused.id || kind}${outlined ? '' : ', which does not show it'}`;
  });
}
