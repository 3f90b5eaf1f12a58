/** The contact sheet: a grid of tiles under headings, with a title and the scale of its colors. */

import type { Picture } from '../viz/picture.js';
import { Canvas, type Lettering, type TextSize } from './canvas.js';

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
  /** All tiles are of one size. */
  readonly rows: readonly SheetRow[];
  /** A strip of the color map from 0 to 1, left to right. */
  readonly colorBar: Picture;
}

const MARGIN = 24;
const GAP = 12;
const TITLE: TextSize = 32;
const TEXT: TextSize = 16;
const NOTE: TextSize = 14;
/** Height of a line of each text size, in pixels. */
const LINE: Record<TextSize, number> = { 14: 20, 16: 24, 32: 46 };

/**
 * Lays a sheet out.
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
  const widest = (texts: readonly string[], size: TextSize): number =>
    Math.max(...texts.map((text) => lettering.width(text, size)));

  const labels = Math.max(
    widest(
      rows.map(({ label }) => label),
      TEXT,
    ),
    widest(
      rows.map(({ note }) => note),
      NOTE,
    ),
  );
  const cellWidth = Math.max(tile.width, widest(columns, TEXT));
  const cellHeight = Math.max(tile.height, LINE[TEXT] + LINE[NOTE]);
  const gridLeft = MARGIN + labels + 2 * GAP;
  const gridTop = MARGIN + LINE[TITLE] + LINE[NOTE] + GAP + LINE[TEXT];
  const width = gridLeft + columns.length * (cellWidth + GAP) - GAP + MARGIN;
  const barTop = gridTop + rows.length * (cellHeight + GAP);
  const canvas = new Canvas(width, barTop + colorBar.height + MARGIN, lettering);

  const room = width - 2 * MARGIN;
  canvas.text(lettering.cut(sheet.title, TITLE, room), TITLE, MARGIN, MARGIN - GAP);
  canvas.text(lettering.cut(sheet.subtitle, NOTE, room), NOTE, MARGIN, MARGIN - GAP + LINE[TITLE]);
  for (const [column, heading] of columns.entries()) {
    const x = gridLeft + column * (cellWidth + GAP);
    canvas.text(heading, TEXT, x, gridTop - LINE[TEXT] - 2);
    for (const [row, { tiles }] of rows.entries()) {
      canvas.place(tiles[column]!, x, gridTop + row * (cellHeight + GAP));
    }
  }
  for (const [row, { label, note }] of rows.entries()) {
    const y = gridTop + row * (cellHeight + GAP) + (cellHeight - LINE[TEXT] - LINE[NOTE]) / 2;
    canvas.text(label, TEXT, MARGIN, Math.round(y));
    canvas.text(note, NOTE, MARGIN, Math.round(y) + LINE[TEXT]);
  }
  // The bar stands under the heat maps, the column that it explains.
  drawBar(canvas, colorBar, '0', '1', gridLeft + cellWidth + GAP, barTop, lettering);
  return canvas.picture;
}

function drawBar(
  canvas: Canvas,
  bar: Picture,
  from: string,
  to: string,
  x: number,
  y: number,
  lettering: Lettering,
): void {
  const textY = y + Math.round((bar.height - LINE[NOTE]) / 2);
  const barX = x + lettering.width(from, NOTE) + GAP / 2;
  canvas.text(from, NOTE, x, textY);
  canvas.place(bar, barX, y);
  canvas.text(to, NOTE, barX + bar.width + GAP / 2, textY);
}

/** LOVI above its legend: the hues from the first scale to the last. */
export function drawLovi(lovi: Picture, legend: Picture, lettering: Lettering): Picture {
  const from = 'first scale';
  const to = 'last scale';
  const legendWidth =
    lettering.width(from, NOTE) + GAP / 2 + legend.width + GAP / 2 + lettering.width(to, NOTE);
  const width = Math.max(lovi.width, legendWidth + 2 * GAP);
  const canvas = new Canvas(width, lovi.height + legend.height + 2 * GAP, lettering);
  canvas.place(lovi, Math.floor((width - lovi.width) / 2), 0);
  const x = Math.floor((width - legendWidth) / 2);
  drawBar(canvas, legend, from, to, x, lovi.height + GAP, lettering);
  return canvas.picture;
}
