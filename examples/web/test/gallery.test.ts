/** The page that `--gallery` writes, opened from disk as a person does. */

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { GalleryEntry } from '../../../dist/node/gallery/gallery.js';
import { openBrowser } from './browser.ts';
import { slide, violations } from './driver.ts';
import { multiply, writeGallery } from './gallery-folder.ts';
import {
  complaints,
  focused,
  folder,
  names,
  open,
  page,
  samples,
  useGallery,
  WAIT,
} from './gallery-setup.ts';

const EVIL = '<img src=x onerror="window.evil = 1"></script><script>window.evil = 1</script>';

useGallery();

/** The name of the large picture. */
const viewed = (): Promise<string | null> => page.textContent('#viewer h2');
const shownCount = (): Promise<string> => page.innerText('#count');

/** Waits for the large picture, and gives its width and its file. */
async function large(): Promise<{ width: number; file: string }> {
  await page.waitForFunction(() => document.querySelector<HTMLImageElement>('#large')!.complete);
  return page.locator('#large').evaluate((image) => {
    const { naturalWidth, src } = image as HTMLImageElement;
    return { width: naturalWidth, file: decodeURIComponent(src.split('/').at(-1)!) };
  });
}

describe('pictures', () => {
  test('each has its tiles and its classes, whatever its file is called', async () => {
    await open({ entries: samples });
    await page.waitForFunction(() => [...document.images].every(({ complete }) => complete));
    expect(await names()).toEqual(samples.map(({ title }) => title));
    const strips = await page
      .locator('.tile img')
      .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
    expect(strips).toEqual(
      samples.flatMap(({ thumbnails }) => Array(4).fill(thumbnails.width) as number[]),
    );
    expect(await page.locator('.card').first().locator('.tile').allInnerTexts()).toEqual([
      ...['Picture', 'Overlay', 'LOVI', 'FastCAM'],
    ]);
    expect(await page.locator('.card').first().locator('.classes li').allInnerTexts()).toEqual(
      samples[0]!.top.map(
        ({ label, probability }) => `${label}\n${(100 * probability).toFixed(1)} %`,
      ),
    );
  });

  test('a tile shows its part of the strip', async () => {
    await open({ entries: samples.slice(0, 1) });
    const parts = await page.locator('.crop').evaluateAll((crops) =>
      crops.map((crop) => {
        const outer = crop.getBoundingClientRect();
        const inner = crop.firstElementChild!.getBoundingClientRect();
        return [(outer.left - inner.left) / inner.width, (outer.right - inner.left) / inner.width];
      }),
    );
    for (const [i, [left, right]] of parts.entries()) {
      expect(left).toBeGreaterThanOrEqual(i / 4);
      expect(right).toBeLessThanOrEqual((i + 1) / 4);
      expect(right! - left!).toBeGreaterThan(0.24);
    }
  });

  test('without a file to enlarge a tile is no button', async () => {
    const { overlay: _overlay, ...pictures } = samples[0]!.pictures;
    await open({ entries: [{ ...samples[0]!, pictures }, samples[1]!] });
    expect(await page.locator('.card').first().locator('button').allInnerTexts()).toEqual([
      ...['Picture', 'LOVI', 'FastCAM'],
    ]);
    await page.click('button.tile');
    expect(await page.isDisabled('#kinds button:has-text("Overlay")')).toBe(true);
    await page.keyboard.press('2');
    expect((await large()).file).toBe('picture.png');
  });

  test('the class that the maps speak for is named where it is not the likeliest', async () => {
    const target = samples[0]!.top[2]!;
    const other = { index: 7, label: 'cock' };
    await open({
      entries: [
        { ...samples[0]!, target },
        { ...samples[0]!, target: other },
      ],
    });
    expect(await page.locator('li:has(> .label > .mark)').allInnerTexts()).toEqual([
      `${target.label} explained\n${(100 * target.probability).toFixed(1)} %`,
    ]);
    expect(await page.locator('.card').nth(1).innerText()).toContain('Explained: cock');
  });
});

describe('search, filter and order', () => {
  let thirty: GalleryEntry[];
  beforeAll(() => {
    thirty = multiply(folder, samples, 30);
  });

  test('a search finds files and classes', async () => {
    await open({ entries: samples });
    await page.fill('#query', 'ROCKET');
    expect(await names()).toEqual(['rocket.jpg']);
    expect(await shownCount()).toBe('1 of 3 shown');
    await page.fill('#query', samples[1]!.top[0]!.label);
    expect(await names()).toEqual([samples[1]!.title]);
    await page.fill('#query', 'no such thing');
    expect(await page.isVisible('text=No picture matches.')).toBe(true);
    await page.click('text=Show all');
    expect(await names()).toHaveLength(3);
    expect(await page.locator('#query').evaluate((e) => e === document.activeElement)).toBe(true);
  });

  test('by class, with how many there are, and by probability', async () => {
    await open({ entries: thirty });
    const [{ label, index }] = samples[0]!.top as [GalleryEntry['top'][0]];
    expect(await page.locator('#class option').allInnerTexts()).toContain(`${label} (10)`);
    await page.selectOption('#class', String(index));
    expect(await shownCount()).toBe('10 of 30 shown');
    const probabilities = thirty.map(({ top }) => top[0]!.probability);
    await page.selectOption('#class', '');
    await slide(page, '#least', 0.3);
    const likely = probabilities.filter((probability) => probability >= 0.3);
    expect(await shownCount()).toBe(`${likely.length} of 30 shown`);
    expect(await page.innerText('#least-value')).toBe('30 %');
    await page.selectOption('#order', 'probability-up');
    const shares = await page.locator('.classes li:first-child .value').allTextContents();
    const sorted = likely.toSorted((a, b) => a - b).map((p) => `${(100 * p).toFixed(1)} %`);
    expect(shares).toEqual(sorted.slice(0, shares.length));
  });

  test('the address keeps them, and the back button brings them again', async () => {
    await open({ entries: thirty });
    await page.fill('#query', 'picture 2');
    await page.selectOption('#order', 'probability-up');
    await slide(page, '#least', 0.05);
    const before = await names();
    await page.waitForURL(/#search=picture\+2&least=0.05&order=probability-up$/);
    await page.reload();
    expect(await names()).toEqual(before);
    expect(await page.inputValue('#query')).toBe('picture 2');
    await page.evaluate(() => {
      location.hash = 'search=picture+30';
    });
    await page.waitForFunction(() => document.querySelectorAll('.card').length === 1);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('.card').length > 1);
    expect(await names()).toEqual(before);
  });

  test('an address that names what is not there shows everything', async () => {
    await open({ entries: samples }, '#class=99999&order=size&least=7');
    expect(await names()).toHaveLength(3);
    expect(await page.inputValue('#order')).toBe('given');
  });

  test('without a classifier there is none for classes', async () => {
    await open({ entries: samples.map((entry) => ({ ...entry, top: [] })) });
    expect(await page.locator('search label').allInnerTexts()).toEqual([
      expect.stringMatching(/^Search/),
      expect.stringMatching(/^Order/),
    ]);
    await page.fill('#query', 'cat');
    expect(await names()).toEqual(['photos/cat.png']);
  });
});

describe('one picture, large', () => {
  beforeEach(() => open({ entries: samples }));

  test('opens with a click, as the kind that was clicked', async () => {
    await page.click('button.tile:has-text("LOVI") >> nth=1');
    expect(await viewed()).toBe(samples[1]!.title);
    expect(await large()).toEqual({ width: 600, file: 'lovi.png' });
    expect(await page.innerText('#viewer-place')).toBe('600 × 400, 2 of 3');
  });

  test('keys change the kind and the picture; Escape closes, and the focus is where the eye is', async () => {
    await page.locator('button.tile').first().focus();
    await page.keyboard.press('Enter');
    expect((await large()).file).toBe('picture.png');
    for (const [key, file] of [
      ['2', 'overlay.png'],
      ['3', 'lovi.png'],
      ['4', 'fastcam.png'],
      ['1', 'picture.png'],
    ] as const) {
      await page.keyboard.press(key);
      expect((await large()).file).toBe(file);
      expect(await page.locator('#kinds [aria-pressed=true]').innerText()).toMatch(key);
    }
    await page.keyboard.press('4');
    await page.keyboard.press('ArrowRight');
    expect(await viewed()).toBe(samples[1]!.title);
    expect((await large()).file).toBe('fastcam.png');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(await viewed()).toBe('rocket.jpg');
    await page.keyboard.press('Escape');
    expect(await page.isVisible('#viewer')).toBe(false);
    await expect.poll(focused, WAIT).toBe('FastCAM, rocket.jpg');
  });

  test('goes through what the search has found, in its order', async () => {
    await page.selectOption('#order', 'name');
    await page.fill('#query', 'png');
    await page.locator('button.tile').first().click();
    expect(await page.innerText('#viewer-place')).toMatch(/1 of 2$/);
    const titles = [await viewed()];
    await page.click('#next');
    titles.push(await viewed());
    await page.click('#next');
    expect(await viewed()).toBe(titles[0]);
    expect(titles).toEqual(await names());
    await page.click('#close');
    await expect.poll(focused, WAIT).toBe(`Picture, ${titles[0]}`);
  });

  test('keys with Control or Alt are the browser’s, and outside the dialog they do nothing', async () => {
    await page.keyboard.press('ArrowRight');
    expect(await page.isVisible('#viewer')).toBe(false);
    await page.locator('button.tile').first().click();
    await page.keyboard.press('Control+2');
    expect((await large()).file).toBe('picture.png');
  });
});

describe('text from outside', () => {
  test('is text', async () => {
    const top = [{ index: 1, label: EVIL, probability: 1 }];
    const evil = { ...samples[0]!, title: EVIL, top, target: { index: 2, label: EVIL } };
    await open({ model: EVIL, entries: [evil], failures: [{ title: EVIL, reason: EVIL }] });
    expect(await names()).toEqual([EVIL]);
    await page.locator('button.tile').first().click();
    expect(await viewed()).toBe(EVIL);
    expect(await page.evaluate(() => 'evil' in window)).toBe(false);
    expect(await page.locator('[onerror]').count()).toBe(0);
  });

  test('could do nothing if it were none: the policy refuses scripts, styles and addresses', async () => {
    await open({ entries: samples });
    const done = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.text = 'window.evil = 1';
      document.body.append(script);
      const fetched = await fetch('https://example.org').then(
        () => true,
        () => false,
      );
      return 'evil' in window || fetched;
    });
    expect(done).toBe(false);
    await expect.poll(() => complaints.length, WAIT).toBeGreaterThan(1);
    expect(complaints.every((text) => /Content Security Policy/.test(text))).toBe(true);
    complaints.length = 0;
  });
});

test('failures are told at the top, and listed at the end', async () => {
  const failures = [{ title: 'broken.png', reason: 'is no picture' }];
  await open({ entries: samples, failures }, '#search=cat');
  expect(await page.isVisible('text=is no picture')).toBe(false);
  await page.click('text=1 file could not be explained >> nth=0');
  expect(await page.innerText('#failures li')).toBe('broken.png: is no picture');
  expect(page.url()).toMatch(/#search=cat$/);
});

test('without JavaScript there is a message, and no control that does nothing', async () => {
  const plain = await openBrowser({ javaScriptEnabled: false });
  try {
    const tab = await plain.context.newPage();
    await tab.goto(writeGallery(folder, { entries: samples }));
    expect(await tab.innerText('body')).toContain('This page needs JavaScript');
    expect(await tab.isVisible('search')).toBe(false);
  } finally {
    await plain.close();
  }
});

describe('for everyone', () => {
  test.each(['light', 'dark'] as const)('axe finds nothing, in %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const failures = [{ title: 'broken.png', reason: 'is no picture' }];
    await open({ entries: samples, failures });
    expect(await violations(page)).toEqual([]);
    await page.locator('button.tile').first().click();
    expect(await violations(page)).toEqual([]);
  });

  test('Tab goes through controls, tiles and the rest, in the order of the page', async () => {
    await open({ entries: samples.slice(0, 1) });
    await page.locator('body').focus();
    const stops: string[] = [];
    for (let i = 0; i < 9; i++) {
      await page.keyboard.press('Tab');
      stops.push(
        await page.evaluate(() => {
          const { id, textContent } = document.activeElement!;
          return id || textContent!;
        }),
      );
    }
    expect(stops).toEqual([
      ...['query', 'class', 'least', 'order', 'Picture', 'Overlay', 'LOVI', 'FastCAM'],
      'Efficient Saliency Maps for Explainable AI',
    ]);
  });

  test.each([1280, 360])('at %i pixels nothing is wider than the window', async (width) => {
    await page.setViewportSize({ width, height: 740 });
    const title = `photos/${'long folder/'.repeat(20)}${'long'.repeat(30)}.png`;
    await open({ entries: [{ ...samples[0]!, title }, ...samples] });
    const scroll = (selector: string): Promise<number> =>
      page.locator(selector).evaluate((e) => e.scrollWidth - e.clientWidth);
    expect(await scroll('html')).toBe(0);
    await page.locator('button.tile').first().click();
    expect(await scroll('#viewer')).toBe(0);
    expect(await page.locator('#close').boundingBox()).toMatchObject({ width: expect.any(Number) });
  });
});
