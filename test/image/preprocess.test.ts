import { describe, expect, it } from 'vitest';
import {
  CAFFE_PREPROCESSING,
  fitPicture,
  IMAGENET_PREPROCESSING,
  overWhite,
  preprocess,
} from '../../src/model/index.js';

describe('fitPicture', () => {
  it('whole keeps the aspect ratio, short side = size, sides a multiple of 32', () => {
    const { resizedWidth, resizedHeight, region } = fitPicture(451, 300, 'whole', 128);
    expect([resizedWidth, resizedHeight]).toEqual([192, 128]);
    expect(region).toEqual({ x: 0, y: 0, width: 451, height: 300 });
    expect(fitPicture(300, 451, 'whole', 224).window).toEqual({
      x: 0,
      y: 0,
      width: 224,
      height: 352,
    });
  });

  it('crop resizes the short side to size/0.875 and keeps the centre, as torchvision does', () => {
    const { resizedWidth, resizedHeight, window, region } = fitPicture(500, 375, 'crop', 224);
    expect([resizedWidth, resizedHeight]).toEqual([341, 256]);
    expect(window).toEqual({ x: 59, y: 16, width: 224, height: 224 });
    expect(region.x).toBeCloseTo((59 * 500) / 341, 10);
    expect(region.height).toBeCloseTo((224 * 375) / 256, 10);
  });

  it('crop keeps another share where the network was trained on one', () => {
    // torchvision's second edition: 224 of 232.
    const { resizedWidth, resizedHeight, window } = fitPicture(464, 232, 'crop', 224, 224 / 232);
    expect([resizedWidth, resizedHeight, window.y, window.x]).toEqual([464, 232, 4, 120]);
  });

  it('stretch takes everything into a square', () => {
    const { window, region } = fitPicture(500, 375, 'stretch', 100);
    expect(window).toEqual({ x: 0, y: 0, width: 100, height: 100 });
    expect(region).toEqual({ x: 0, y: 0, width: 500, height: 375 });
  });

  it('bounds the input of a picture that is one pixel high', () => {
    const { window } = fitPicture(100_000, 1, 'whole', 128);
    expect(window).toEqual({ x: 0, y: 0, width: 1024, height: 128 });
    expect(fitPicture(100_000, 1, 'crop', 128).window.width).toBe(128);
  });

  it('refuses a picture without pixels', () => {
    expect(() => fitPicture(0, 5, 'whole', 128)).toThrow(
      'fit: width expected a whole number ≥ 1, got 0',
    );
    expect(() => fitPicture(5, 5, 'whole', 0.5)).toThrow('fit: size expected a whole number ≥ 1');
  });
});

describe('preprocess', () => {
  const geometry = fitPicture(32, 32, 'whole', 32);
  const flat = (rgba: readonly number[]): Uint8Array =>
    Uint8Array.from({ length: 32 * 32 * 4 }, (_, i) => rgba[i % 4]!);

  it('is (v/255 − mean)/std within float32', () => {
    const out = new Float32Array(32 * 32 * 3);
    const picture = { data: flat([10, 128, 255, 255]), width: 32, height: 32 };
    preprocess(out, picture, geometry, IMAGENET_PREPROCESSING);
    const { mean, std } = IMAGENET_PREPROCESSING;
    [10, 128, 255].forEach((v, c) => {
      expect(Math.abs(out[c]! - (v / 255 - mean[c]!) / std[c]!)).toBeLessThan(2 ** -22);
    });
  });

  it('of Keras’ ResNets is blue first, bytes less their mean, to the last bit', () => {
    const out = new Float32Array(32 * 32 * 3);
    const picture = { data: flat([10, 128, 255, 255]), width: 32, height: 32 };
    preprocess(out, picture, geometry, CAFFE_PREPROCESSING);
    const expected = Float32Array.of(255 - 103.939, 128 - 116.779, 10 - 123.68);
    expect(out.subarray(0, 3)).toEqual(expected);
  });

  it('shows white through transparent pixels', () => {
    const clear = new Float32Array(32 * 32 * 3);
    const white = new Float32Array(32 * 32 * 3);
    preprocess(
      clear,
      { data: flat([1, 2, 3, 0]), width: 32, height: 32 },
      geometry,
      IMAGENET_PREPROCESSING,
    );
    preprocess(
      white,
      { data: flat([255, 255, 255, 255]), width: 32, height: 32 },
      geometry,
      IMAGENET_PREPROCESSING,
    );
    expect(clear).toEqual(white);
  });
});

describe('overWhite', () => {
  it('lays transparency over white, and does not copy opaque pictures', () => {
    const clear = { data: Uint8Array.of(9, 9, 9, 0, 100, 0, 0, 51), width: 2, height: 1 };
    expect([...overWhite(clear).data]).toEqual([255, 255, 255, 255, 224, 204, 204, 255]);
    const opaque = { data: Uint8Array.of(1, 2, 3, 255), width: 1, height: 1 };
    expect(overWhite(opaque)).toBe(opaque);
  });
});
