import { test } from 'vitest';
import { openBrowser, servePage } from './browser.ts';
import { openPage, painted } from './driver.ts';

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
    const path = new URL('../../../docs/images/page.png', import.meta.url).pathname;
    await page.screenshot({ path, fullPage: true });
  } finally {
    await browser.close();
    await server.close();
  }
});
