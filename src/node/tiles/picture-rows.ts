/** Picture files that are read from top to bottom, a strip at a time: TIFF. Other formats are decoded at once. */

import { FormatError } from '../../errors.js';
import { overWhite, type Picture } from '../../model/index.js';
import type { PictureReader } from '../../tiles/index.js';
import { type OpenFile, openFile } from '../open-file.js';
import { decodePicture, namedError } from '../pictures/decode.js';
import type { DecodeOptions } from '../pictures/format.js';
import { writeColors } from '../pictures/tiff/colors.js';
import { type Directory, isTiff, readDirectory, TAG } from '../pictures/tiff/directory.js';
import { COMPRESSION, type Layout, readLayout } from '../pictures/tiff/layout.js';
import { type Band, openPage } from '../pictures/tiff/rasters.js';
import { levelsOf, noDataOf } from '../pictures/tiff.js';

/** A picture file whose rows can be read, also several times; cheapest from top to bottom. Pixels are opaque. */
export interface PictureRows extends PictureReader {
  readonly path: string;
  readonly decoder: string;
  /** The directory of a TIFF, which may say where on Earth the picture is. */
  readonly directory?: Directory;
  close(): void;
}

/** Pixels of the largest TIFF: 60 times Sentinel-2's tile. */
const MOST_PIXELS = 2 ** 33;

/** @throws {FormatError} in one line that names the file and the cause */
export async function openPictureRows(path: string, options: DecodeOptions): Promise<PictureRows> {
  const file = await openFile(path, 'a picture');
  try {
    const rows = isTiff(file.read(0, Math.min(4, file.length)))
      ? await openTiff(file, options)
      : undefined;
    if (rows) return rows;
    const whole = await decodePicture(file.read(0, file.length), path, options);
    file.close();
    return rowsOfPicture(path, whole, whole.decoder);
  } catch (error) {
    file.close();
    throw error;
  }
}

function rowsOfPicture(path: string, picture: Picture, decoder: string): PictureRows {
  const { data, width, height } = overWhite(picture);
  return {
    ...{ path, width, height, decoder },
    read: (top, rows) => ({
      data: data.subarray(4 * top * width, 4 * (top + rows) * width),
      width,
      height: rows,
    }),
    close: () => {},
  };
}

/** @returns undefined for a picture that is turned: its rows are not those of the file */
async function openTiff(file: OpenFile, options: DecodeOptions): Promise<PictureRows | undefined> {
  const { path } = file;
  try {
    const directory = readDirectory(file);
    if (directory.first(TAG.orientation, 1) !== 1) return undefined;
    const layout = inStrips(readLayout(directory, file.length, MOST_PIXELS));
    const bands = await openPage(file, layout, directory);
    const levels = await levelsOf(layout, options, noDataOf(directory), bands);
    const palette = directory.values(TAG.colorMap, 3 * 2 ** Math.min(layout.bits, 8));
    const { width } = layout;
    const paint = ({ samples, rows }: Band): Picture['data'] => {
      const out = new Uint8ClampedArray(4 * width * rows);
      writeColors(out, samples, layout, levels, palette);
      return overWhite({ data: out, width, height: rows }).data;
    };
    const { width: _, height } = layout;
    return {
      ...{ path, width, height, directory, decoder: 'geotiff', close: () => file.close() },
      read: rowReader(layout, bands, paint, path),
    };
  } catch (error) {
    throw namedError(error, path, 'TIFF');
  }
}

/** Rows of the picture, RGBA. */
interface PaintedBand extends Pick<Band, 'top' | 'rows'> {
  readonly pixels: Picture['data'];
}

/** Gives any rows, in bands as the file has them: each band is unpacked once if rows are read from top to bottom. */
function rowReader(
  { width }: Layout,
  bands: (first?: number) => AsyncGenerator<Band>,
  paint: (band: Band) => Picture['data'],
  path: string,
): (top: number, rows: number) => Promise<Picture> {
  let reading: AsyncGenerator<Band> | undefined;
  let band: PaintedBand = { top: 0, rows: 0, pixels: new Uint8Array(0) };
  const seek = async (row: number): Promise<void> => {
    // Rows before the band, or far behind it.
    if (!reading || row < band.top || row >= band.top + 2 * Math.max(band.rows, 1)) {
      reading = bands(row);
    }
    const { value, done } = await reading.next();
    if (done) throw new FormatError(`row ${row} is not there`);
    band = { top: value.top, rows: value.rows, pixels: paint(value) };
  };
  return async (top, rows) => {
    const data = new Uint8Array(4 * width * rows);
    try {
      for (let row = top; row < top + rows; ) {
        if (row < band.top || row >= band.top + band.rows) await seek(row);
        const end = Math.min(top + rows, band.top + band.rows);
        const from = 4 * width * (row - band.top);
        data.set(
          band.pixels.subarray(from, from + 4 * width * (end - row)),
          4 * width * (row - top),
        );
        row = end;
      }
    } catch (error) {
      throw namedError(error, path, 'TIFF');
    }
    return { data, width, height: rows };
  };
}

/** Rows of a piece into which a single long strip is divided. */
const STRIP_ROWS = 128;

/** A page that is one strip of plain rows, as many programs write it, can be read like one of many strips. */
function inStrips(layout: Layout): Layout {
  const { tiled, compression, predictor, offsets, pieceHeight, height, byteCounts } = layout;
  const planes = layout.planar ? layout.samples : 1;
  const isPlain = !tiled && compression === COMPRESSION.none && predictor === 1;
  if (!isPlain || offsets.length !== planes || pieceHeight <= STRIP_ROWS) return layout;
  const count = Math.ceil(height / STRIP_ROWS);
  const parts = offsets.flatMap((offset, plane) => {
    const rowBytes = byteCounts[plane]! / height;
    return Array.from({ length: count }, (_, i) => {
      const rows = Math.min(STRIP_ROWS, height - i * STRIP_ROWS);
      return [offset + i * STRIP_ROWS * rowBytes, rows * rowBytes] as const;
    });
  });
  return {
    ...layout,
    pieceHeight: STRIP_ROWS,
    offsets: parts.map(([offset]) => offset),
    byteCounts: parts.map(([, bytes]) => bytes),
  };
}
