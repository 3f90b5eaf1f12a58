/** Files of one's own: given to the page, and what comes of them beside what Node makes of them. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { ExplainOptions } from 'fastcam';
import { type ModelOptions, openModel, readPicture } from 'fastcam/node';
import { expect } from 'vitest';
import { saveReport } from './driver.ts';
import { page } from './setup.ts';

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What a browser would say it is; nothing of most files of weights. */
  readonly type?: string;
}

const CAT = new URL('../../../samples/chelsea.png', import.meta.url).pathname;

/** A file under its own name or another. */
export function fileAt(path: string, name: string = basename(path)): NamedFile {
  return { name, bytes: readFileSync(path) };
}

export function choose(...files: NamedFile[]): Promise<void> {
  const payloads = files.map(({ name, bytes }) => ({
    name,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(bytes),
  }));
  return page.setInputFiles('#weights', payloads);
}

export function drop(...files: NamedFile[]): Promise<unknown> {
  return page.evaluate(
    (dropped) => {
      const dataTransfer = new DataTransfer();
      for (const [name, encoded, type] of dropped) {
        const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
        dataTransfer.items.add(new File([bytes], name, { type }));
      }
      const init = { dataTransfer, cancelable: true, bubbles: true };
      return document.body.dispatchEvent(new DragEvent('drop', init));
    },
    files.map(
      ({ name, bytes, type = '' }) => [name, Buffer.from(bytes).toString('base64'), type] as const,
    ),
  );
}

/** Files that are refused, and what the page says then. */
export async function refused(...files: NamedFile[]): Promise<string> {
  await choose(...files);
  await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
  return page.innerText('#error');
}

/** The page shows what Node makes of the file: its classes, and its maps to a thousandth of the largest value. */
export async function expectAsInNode(
  path: string,
  options: ModelOptions & Pick<ExplainOptions, 'statistic'> = {},
): Promise<void> {
  const { statistic = 'smoe', ...model } = options;
  const { net } = await openModel({ ...model, model: path, backend: 'simd' });
  const expected = net.explain(await readPicture(CAT), { statistic });
  const report = await saveReport(page);
  const classes = net.labels.length;
  expect(await page.innerText('#model')).toContain(
    classes === 0 ? 'no classifier' : `${classes} classes ·`,
  );
  expect(report.scales.map(({ name }) => name)).toEqual(net.scales);
  expect(report.top.map(({ index }) => index)).toEqual(
    classes === 0 ? [] : expected.top(5).map(({ index }) => index),
  );
  for (const [i, map] of expected.rawMaps.entries()) {
    const { shape, data } = report.scales[i]!.raw;
    expect(shape).toEqual([...map.shape]);
    expectAlike(data, map.data);
  }
  net.dispose();
}

/** To a thousandth of the largest value: the page's backend may round differently. */
export function expectAlike(got: readonly number[], expected: Float32Array): void {
  const most = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const error = got.reduce((max, value, p) => Math.max(max, Math.abs(value - expected[p]!)), 0);
  expect(error).toBeLessThanOrEqual(1e-3 * most);
}

/** The page's own scripts that the worker has loaded, without their hashes; Chromium tells them. */
export async function scriptsOfWorker(): Promise<string[]> {
  const [worker] = page.workers();
  const urls = await worker!.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name }) => name),
  );
  return urls
    .filter((url) => url.endsWith('.js'))
    .map((url) => basename(url).replace(/-[\w-]{8}\.js$/, ''));
}
