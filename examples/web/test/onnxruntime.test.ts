/** The second engine: an ONNX file with maps written into it, run by onnxruntime-web, with WebGPU in software and without. */

import type { ExplainOptions } from 'fastcam';
import { openModel, readPicture } from 'fastcam/node';
import type { SaliencyMap } from 'fastcam/viz';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlainMap } from '../src/downloads.ts';
import { type Browser, ENGINE, NO_GPU, openBrowser, SOFTWARE_GPU } from './browser.ts';
import {
  explained,
  explaining,
  type OpenPage,
  openPage,
  saveReport,
  violations,
} from './driver.ts';
import { url, useServer } from './setup.ts';

const repository = new URL('../../../', import.meta.url);
const CAT = new URL('samples/chelsea.png', repository).pathname;
const ROCKET = new URL('samples/rocket.jpg', repository).pathname;
/** Of 96×96 alone, as the file says. */
const MOBILENET = new URL('test/goldens/graph/mobilenet-v2.onnx', repository).pathname;
/** Of any size. */
const SMALL = new URL('files/small.onnx', import.meta.url).pathname;
const PIXELS: ExplainOptions = { fit: 'stretch', size: 96 };

/** The bound of instrumented files; scale maps lie in 0…1. */
const BOUND = 1e-3;
const LONG_MS = 180_000;

useServer();

async function inNode(path: string, options: ExplainOptions = {}, picture = CAT) {
  const { net } = await openModel({ model: path, backend: 'simd' });
  return net.explain(await readPicture(picture), options);
}

function expectAlike(got: PlainMap, { shape, data }: SaliencyMap): void {
  expect(got.shape).toEqual([...shape]);
  const error = got.data.reduce((most, value, p) => Math.max(most, Math.abs(value - data[p]!)), 0);
  expect(error).toBeLessThan(BOUND);
}

/** Does something, and waits until onnxruntime-web has run for it. */
async function running(page: Page, action: () => Promise<unknown>): Promise<void> {
  const before = await page.innerText('#cost');
  await action();
  await page.waitForFunction(
    (old) => {
      const error = document.getElementById('error')!.textContent;
      if (error) throw new Error(error);
      const now = document.getElementById('cost')!.textContent!;
      const runs = (text: string) => / (\d+) forward pass/.exec(text)?.[1];
      return now.startsWith('onnxruntime-web') && runs(now) !== runs(old);
    },
    before,
    { timeout: LONG_MS },
  );
  await explained(page);
}

/** Chromium alone has WebGPU in software. */
const DEVICES = [
  ['WebGPU', SOFTWARE_GPU],
  ['WebAssembly', NO_GPU],
] as const;

describe.each(ENGINE === 'chromium' ? DEVICES : DEVICES.slice(1))(
  'onnxruntime-web, %s',
  (device, gpu) => {
    let browser: Browser;
    let opened: OpenPage;
    let page: Page;

    beforeAll(async () => {
      browser = await openBrowser({ viewport: { width: 1280, height: 900 } }, gpu);
      opened = await openPage(browser.context, url);
      ({ page } = opened);
    });

    afterAll(async () => {
      await browser?.close();
      expect(opened.complaints).toEqual([]);
    });

    test(
      'gives logits and maps as Node does, and the class activation map of a class that is chosen',
      async () => {
        expect(await page.isVisible('#engine')).toBe(false);
        await explaining(page, () => page.setInputFiles('#weights', MOBILENET));
        const { target } = await saveReport(page);
        await running(page, () => page.selectOption('#engine', 'onnxruntime'));
        expect(await page.innerText('#cost')).toContain(`onnxruntime-web, ${device}, `);
        const expected = await inNode(MOBILENET, PIXELS);
        const report = await saveReport(page);
        expect(report.top.map(({ index }) => index)).toEqual(
          expected.top(5).map((one) => one.index),
        );
        expect(report.top[0]!.probability).toBeCloseTo(expected.top(1)[0]!.probability, 3);
        expect(report.target).toEqual(target);
        for (const [i, map] of expected.scaleMaps.entries()) {
          expectAlike(report.scales[i]!.normalized, map);
        }
        expect(report.cam!.shape).toEqual([96, 96]);
        const second = report.top.find(({ index }) => index !== target!.index);
        await running(page, () => page.check(`#classes input[value="${second!.index}"]`));
        const chosen = await saveReport(page);
        expect(chosen.target!.index).toBe(second!.index);
        expect(chosen.scales).toEqual(report.scales);
        expect(chosen.cam!.data).not.toEqual(report.cam!.data);
        expect(await page.isDisabled('#normalizer')).toBe(true);
        expect(await violations(page)).toEqual([]);
      },
      LONG_MS,
    );

    test(
      'runs for another picture, another statistic and another method, and for weights beside the file',
      async () => {
        await explaining(page, () => page.setInputFiles('#weights', [SMALL, `${SMALL}.data`]));
        expect(await page.inputValue('#engine')).toBe('fastcam');
        expect(await page.isDisabled('#normalizer')).toBe(false);
        const fastcam = await saveReport(page);
        await running(page, () => page.selectOption('#engine', 'onnxruntime'));
        const report = await saveReport(page);
        for (const [i, { normalized }] of fastcam.scales.entries()) {
          const { data, shape } = normalized;
          expectAlike(report.scales[i]!.normalized, {
            data: Float32Array.from(data),
            shape,
          } as never);
        }
        await running(page, () => page.selectOption('#cam', 'gradcam'));
        await running(page, () => page.selectOption('#statistic', 'sd'));
        await running(page, () => page.getByRole('button', { name: 'Rocket' }).click());
        const rocket = await saveReport(page);
        const expected = await inNode(SMALL, { statistic: 'sd', cam: 'gradcam' }, ROCKET);
        expect(rocket.target!.index).toBe(expected.target);
        // Two decoders of JPEG differ by more than two engines.
        const [own, other] = [rocket.scales[0]!.normalized, expected.scaleMaps[0]!];
        const mean = own.data.reduce((sum, v, p) => sum + Math.abs(v - other.data[p]!), 0);
        expect(mean / own.data.length).toBeLessThan(0.02);
      },
      LONG_MS,
    );

    test('a statistic that ONNX’s operators cannot say is refused in one line', async () => {
      await page.selectOption('#statistic', 'gamma');
      await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
      expect(await page.innerText('#error')).toMatch(/^statistic: .*cannot be said in ONNX/);
      await explaining(page, () => page.selectOption('#engine', 'fastcam'));
    });
  },
);
