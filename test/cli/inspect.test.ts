import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Inspection } from '../../src/node/index.js';
import { writeSafetensors } from '../../src/node/safetensors-writer.js';
import { failure, fastcam } from './terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'fastcam-inspect-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function print(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await fastcam('inspect', ...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const DENSENET = 'test/goldens/graph/densenet.weights.safetensors';
const VGG = 'test/goldens/graph/vgg.weights.safetensors';

describe('fastcam inspect', () => {
  test('tells a person family, input, head, scales, what else could be tapped, and memory', async () => {
    const text = await print('bundled');
    for (const words of [
      'bundled: resnet, block bottleneck, depths 3 4 6 3',
      '3 channels (red, green, blue), trained at 128 pixels',
      '200 classes, softmax; linear in the last features',
      'end at relu 64 × 64 × 16, layer1 32 × 32 × 64, layer2 16 × 16 × 128',
      'that --taps can name: maxpool, layer1.0.conv1.relu',
      '│ int8        │',
    ]) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain('MMAC');
    expect(await print('bundled', '--layers')).toContain('7×7/2, 128×128×3 → 64×64×16');
  });

  test('--json has every layer, and sizes follow --size', async () => {
    const inspection: Inspection = JSON.parse(await print(DENSENET, '--json', '--size', '96'));
    expect(inspection).toMatchObject({ size: 96, classes: 12, head: 'linear', channels: 3 });
    expect(inspection.scales.map(({ shape }) => shape)).toEqual([
      ...[
        [48, 48, 16],
        [24, 24, 32],
        [12, 12, 40],
        [6, 6, 36],
      ],
      [3, 3, 34],
    ]);
    const macs = inspection.layers.reduce((sum, layer) => sum + layer.macs, 0);
    expect(macs).toBe(inspection.macs);
  });

  test('a head of several layers is reported, and that it has no closed form of class activation maps', async () => {
    expect(await print(VGG)).toContain(
      'several layers: class activation maps would need gradients',
    );
  });

  test('what is refused says why, what is in it, and what it is nearest to', async () => {
    const file = join(folder, 'broken.safetensors');
    const one = (shape: number[]) => ({
      shape,
      data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
    });
    const tensors = {
      'conv1.weight': one([8, 3, 7, 7]),
      'bn1.weight': one([8]),
      'layer1.0.conv1.weight': one([8, 8, 3, 3]),
    };
    writeFileSync(file, writeSafetensors(tensors));
    const line = await failure(1, 'inspect', file);
    expect(line).toContain('tensor bn1.bias is missing; it has 3 tensors: conv1.weight [8,3,7,7]');
    expect(line).toMatch(/the nearest known network is resnet18, with \d+ % of the names\n$/);
  });

  test('a file that is no model is one line', async () => {
    expect(await failure(1, 'inspect', 'no-such.pth')).toBe('fastcam: no-such.pth: no such file\n');
  });
});
