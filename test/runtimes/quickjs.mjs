/** QuickJS, compiled to WebAssembly: some two hundred times slower than an engine with a compiler. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { getQuickJS } from 'quickjs-emscripten';
import { bundle } from './layout.mjs';

/** What the suite reads there. */
const FILES = ['densenet.weights.safetensors', 'mobilenet-v3.onnx', 'picture.rgba'];

export const quickjs = {
  name: 'QuickJS',
  backends: ['js'],
  allowed: { codeGeneration: true },
  async run(folder) {
    const code = readFileSync(await bundle(folder, 'quickjs-entry.mjs'), 'utf8');
    const context = (await getQuickJS()).newContext();
    context.newObject().consume((files) => {
      for (const name of FILES) {
        const { buffer } = new Uint8Array(readFileSync(join(folder, 'files', name)));
        context.newArrayBuffer(buffer).consume((bytes) => context.setProp(files, name, bytes));
      }
      context.setProp(context.global, 'files', files);
    });
    const finished = context.unwrapResult(context.evalCode(code, 'suite.mjs', { type: 'module' }));
    const settled = context.resolvePromise(finished);
    context.unwrapResult(context.runtime.executePendingJobs());
    context.unwrapResult(await settled);
    const report = context.getProp(context.global, 'report').consume(context.dump);
    const { version } = createRequire(import.meta.url)('quickjs-emscripten/package.json');
    return { version, ...JSON.parse(report) };
  },
};
