import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/**
 * For each case, the collections of garbage during 1,000 frames, in a process whose young generation is 1 MB: about 1 KB
 * a frame would start one.
 *
 * @param cases options of the stream, and bytes that the loop itself allocates for each frame
 */
function collectionsOf(cases: readonly [options: object, garbage: number][]): number[] {
  const code = `
    import { readFileSync } from 'node:fs';
    import { PerformanceObserver } from 'node:perf_hooks';
    import { setTimeout } from 'node:timers/promises';
    import { loadNetwork, makeKernels } from 'fastcam';
    import { makeStream } from 'fastcam/stream';
    const kernels = await makeKernels('simd');
    const net = await loadNetwork(readFileSync('models/tiny-resnet50.safetensors'), { kernels });
    const frames = [1, 2, 3, 4].map((k) =>
      new Uint8Array(64 * 48 * 4).map((_, i) => (i % 4 === 3 ? 255 : (i * k * 2654435761) >>> 24)));
    let collections = 0;
    new PerformanceObserver((list) => {
      collections += list.getEntries().length;
    }).observe({ entryTypes: ['gc'] });
    let kept;
    const counts = [];
    for (const [options, garbage] of ${JSON.stringify(cases)}) {
      const stream = makeStream(net, { width: 64, height: 48, size: 32, ...options });
      const out = stream.buffers('logits', 'probabilities', 'rawMaps', 'scaleMaps', 'combinedMap', 'camMap',
        'fastcamMap', 'nonClassMap', 'picture', 'overlay', 'lovi');
      const run = (count) => {
        for (let i = 0; i < count; i++) {
          stream.run(frames[i & 3], out);
          if (garbage > 0) kept = new Array(garbage / 8);
        }
      };
      // The engine compiles what runs often; until then numbers are objects.
      run(500);
      await setTimeout(100);
      run(100);
      globalThis.gc();
      await setTimeout(100);
      collections = 0;
      run(1000);
      await setTimeout(100);
      counts.push(collections);
    }
    console.log(JSON.stringify(counts));
  `;
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const args = [...flags, '--input-type=module', '--eval', code];
  const cwd = new URL('..', import.meta.url);
  return JSON.parse(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }));
}

it('leaves nothing to the garbage collector in 1,000 frames; 4 KB a frame would be seen', () => {
  const [own, running, leaking] = collectionsOf([
    [{}, 0],
    [{ momentum: 0.1 }, 0],
    [{}, 4096],
  ]);
  expect([own, running]).toEqual([0, 0]);
  expect(leaking).toBeGreaterThan(2);
});
