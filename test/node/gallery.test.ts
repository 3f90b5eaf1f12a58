import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { fc, test as prop } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type GalleryEntry,
  type GalleryPage,
  galleryHtml,
} from '../../src/node/gallery/gallery.js';

const EVIL = '</script><script>alert(1)</script><!-- <b>"\'&amp;';

const page = (entries: readonly GalleryEntry[], rest: Partial<GalleryPage> = {}): string =>
  galleryHtml({ model: 'bundled', entries, failures: [], ...rest });

function entry(rest: Partial<GalleryEntry> = {}): GalleryEntry {
  return {
    title: 'cat.jpg',
    width: 640,
    height: 427,
    thumbnails: { file: 'cat/strip.jpg', width: 960, height: 160, kinds: ['picture', 'overlay'] },
    pictures: { overlay: 'cat/overlay.png' },
    top: [{ index: 285, label: 'Egyptian cat', probability: 0.4 }],
    ...rest,
  };
}

/** What is inside the elements of a name, as a browser takes it: up to the first end tag. */
function inside(html: string, tag: 'script' | 'style'): { attributes: string; text: string }[] {
  const found = html.matchAll(new RegExp(`<${tag}([^>]*)>(.*?)</${tag}`, 'gis'));
  return [...found].map(([, attributes, text]) => ({ attributes: attributes!, text: text! }));
}

function entriesOf(html: string): GalleryEntry[] {
  const json = inside(html, 'script').find(({ attributes }) => attributes.includes('json'));
  return JSON.parse(json!.text) as GalleryEntry[];
}

describe('text from outside', () => {
  const label = EVIL;
  const evil = entry({
    title: EVIL,
    top: [{ index: 1, label, probability: 1 }],
    target: { index: 1, label },
  });
  const html = page([evil], { model: EVIL, failures: [{ title: EVIL, reason: EVIL }] });

  test('is never markup, at any place', () => {
    expect(html).not.toContain('<b>"');
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('<!-- ');
    expect(inside(html, 'script')).toHaveLength(2);
  });

  test('arrives unchanged', () => {
    expect(entriesOf(html)[0]).toEqual({ ...evil, thumbnails: evil.thumbnails });
    expect(html).toContain('&lt;!-- &lt;b&gt;&quot;&#39;&amp;amp;</b>: &lt;/script&gt;');
  });
});

describe('files', () => {
  const base = 'file:///home/someone/out/index.html';
  /** Where a browser looks for a file. */
  const lookedFor = (file: string): string => {
    const html = page([entry({ pictures: { lovi: file } })]);
    return fileURLToPath(new URL(entriesOf(html)[0]!.pictures.lovi!, base));
  };

  test.each([
    'a b/lovi.png',
    'C: or c:/lovi.png',
    'javascript:alert(1)',
    '100%/50%20.png',
    'what?#.png',
    'quotes"\'`<&>.png',
    'née/日本/🐈.png',
    'back\\slash.png',
  ])('are found whatever they are called: %s', (file) => {
    expect(lookedFor(file)).toBe(`/home/someone/out/${file}`);
  });

  test('may be outside of the folder', () => {
    expect(lookedFor('../samples/cat.png')).toBe('/home/someone/samples/cat.png');
  });

  test('with half a character in the name, which Windows allows, do not stop the page', () => {
    expect(lookedFor('\ud83d.png')).toBe('/home/someone/out/\ufffd.png');
  });

  const step = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..');
  prop.prop([fc.array(step, { minLength: 1, maxLength: 4 })])(
    'any path leads to its file',
    (steps) => {
      expect(lookedFor(steps.join('/'))).toBe(`/home/someone/out/${steps.join('/')}`);
    },
  );

  test('of the strip are encoded as well', () => {
    const thumbnails = { ...entry().thumbnails, file: 'a #1/strip.jpg' };
    expect(entriesOf(page([entry({ thumbnails })]))[0]!.thumbnails.file).toBe('a%20%231/strip.jpg');
  });
});

describe('the policy', () => {
  const html = page([entry()]);
  const policy = html.match(/Content-Security-Policy" content="([^"]+)"/)![1]!;
  const hash = (text: string): string =>
    `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

  test('allows the script and the style of the page, and no other', () => {
    const scripts = inside(html, 'script').filter(({ attributes }) => attributes === '');
    const styles = inside(html, 'style');
    expect(scripts).toHaveLength(1);
    expect(styles).toHaveLength(1);
    expect(policy).toContain("default-src 'none';");
    expect(policy).toContain(`script-src ${hash(scripts[0]!.text)};`);
    expect(policy).toContain(`style-src ${hash(styles[0]!.text)};`);
  });

  test('comes before everything that it applies to', () => {
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style'));
    expect(html.indexOf('<style')).toBeLessThan(html.indexOf('<script'));
  });
});

describe('empty parts are left out', () => {
  test('no control for classes without a classifier', () => {
    expect(page([entry()])).toContain('id="least"');
    const html = page([entry({ top: [] })]);
    expect(html).not.toMatch(/id="(class|least)"|value="(class|probability-\w+)"/);
    expect(html).toContain('id="query"');
  });

  test('no list of failures without a failure', () => {
    expect(page([entry()])).not.toContain('could not be explained');
    const html = page([entry()], { failures: [{ title: 'a.png', reason: 'is empty' }] });
    expect(html).toContain('1 file could not be explained');
    expect(html).toContain('<b>a.png</b>: is empty');
  });
});
