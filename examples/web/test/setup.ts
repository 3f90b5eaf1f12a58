/** What the files of tests begin with: the page served, a browser, a new page for each test. */

import type { Page } from 'playwright-core';
import type { PreviewServer } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Browser, openBrowser, servePage } from './browser.ts';
import { openPage } from './driver.ts';

/** Address of the page, once `useServer` has run. */
export let url: string;
/** Of all tests of a file, once `useBrowser` has run. */
export let browser: Browser;
/** Of the test that runs, with `usePage`. */
export let page: Page;

/** Serves the page for all tests of a file. */
export function useServer(): void {
  let server: PreviewServer | undefined;
  beforeAll(async () => {
    ({ server, url } = await servePage());
  });
  afterAll(async () => {
    await server?.close();
  });
}

/** The same, with a browser of 1280×900. */
export function useBrowser(): void {
  useServer();
  beforeAll(async () => {
    browser = await openBrowser({ viewport: { width: 1280, height: 900 } });
  });
  afterAll(async () => {
    await browser?.close();
  });
}

/** The same, with a new page for each test. A page that the browser complains of fails the test. */
export function usePage(): void {
  useBrowser();
  let complaints: readonly string[];
  beforeEach(async () => {
    ({ page, complaints } = await openPage(browser.context, url));
  });
  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
  });
}
