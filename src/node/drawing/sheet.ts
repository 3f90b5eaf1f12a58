/** The contact sheet: a grid of tiles under headings, with a title and the scale of its colors. */

import type { Picture } from '../../image/picture.js';
import { Canvas, type Lettering, LINE, type TextSize } from './canvas.js';

export interface SheetRow {
  readonly label: string;
  /** A second, smaller line under the label. */
  readonly note: string;
  /** One for each column. */
  readonly tiles: readonly Picture[];
}

export interface Sheet {
  readonly title: string;
  readonly subtitle: string;
  readonly columns: readonly string[];
  /** All tiles have the same size. */
  readonly rows: readonly SheetRow[];
  /** A strip of the color map from 0 to 1, left to right. */
  readonly colorBar: Picture;
}

const MARGIN = 24;
const GAP = 12;
const TITLE: TextSize = 32;
const TEXT: TextSize = 16;

/**
 * Lays out a sheet.
 *
 * ```
 *  title
 *  subtitle
 *            heading   heading   …
 *  label     ┌──────┐  ┌──────┐
 *  note      │ tile │  │ tile │  …
 *            └──────┘  └──────┘
 *  …
 *            0 ▒▒▒▒▒▒ 1
 * ```
 */
export function drawSheet(sheet: Sheet, lettering: Lettering): Picture {
  const { columns, rows, colorBar } = sheet;
  const tile = rows[0]!.tiles[0]!;
  const widest = (texts: readonly string[]): number =>
    Math.max(...texts.map((text) => lettering.width(text, TEXT)));

  const cellWidth = Math.max(tile.width, widest(columns));
  const cellHeight = Math.max(tile.height, 2 * LINE[TEXT]);
  const gridLeft = MARGIN + widest(rows.flatMap(({ label, note }) => [label, note])) + 2 * GAP;
  const gridTop = MARGIN + LINE[TITLE] + 2 * LINE[TEXT] + GAP;
  const width = gridLeft + columns.length * (cellWidth + GAP) - GAP + MARGIN;
  const barTop = gridTop + rows.length * (cellHeight + GAP);
  const canvas = new Canvas(width, barTop + LINE[TEXT] + MARGIN, lettering);

  const room = width - 2 * MARGIN;
  canvas.text(lettering.cut(sheet.title, TITLE, room), TITLE, MARGIN, MARGIN - GAP);
  const subtitleTop = MARGIN - GAP + LINE[TITLE];
  canvas.text(lettering.cut(sheet.subtitle, TEXT, room), TEXT, MARGIN, subtitleTop, 'grey');
  for (const [column, heading] of columns.entries()) {
    const x = gridLeft + column * (cellWidth + GAP);
    canvas.text(heading, TEXT, x, gridTop - LINE[TEXT]);
    for (const [row, { tiles }] of rows.entries()) {
      canvas.place(tiles[column]!, x, gridTop + row * (cellHeight + GAP));
    }
  }
  for (const [row, { label, note }] of rows.entries()) {
    const y = gridTop + row * (cellHeight + GAP) + Math.round(cellHeight / 2) - LINE[TEXT];
    canvas.text(label, TEXT, MARGIN, y);
    canvas.text(note, TEXT, MARGIN, y + LINE[TEXT], 'grey');
  }
  // The bar is below the column of heat maps, which it explains.
  const barLeft = gridLeft + cellWidth + GAP;
  drawBetween(canvas, ['0', colorBar, '1'], barLeft, barTop, lettering);
  return canvas.picture;
}

/**
 * LOVI above its legend. From left to right: the hues of the scales, first to last. From top to bottom:
 * the other scales rise, and the color fades.
 */
export function drawLovi(lovi: Picture, legend: Picture, lettering: Lettering): Picture {
  const key: Labelled = ['first scale', legend, 'last scale'];
  const captions = ['top: salient at that scale alone', 'bottom: at all scales'];
  const keyWidth = widthBetween(key, lettering);
  const textWidths = captions.map((caption) => lettering.width(caption, TEXT));
  const width = Math.max(lovi.width, keyWidth + 2 * GAP, ...textWidths);
  const keyTop = lovi.height + GAP;
  const captionTop = keyTop + legend.height + GAP / 2;
  const height = captionTop + captions.length * LINE[TEXT] + GAP;
  const canvas = new Canvas(width, height, lettering);
  const centred = (inner: number): number => Math.floor((width - inner) / 2);
  canvas.place(lovi, centred(lovi.width), 0);
  drawBetween(canvas, key, centred(keyWidth), keyTop, lettering);
  for (const [i, caption] of captions.entries()) {
    const y = captionTop + i * LINE[TEXT];
    canvas.text(caption, TEXT, centred(textWidths[i]!), y, 'grey');
  }
  return canvas.picture;
}

/** A picture with a word on each side. */
type Labelled = readonly [left: string, picture: Picture, right: string];

function widthBetween([left, picture, right]: Labelled, lettering: Lettering): number {
  return lettering.width(left, TEXT) + picture.width + lettering.width(right, TEXT) + GAP;
}

function drawBetween(
  canvas: Canvas,
  [left, picture, right]: Labelled,
  x: number,
  y: number,
  lettering: Lettering,
): void {
  const higher = Math.max(picture.height, LINE[TEXT]);
  const textY = y + Math.floor((higher - LINE[TEXT]) / 2);
  const pictureX = x + lettering.width(left, TEXT) + GAP / 2;
  canvas.text(left, TEXT, x, textY, 'grey');
  canvas.place(picture, pictureX, y + Math.floor((higher - picture.height) / 2));
  canvas.text(right, TEXT, pictureX + picture.width + GAP / 2, textY, 'grey');
}
