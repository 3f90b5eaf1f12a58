import { expect, test } from 'vitest';
import { explaining, openPage } from './driver.ts';
import { browser, url, useBrowser } from './setup.ts';

/** Far above what is measured: what they catch is a page that has stopped to keep its promises. */
const FIRST_MS = 15_000;
const REDRAW_MS = 200;

useBrowser();

test('measured and printed: the first explanation with nothing cached, and a slider’s move', async () => {
  const { page } = await openPage(browser.context, url);
  const firstMs = await page.evaluate(() => {
    const [first] = performance.getEntriesByName('redraw');
    return first!.startTime + first!.duration;
  });
  await explaining(page, () => page.getByRole('button', { name: 'Rocket' }).click());
  const { redraws, shown } = await page.evaluate(async () => {
    const sliders = [...document.querySelectorAll<HTMLInputElement>('.weight input')];
    performance.clearMeasures('redraw');
    const times: number[] = [];
    for (let i = 0; i < 100; i++) {
      const slider = sliders[i % sliders.length]!;
      const start = performance.now();
      slider.value = String(((7 * i) % 100) / 100);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      // A task after the frame's: the frame has been drawn.
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      times.push(performance.now() - start);
    }
    const entries = performance.getEntriesByName('redraw');
    return { redraws: entries.map(({ duration }) => duration), shown: times };
  });
  console.log(`first explanation: ${firstMs.toFixed(0)} ms after navigation, in a new browser`);
  console.log(
    `a slider's move, picture of 640×427, medians of 100: ${median(redraws).toFixed(1)} ms to combine and draw, ${median(shown).toFixed(1)} ms until the frame is drawn`,
  );
  expect(firstMs).toBeLessThan(FIRST_MS);
  expect(median(redraws)).toBeLessThan(REDRAW_MS);
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
