/**
 * The build: a folder of static files for any server and any path. Two things are added to what Vite
 * does: a content security policy, and a service worker that knows every file, for use offline.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

/** No code from strings, nothing from elsewhere; WebAssembly is compiled from bytes of the bundle. */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Puts the policy into the page. Not while developing: Vite's own client writes inline styles. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** The second engine, of 27 MB: kept once it has been used, not before. */
const LATER = /^assets\/(?:onnxruntime|ort-)/;

/** Writes service-worker.js with the names of all files, and a version that changes with them. */
function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const page = bundle['index.html'];
        if (page?.type !== 'asset') throw new Error('offline: the build has no index.html');
        // Every name but the page's has a hash of its contents in it.
        const assets = Object.keys(bundle).filter((name) => name !== 'index.html');
        const version = createHash('sha256')
          .update(page.source)
          .update(assets.join())
          .digest('hex');
        const source = readFileSync(new URL('src/service-worker.js', import.meta.url), 'utf8')
          .replace("'VERSION'", JSON.stringify(version.slice(0, 12)))
          .replace(
            "['FILES']",
            JSON.stringify(['./', ...assets.filter((name) => !LATER.test(name))]),
          )
          .replace("['LATER']", JSON.stringify(assets.filter((name) => LATER.test(name))));
        this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
      },
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [contentSecurityPolicy(), offline()],
  worker: {
    format: 'es',
    // unzipit imports it in Node alone: nothing is to stand in for it here.
    rolldownOptions: { external: ['node:worker_threads'] },
  },
  build: {
    target: 'es2022',
    // `light-dark()` stays as it is written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // In the repository fastcam lies two folders up.
  server: { fs: { allow: ['../..'] } },
  // As a header it binds the worker too; a page's own policy does not.
  preview: { headers: { 'Content-Security-Policy': CONTENT_SECURITY_POLICY } },
});
