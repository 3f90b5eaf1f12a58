/** A small copy of a picture that is read row by row. */

import { createPicture, type DrawnPicture, type Picture, type Size } from '../../image/picture.js';

/** Each pixel of the copy is the mean of the pixels whose places fall into it; whole pixels, for speed. */
export class Overview {
  readonly picture: DrawnPicture;
  readonly #from: Size;
  /** The column of the copy for each column of the picture, and how many columns each has. */
  readonly #columns: Int32Array;
  readonly #widths: Int32Array;
  readonly #sums: Float64Array;
  #y = 0;
  #rows = 0;

  /** @param size no larger than `from` */
  constructor(from: Size, size: Size) {
    this.#from = from;
    this.picture = createPicture(size.width, size.height);
    this.#columns = Int32Array.from({ length: from.width }, (_, x) =>
      Math.floor((x * size.width) / from.width),
    );
    this.#widths = new Int32Array(size.width);
    for (const column of this.#columns) this.#widths[column]!++;
    this.#sums = new Float64Array(3 * size.width);
  }

  /** Adds rows of the picture, opaque, below those before. */
  add({ data, width, height }: Picture): void {
    for (let row = 0; row < height; row++) {
      for (let x = 0, i = 4 * row * width; x < width; x++, i += 4) {
        const o = 3 * this.#columns[x]!;
        this.#sums[o]! += data[i]!;
        this.#sums[o + 1]! += data[i + 1]!;
        this.#sums[o + 2]! += data[i + 2]!;
      }
      this.#endRow();
    }
  }

  #endRow(): void {
    const { data, width, height } = this.picture;
    const y = Math.floor((this.#y * height) / this.#from.height);
    this.#y++;
    this.#rows++;
    if (Math.floor((this.#y * height) / this.#from.height) === y) return;
    for (let x = 0; x < width; x++) {
      const count = this.#widths[x]! * this.#rows;
      const o = 4 * (y * width + x);
      for (let c = 0; c < 3; c++) data[o + c] = this.#sums[3 * x + c]! / count;
      data[o + 3] = 255;
    }
    this.#sums.fill(0);
    this.#rows = 0;
  }
}
