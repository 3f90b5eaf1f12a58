import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { ENGINE, openBrowser } from './browser.ts';
import { explained, openPage, overflow, painted, pixelsOf, violations } from './driver.ts';
import { page, url, usePage } from './setup.ts';

/** A network of three scales, which the settings of the picture before do not fit. */
const ALEXNET = new URL('../../../test/weights/files/alexnet.safetensors', import.meta.url)
  .pathname;

usePage();

/** Frames that were shown and dropped until now. */
async function counts(of: Page): Promise<{ shown: number; dropped: number }> {
  const text = await of.innerText('#live-frames');
  const [, shown = 0, dropped = 0] = /^(\d+) shown, (\d+) dropped$/.exec(text) ?? [];
  return { shown: Number(shown), dropped: Number(dropped) };
}

/** Waits until so many frames more have been shown. */
async function more(of: Page, frames: number): Promise<void> {
  const { shown } = await counts(of);
  await of.waitForFunction(
    (wanted) => Number.parseInt(document.getElementById('live-frames')!.textContent!, 10) >= wanted,
    shown + frames,
  );
}

/** Whether any camera of the page is on. */
function isFilming(of: Page): Promise<boolean> {
  return of.evaluate(() => {
    const videos = [...document.querySelectorAll('video')];
    const tracks = videos.flatMap(({ srcObject }) => (srcObject as MediaStream)?.getTracks() ?? []);
    return tracks.some(({ readyState }) => readyState === 'live');
  });
}

async function start(of: Page): Promise<void> {
  await of.click('#live');
  await more(of, 2);
}

test('the camera is explained continuously, until somebody stops it', async () => {
  await start(page);
  expect(await page.isVisible('#main')).toBe(false);
  expect(await isFilming(page)).toBe(true);
  for (const name of ['rate', 'network', 'saliency']) {
    expect(await page.innerText(`#live-${name}`)).toMatch(/^\d+\.\d( ms)?$/);
  }
  expect(await page.innerText('#live-stability')).toMatch(/^r -?[01]\.\d{3}, differs by 0\.\d{3}$/);
  expect(await page.innerText('#live-class')).toMatch(/^.+, \d+ %$/);
  // Firefox’s own test picture is one colour; Chromium’s moves.
  const before = await pixelsOf(page, '#live-overlay');
  await more(page, 5);
  if (ENGINE === 'chromium') expect(await pixelsOf(page, '#live-overlay')).not.toEqual(before);
  expect(await overflow(page)).toBe(0);
  expect(await violations(page)).toEqual([]);
  await page.click('#stop-live');
  expect(await isFilming(page)).toBe(false);
  expect(await page.isVisible('#main')).toBe(true);
  expect(await page.isVisible('#live-view')).toBe(false);
  expect(await page.evaluate(() => document.activeElement!.id)).toBe('live');
  expect(await page.innerText('#error')).toBe('');
});

test('one frame at a time is with the worker; those that come meanwhile are dropped', async () => {
  await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    const heard = new WeakSet<Worker>();
    const asked = new Set<number>();
    let most = 0;
    Worker.prototype.postMessage = function (this: Worker, message, transfer) {
      if (!heard.has(this)) this.addEventListener('message', ({ data }) => asked.delete(data.id));
      heard.add(this);
      if (message.kind === 'frame') asked.add(message.id);
      most = Math.max(most, asked.size);
      document.body.dataset['most'] = String(most);
      // Slower than any camera.
      const until = performance.now() + 80;
      while (performance.now() < until);
      return postMessage.call(this, message, transfer as StructuredSerializeOptions);
    };
  });
  await start(page);
  await more(page, 5);
  expect(await page.evaluate(() => document.body.dataset['most'])).toBe('1');
  expect((await counts(page)).dropped).toBeGreaterThan(0);
});

test('while the page is hidden nothing runs, and it goes on when the page is back', async () => {
  await start(page);
  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  // The frame that was with the worker still comes.
  await page.waitForTimeout(500);
  const before = await counts(page);
  await page.waitForTimeout(1000);
  expect(await counts(page)).toEqual(before);
  expect(
    await page.evaluate(() => (document.getElementById('live-video') as HTMLVideoElement).paused),
  ).toBe(true);
  await hide(false);
  await more(page, 3);
});

test('running constants begin with the next frame, and end with it', async () => {
  await start(page);
  await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, message, transfer) {
      document.body.dataset['running'] = String(message.settings.isRunning);
      return postMessage.call(this, message, transfer as StructuredSerializeOptions);
    };
  });
  for (const isRunning of [true, false]) {
    await page.setChecked('#live-running', isRunning);
    await more(page, 3);
    expect(await page.evaluate(() => document.body.dataset['running'])).toBe(String(isRunning));
    expect(await page.innerText('#live-stability')).toMatch(/^r -?[01]\.\d{3}, differs by 0/);
  }
});

test('weights of another network are taken while it runs, and a picture that is opened ends it', async () => {
  await start(page);
  await page.setInputFiles('#weights', { name: 'a', mimeType: '', buffer: Buffer.of(1) });
  await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
  await more(page, 3);
  // What is wrong with a file is still told when the next frames come.
  expect(await page.innerText('#error')).not.toBe('');
  await page.setInputFiles('#weights', ALEXNET);
  await page.waitForFunction(() =>
    document.getElementById('model')!.textContent!.includes('alexnet'),
  );
  await more(page, 3);
  expect(await page.innerText('#error')).toBe('');
  await page.getByRole('button', { name: 'Coffee' }).click();
  await page.waitForSelector('#main:not([hidden])');
  await explained(page);
  expect(await isFilming(page)).toBe(false);
  expect(await page.innerText('#stage-picture')).toBe('coffee.png');
});

describe('what is wrong with the camera is said in plain words', () => {
  test.each([
    [
      'NotAllowedError',
      'The camera may not be used: allow it for this page in the browser, then try again.',
    ],
    ['NotFoundError', 'There is no camera.'],
    ['NotReadableError', 'The camera cannot be read: another program may be using it.'],
    ['AbortError', 'The camera cannot be used: AbortError.'],
  ])('%s', async (name, told) => {
    await page.evaluate((error) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', error));
    }, name);
    await page.click('#live');
    await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
    expect(await page.innerText('#error')).toBe(told);
    expect(await page.isVisible('#main')).toBe(true);
    expect(await page.isEnabled('#live')).toBe(true);
  });

  test('a page from elsewhere than https', async () => {
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'mediaDevices', { value: undefined });
    });
    await page.click('#live');
    await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
    expect(await page.innerText('#error')).toBe(
      'Cameras need a page from https, or from this machine: this one is from neither.',
    );
  });

  // Firefox brings no made-up event to a track.
  test.runIf(ENGINE === 'chromium')('a camera that is taken away', async () => {
    await start(page);
    await page.evaluate(() => {
      const { srcObject } = document.getElementById('live-video') as HTMLVideoElement;
      (srcObject as MediaStream).getTracks()[0]!.dispatchEvent(new Event('ended'));
    });
    await page.waitForSelector('#main:not([hidden])');
    expect(await page.innerText('#error')).toBe('The camera was taken away.');
    expect(await isFilming(page)).toBe(false);
  });
});

test.each([320, 390])('at a width of %i pixels nothing is cut off', async (width) => {
  const browser = await openBrowser({ viewport: { width, height: 844 } });
  try {
    const narrow = await openPage(browser.context, url);
    await start(narrow.page);
    await painted(narrow.page);
    expect(await overflow(narrow.page)).toBe(0);
    const [overlay, lovi] = await Promise.all(
      ['overlay', 'lovi'].map((name) => narrow.page.locator(`#live-${name}`).boundingBox()),
    );
    expect(overlay!.width).toBeGreaterThan(0.85 * width);
    expect(overlay!.width / overlay!.height).toBeCloseTo(4 / 3, 1);
    expect(lovi!.x + lovi!.width).toBeLessThanOrEqual(width);
    expect(await violations(narrow.page)).toEqual([]);
  } finally {
    await browser.close();
  }
});
