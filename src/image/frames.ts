/** Frames of a stream, all of one size, in arrays that are made once. */

import { ShapeError } from '../errors.js';
import { overWhite, type Picture, type Region, type Size } from './picture.js';
import { type Geometry, luminanceOf, type Preprocessing, writeInput } from './preprocess.js';
import { FILTERS, type Interpolation, type ResizeTaps, resizeAxis, tapsOf } from './resize.js';

/** The newest frame, opaque. */
export class Frame implements Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** The same bytes, a number for each pixel. */
  readonly pixels: Uint32Array;

  constructor({ width, height }: Size) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height);
    this.data = new Uint8Array(this.pixels.buffer);
  }

  /**
   * Copies a frame. Transparent pixels show white; only such a frame takes new memory.
   *
   * @param bytes RGBA [height, width, 4]
   * @throws {ShapeError} for another number of bytes
   */
  read(bytes: Uint8Array | Uint8ClampedArray): void {
    const { data, pixels, width, height } = this;
    if (bytes.length !== data.length) {
      throw new ShapeError(
        `stream: frame expected ${data.length} bytes for ${width}×${height} RGBA, got ${bytes.length}`,
      );
    }
    data.set(bytes);
    let p = 0;
    while (p < pixels.length && pixels[p]! >>> 24 === 255) p++;
    if (p < pixels.length) data.set(overWhite(this).data);
  }
}

/** From a frame to the network's input, and to the picture that maps are drawn over. */
export class FrameReader {
  readonly frame: Frame;
  /** The frame at the size of the maps, RGBA; `resize` makes it. The frame itself if it has this size. */
  readonly picture: Frame | FrameResizer;
  readonly #preprocessing: Preprocessing;
  /** The frame's luminance, for a network that sees grey. */
  readonly #grey: Frame | undefined;
  readonly #input: FrameResizer;

  /** @param size that of the maps */
  constructor(
    frame: Frame,
    { resizedWidth: width, resizedHeight: height, window }: Geometry,
    preprocessing: Preprocessing,
    size: Size,
  ) {
    const { interpolation, channels } = preprocessing;
    this.frame = frame;
    this.#preprocessing = preprocessing;
    this.#grey = channels === 'grey' ? new Frame(frame) : undefined;
    this.#input = new FrameResizer(this.#grey ?? frame, { width, height }, interpolation, window);
    const isSame = size.width === frame.width && size.height === frame.height;
    const whole = { x: 0, y: 0, ...size };
    this.picture = isSame ? frame : new FrameResizer(frame, size, 'bilinear', whole);
  }

  /**
   * Reads a frame, and resizes it for the network.
   *
   * @param bytes RGBA
   * @throws {ShapeError} for another number of bytes
   */
  read(bytes: Uint8Array | Uint8ClampedArray): void {
    this.frame.read(bytes);
    if (this.#grey) luminanceOf(this.frame, this.#grey);
    this.#input.run();
  }

  /** Writes the network's input. @throws {ShapeError} if the network takes no pictures */
  write(out: Float32Array): void {
    writeInput(out, this.#input.data, this.#preprocessing);
  }

  /** Makes `picture` from the frame. */
  resize(): void {
    if (this.picture instanceof FrameResizer) this.picture.run();
  }
}

/** `resize` of a frame, with weights and arrays that are made once. */
export class FrameResizer {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** The same bytes, a number for each pixel. */
  readonly pixels: Uint32Array;
  readonly #across: ResizeTaps;
  readonly #down: ResizeTaps;
  readonly #top: number;
  /** The source rows that are needed: as they are, and at the new width. */
  readonly #source: Uint32Array;
  readonly #rows: Uint32Array;
  readonly #sourceWidth: number;

  /** @param window the part of the resized frame that is wanted */
  constructor(frame: Frame, size: Size, interpolation: Interpolation, window: Region) {
    const filter = FILTERS[interpolation];
    const { width, height } = window;
    this.width = width;
    this.height = height;
    this.#across = tapsOf(filter, frame.width, size.width, window.x, width);
    this.#down = tapsOf(filter, frame.height, size.height, window.y, height);
    const { first, count } = this.#down;
    const bottom = first[height - 1]! + count[height - 1]!;
    this.#top = first[0]!;
    this.#sourceWidth = frame.width;
    this.#source = frame.pixels.subarray(this.#top * frame.width, bottom * frame.width);
    this.#rows = new Uint32Array((bottom - this.#top) * width);
    this.pixels = new Uint32Array(width * height);
    this.data = new Uint8Array(this.pixels.buffer);
  }

  /** Resizes what the frame has now. */
  run(): void {
    const { width } = this;
    const rows = this.#rows;
    resizeAxis(rows, this.#source, this.#sourceWidth, 1, 0, this.#across);
    resizeAxis(this.pixels, rows, rows.length / width, width, this.#top, this.#down);
  }
}
