/**
 * A page that shows many explained pictures: one HTML file that can be opened from disk. Style and script are inside it,
 * and its content security policy allows no others. The script (`page/`) is bundled by scripts/build-gallery.mjs.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sep } from 'node:path';
import type { GalleryEntry, GalleryFailure, GalleryPage } from './gallery-page.js';

export type { GalleryEntry, GalleryPage } from './gallery-page.js';

/**
 * The text of index.html. The files of the entries are relative to its folder.
 *
 * Labels, names and paths may contain any characters: text is escaped, and paths become URLs.
 */
export function galleryHtml(page: GalleryPage): string {
  const style = builtFile('page.css');
  const script = builtFile('page.js');
  const count = counted(page.entries.length, 'picture');
  const classified = page.entries.some(({ top }) => top.length > 0);
  const policy = [
    "default-src 'none'",
    // For `file:` pages, the meaning of 'self' differs between browsers.
    "img-src 'self' file:",
    `style-src ${hashSource(style)}`,
    `script-src ${hashSource(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="fastcam">
<title>fastcam: ${count}</title>
<style>${style}</style>
</head>
<body>
<header>
<div>
<p class="brand">fastcam</p>
<h1>Where did the network look?</h1>
</div>
<p class="quiet">${count}, ${escaped(page.model)} model${failureLink(page.failures)}</p>
</header>
<noscript><p class="message">This page needs JavaScript to show its pictures. Without it, open them in the folders beside this file.</p></noscript>
${controls(classified)}
<main>
<ol id="cards"></ol>
<p class="message" id="none" hidden>No picture matches.</p>
</main>
${failureList(page.failures)}
<footer>
<p>SMOE Scale, FastCAM and LOVI: Mundhenk, Chen and Friedland, <a href="https://arxiv.org/abs/1911.11293">Efficient Saliency Maps for Explainable AI</a>. A map tells where this network’s activations carry information, not what is true of the picture.</p>
</footer>
${VIEWER}
<script type="application/json" id="entries">${jsonForScript(page.entries.map(withUrls))}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** The enlarged picture after a click. */
const VIEWER = `<dialog id="viewer" aria-labelledby="viewer-title" closedby="any">
<div class="viewer-head">
<h2 class="path" id="viewer-title"></h2>
<span class="quiet" id="viewer-place"></span>
<button type="button" id="close" aria-label="Close" aria-keyshortcuts="Escape">✕</button>
</div>
<img id="large" alt="">
<div class="viewer-foot">
<div class="row">
<button type="button" id="previous" aria-keyshortcuts="ArrowLeft"><span aria-hidden="true">←</span> Previous</button>
<button type="button" id="next" aria-keyshortcuts="ArrowRight">Next <span aria-hidden="true">→</span></button>
</div>
<div class="row" id="kinds" role="group" aria-label="What to show"></div>
<div id="viewer-classes"></div>
</div>
<p class="unseen" id="viewer-told" aria-live="polite"></p>
</dialog>`;

/** Hidden until the script runs, because they need it. */
function controls(classified: boolean): string {
  const ofClasses = `<label>Likeliest class <select id="class"><option value="">All</option></select></label>
<label><span>Its probability is at least <output id="least-value" for="least"></output></span><input type="range" id="least" min="0" max="1" step="0.01" value="0"></label>
`;
  const orders = `<option value="class">Class</option>
<option value="probability-down">Probability, highest first</option>
<option value="probability-up">Probability, lowest first</option>
`;
  return `<search id="controls" hidden>
<div class="fields">
<label>Search <input type="search" id="query" placeholder="${classified ? 'File or class' : 'File'}" autocomplete="off" spellcheck="false"></label>
${classified ? ofClasses : ''}<label>Order <select id="order"><option value="given">As given</option>
<option value="name">Name</option>
${classified ? orders : ''}</select></label>
</div>
<p class="row quiet"><span id="count" role="status"></span> <button type="button" id="reset" hidden>Show all</button></p>
</search>`;
}

function failureLink({ length }: readonly GalleryFailure[]): string {
  return length === 0
    ? ''
    : `; <a href="#failures">${counted(length, 'file')} could not be explained</a>`;
}

function failureList(failures: readonly GalleryFailure[]): string {
  if (failures.length === 0) return '';
  const items = failures.map(
    ({ title, reason }) => `<li><b>${escaped(title)}</b>: ${escaped(reason)}</li>`,
  );
  return `<details id="failures">
<summary>${counted(failures.length, 'file')} could not be explained</summary>
<ul>
${items.join('\n')}
</ul>
</details>`;
}

/** A file made by scripts/build-gallery.mjs; for `src` and for `dist` alike. */
function builtFile(name: string): string {
  return readFileSync(new URL(`../../../dist/node/gallery/${name}`, import.meta.url), 'utf8');
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function withUrls(entry: GalleryEntry): GalleryEntry {
  const pictures = Object.entries(entry.pictures).map(([kind, file]) => [kind, urlOf(file)]);
  const thumbnails = { ...entry.thumbnails, file: urlOf(entry.thumbnails.file) };
  return { ...entry, thumbnails, pictures: Object.fromEntries(pictures) };
}

/** A relative path as a relative URL. */
function urlOf(path: string): string {
  const steps = path.split(sep === '/' ? '/' : /[/\\]/);
  // encodeURIComponent throws for half a surrogate pair, which a Windows name may contain.
  return steps.map((s) => encodeURIComponent(s.replace(/\p{Surrogate}/gu, '\ufffd'))).join('/');
}

/** JSON without `<`, so that nothing in it ends the script element or starts a comment. */
function jsonForScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
