import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../../../src/model/onnx/proto.js';
import { saidLabels, saidPreprocessing, saidSize } from '../../../src/model/onnx/said.js';
import type { OnnxInput } from '../../../src/model/onnx/signature.js';
import { NCHW } from '../../../src/model/onnx/view.js';

const model = (metadata: Record<string, string>, producer = 'pytorch'): OnnxModel =>
  ({ metadata: new Map(Object.entries(metadata)), producer }) as unknown as OnnxModel;
const picture = (given: Partial<OnnxInput> = {}): OnnxInput => ({
  ...{ name: 'x', channels: 3, layout: NCHW, isBytes: false },
  ...given,
});

describe('the metadata of an ONNX file', () => {
  it.each([
    ['a list', { labels: '["cat","dog"]' }, ['cat', 'dog']],
    ['id2label', { id2label: '{"1":"dog","0":"cat"}' }, ['cat', 'dog']],
    ['a dict of Python', { names: `{0: 'tench', 1: "driver's seat"}` }, ['tench', "driver's seat"]],
    ['a dict with a hole', { names: "{0: 'a', 2: 'b'}" }, undefined],
    ['something else', { labels: '7' }, undefined],
    ['nothing', {}, undefined],
  ])('class names: %s', (_, metadata, expected) => {
    expect(saidLabels(model(metadata as Record<string, string>))).toEqual(expected);
  });

  it('a size, the last of a list', () => {
    expect(saidSize(model({ imgsz: '[224, 320]' }))).toBe(320);
    expect(saidSize(model({ input_size: 'any' }))).toBeUndefined();
  });

  it.each([
    ['Ultralytics', { author: 'Ultralytics' }, {}, undefined, { mean: [0, 0, 0], std: [1, 1, 1] }],
    ['bytes', {}, { isBytes: true }, undefined, { std: [1 / 255, 1 / 255, 1 / 255] }],
    ['a graph that divides by 255', {}, {}, 1 / 255, { std: [1 / 255, 1 / 255, 1 / 255] }],
    ['a graph that divides by a deviation', {}, {}, 1 / 0.229, { std: [1, 1, 1] }],
    [
      'lists of bytes',
      { mean: '127.5,0,255', std: '255 255 510' },
      {},
      undefined,
      { mean: [0.5, 0, 1] },
    ],
    [
      'Windows ML',
      { 'Image.BitmapPixelFormat': 'Gray8', 'Image.NominalPixelRange': 'NominalRange_0_255' },
      { channels: 1 },
      undefined,
      { channels: 'grey', mean: [0], std: [1 / 255] },
    ],
    ['nothing', {}, {}, undefined, {}],
  ])('pixels: %s', (_, metadata, input, firstScale, expected) => {
    const said = saidPreprocessing(
      model(metadata as Record<string, string>),
      picture(input),
      firstScale,
    );
    expect(said).toMatchObject(expected);
    if (Object.keys(expected).length === 0) expect(said).toEqual({});
  });

  it("pixels of Caffe's exporter are bytes, blue first", () => {
    const said = saidPreprocessing(model({}, 'onnx-caffe2'), picture(), undefined);
    expect(said).toMatchObject({ channels: 'bgr', std: [1 / 255, 1 / 255, 1 / 255] });
  });
});
