import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** Runs a module in a Node that forbids `eval` and `new Function`, as edge workers do. */
function runStrict(code: string): string {
  const args = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', code];
  const cwd = new URL('..', import.meta.url);
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8' });
}

it('explains a picture where code generation from strings is forbidden, through every core entry', () => {
  const printed = runStrict(`
    import { readFileSync } from 'node:fs';
    import { jsKernels, loadResNet } from 'fastcam';
    import * as kernels from 'fastcam/kernels';
    import * as model from 'fastcam/model';
    import * as viz from 'fastcam/viz';
    const net = await loadResNet(readFileSync('models/tiny-resnet50.safetensors'), { kernels: jsKernels() });
    const data = new Uint8Array(40 * 64 * 4).map((_, i) => i % 251);
    const e = net.explain({ data, width: 64, height: 40 }, { size: 64 });
    const lovi = e.lovi();
    const overlay = viz.overlay({ data, width: 64, height: 40 }, e.fastcamMap);
    console.log(e.combinedMap.shape.join('x'), lovi.width, overlay.height, e.top(5).length,
      typeof kernels.smoeScale, typeof model.plan);
  `);
  expect(printed.trim()).toBe('40x64 64 40 5 function function');
});

it('really forbids code generation: the same Node refuses ndarray', () => {
  expect(() =>
    runStrict(`import ndarray from 'ndarray'; ndarray(new Float32Array(4), [2, 2]);`),
  ).toThrow(/Code generation from strings disallowed/);
});
