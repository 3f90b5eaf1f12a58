/** What the tests do with the page, by names: open it, read its canvases, save its numbers. */

import axe from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import type { Report } from '../src/downloads.ts';
import { ENGINE, saved } from './browser.ts';

export interface OpenPage {
  readonly page: Page;
  /** What the browser complained of: exceptions, and whatever the content security policy forbids. */
  readonly complaints: readonly string[];
}

/** Opens the page and waits for its first explanation. */
export async function openPage(context: BrowserContext, url: string): Promise<OpenPage> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  await explained(page);
  return { page, complaints };
}

/** Waits until the page shows an explanation and is not at work on another. */
export async function explained(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      performance.getEntriesByName('redraw').length > 0 &&
      !document.body.classList.contains('busy'),
  );
  await painted(page);
}

/** Waits until what has been changed is on the page. */
export async function painted(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
}

/** Does something that starts a forward pass, and waits for what comes of it. */
export async function explaining(page: Page, action: () => Promise<unknown>): Promise<void> {
  const before = await passes(page);
  await action();
  await page.waitForFunction(
    (count) => document.getElementById('cost')!.textContent!.includes(`${count} forward pass`),
    before + 1,
  );
  await explained(page);
}

/** Forward passes so far, as the page counts them. */
export async function passesTold(page: Page): Promise<number> {
  return Number(/ (\d+) forward pass/.exec(await page.innerText('#cost'))![1]);
}

/** Forward passes so far, as the worker has measured them. Firefox's BiDi evaluates nothing in workers. */
export async function passes(page: Page): Promise<number> {
  if (ENGINE === 'firefox') return passesTold(page);
  const [worker] = page.workers();
  return worker!.evaluate(() => performance.getEntriesByName('forward pass').length);
}

/** A digest of the pixels of every canvas, by the map's name; `stage` and `colorbar` by theirs. */
export function digests(page: Page): Promise<Record<string, string>> {
  return page.evaluate(async () => {
    const found: Record<string, string> = {};
    for (const canvas of document.querySelectorAll('canvas')) {
      const name = canvas.id || canvas.closest('figure')!.dataset['map']!;
      if (canvas.closest('.lovi-legend')) continue;
      const { width, height } = canvas;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
      found[name] = `${width}×${height} ${[...digest.slice(0, 8)].join()}`;
    }
    return found;
  });
}

/** The names of the canvases whose pixels an action changes. */
export async function changedBy(page: Page, action: () => Promise<unknown>): Promise<string[]> {
  const before = await digests(page);
  await action();
  await painted(page);
  const after = await digests(page);
  return Object.keys(after).filter((name) => after[name] !== before[name]);
}

/** RGBA of a canvas. */
export async function pixelsOf(page: Page, selector: string): Promise<Uint8ClampedArray> {
  const encoded = await page.locator(selector).evaluate((found) => {
    const canvas = found as HTMLCanvasElement;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(''));
  });
  return new Uint8ClampedArray(Buffer.from(encoded, 'base64'));
}

/** By how many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
}

export async function saveReport(page: Page): Promise<Report> {
  const { bytes } = await saved(page, () => page.click('#save-json'));
  return JSON.parse(bytes.toString()) as Report;
}

/** Moves a slider as a hand does. */
export function slide(page: Page, selector: string, value: number): Promise<void> {
  return page.locator(selector).fill(String(value));
}

/** What axe has to say, one line each: rule and element. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const found = await (window as unknown as { axe: typeof axe }).axe.run();
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  });
}
