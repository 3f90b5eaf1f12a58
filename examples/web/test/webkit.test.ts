/**
 * The page in WebKitGTK, by WebDriver: it explains a picture as Node does, its controls work, and nothing of it is cut
 * off. The other tests need more than this driver can do.
 */

import { readFileSync } from 'node:fs';
import { loadNetwork, makeKernels, type Statistic } from 'fastcam';
import { readPicture } from 'fastcam/node';
import { colorize } from 'fastcam/viz';
import { Builder, By, type WebDriver } from 'selenium-webdriver';
import type { PreviewServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CAPABILITIES, startWebKit } from '../../../test/webkit-session.mjs';
import { servePage } from './browser.ts';

const repository = new URL('../../../', import.meta.url);
const fileIn = (path: string): string => new URL(path, repository).pathname;
const CAT = fileIn('samples/chelsea.png');
const MODEL = fileIn('models/tiny-resnet50.safetensors');
const CHECKPOINT = fileIn('test/weights/files/zip.pth');

let server: PreviewServer;
let webkit: Awaited<ReturnType<typeof startWebKit>>;
let driver: WebDriver;

beforeAll(async () => {
  const served = await servePage();
  ({ server } = served);
  webkit = await startWebKit();
  driver = await new Builder().usingServer(webkit.address).withCapabilities(CAPABILITIES).build();
  await driver.get(served.url);
  await until(() => textOf('#status'), 'Egyptian cat, 40 %');
});

afterAll(async () => {
  await driver?.quit();
  webkit?.stop();
  await server?.close();
});

/** A text as it is in the page, seen or not. */
async function textOf(selector: string): Promise<string> {
  return (await driver.findElement(By.css(selector)).getAttribute('textContent')) ?? '';
}

async function until(read: () => Promise<string>, expected: string): Promise<void> {
  await driver.wait(async () => (await read()).includes(expected), 30_000, expected);
}

function click(selector: string): Promise<void> {
  return driver.findElement(By.css(selector)).click();
}

/** RGBA of a canvas. */
async function pixelsOf(selector: string): Promise<Uint8Array> {
  const encoded = await driver.executeScript<string>(
    `const canvas = document.querySelector(arguments[0]);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(''));`,
    selector,
  );
  return Buffer.from(encoded, 'base64');
}

/** The page shows the scales as Node has them; where rounding falls on a step of the colour map, the next one will do. */
async function expectAsInNode(statistic: Statistic): Promise<void> {
  const net = await loadNetwork(readFileSync(MODEL), { kernels: await makeKernels('simd') });
  const { scaleMaps } = net.explain(await readPicture(CAT), { statistic });
  for (const [i, map] of scaleMaps.entries()) {
    const expected = colorize(map).data;
    const shown = await pixelsOf(`[data-map=scale${i + 1}] canvas`);
    expect(shown.length).toBe(expected.length);
    const differing = shown.filter((byte, p) => byte !== expected[p]).length;
    expect(differing / expected.length).toBeLessThan(0.01);
  }
  net.dispose();
}

test('a picture is explained as in Node', async () => {
  await expectAsInNode('smoe');
  expect(await textOf('#model')).toBe('tiny ResNet-50 · 200 classes · simd');
});

test('another statistic takes one more pass', async () => {
  await click('#statistic option[value=sd]');
  await until(() => textOf('#cost'), '2 forward passes');
  await expectAsInNode('sd');
});

test('a map and another class are chosen', async () => {
  await click('[data-map=nonClass] .name');
  await driver.findElement(By.css('#other')).sendKeys('teapot');
  await until(() => textOf('.shown'), 'Non-class for teapot over chelsea.png');
  await until(() => textOf('#classes label:last-child'), 'teapot');
});

test('weights of one’s own come in, and the bundled ones return', async () => {
  await driver.findElement(By.id('weights')).sendKeys(CHECKPOINT);
  await until(() => textOf('#model'), 'zip.pth');
  await until(() => textOf('#cost'), '3 forward passes');
  await click('#bundled');
  await until(() => textOf('#model'), 'tiny ResNet-50');
  await until(() => textOf('#status'), 'Egyptian cat, 40 %');
});

test('nothing is cut off, and a percentage stays on its line', async () => {
  await driver.manage().window().setRect({ x: 0, y: 0, width: 500, height: 800 });
  const [overflow, rows] = await driver.executeScript<[number, number[]]>(`
    const { scrollWidth, clientWidth } = document.documentElement;
    const rows = [...document.querySelectorAll('#classes > *')];
    return [scrollWidth - clientWidth, rows.map((row) => row.offsetHeight)];`);
  expect(overflow).toBe(0);
  expect(new Set(rows).size).toBe(1);
});
