/** Draws a comparison of methods: each map in colors, with what it cost. */

import type { Picture, Size } from '../../image/picture.js';
import {
  COMPARED_METHODS,
  METHOD_GROUPS,
  type MethodGroup,
} from '../../methods/gradients/comparison.js';
import { type Colormap, colorize, type SaliencyMap } from '../../viz/index.js';
import type { Comparison, MethodCost } from '../comparison.js';
import { Canvas, Lettering, LINE, type TextSize } from './canvas.js';
import { forDisplay } from './heat.js';
import { colorBar, enlarged, enlargement } from './pictures.js';
import { shrinkPicture } from './pixels.js';

export interface ComparisonSource {
  /** Name and size of the picture. */
  readonly about: string;
  readonly picture: Picture;
  /** Size of a tile. */
  readonly tile: Size;
  /** At the size of a tile, by the name of the method. */
  readonly maps: ReadonlyMap<string, SaliencyMap>;
  readonly colormap: Colormap;
}

/** Tiles of a smaller long side are enlarged. */
const SMALL = 224;

/** The contact sheet of a comparison: the picture, and the map of every method that worked. */
export async function comparisonSheet(
  report: Comparison,
  { about, picture, tile, maps, colormap }: ComparisonSource,
): Promise<Picture> {
  const lettering = await Lettering.load();
  const factor = enlargement(tile, SMALL);
  const small = shrinkPicture(picture, tile);
  const tileOf = async (title: string, notes: string[], content: Picture) => ({
    ...{ title, notes, picture: await enlarged(content, factor) },
  });
  const groups: Sheet['groups'] = await Promise.all(
    (Object.keys(METHOD_GROUPS) as MethodGroup[]).map(async (group) => {
      const names = COMPARED_METHODS.filter((method) => method.group === group);
      const results = report.methods.filter(({ name }) => names.some((n) => n.name === name));
      const tiles = results.flatMap(({ name, title, cost }) => {
        if (!cost) return [];
        const map = forDisplay(maps.get(name)!);
        return [tileOf(title, notesOf(cost), colorize(map, colormap))];
      });
      if (group === 'forward') tiles.unshift(tileOf('Picture', [], small));
      return { title: METHOD_GROUPS[group], tiles: await Promise.all(tiles) };
    }),
  );
  const { forward, model, target, input, weightBytes } = report;
  const [H, W] = input.networkInput as [number, number];
  const probability = (100 * target.probability).toFixed(1);
  return drawSheet(
    {
      title: `${target.label} ${probability} %`,
      subtitles: [
        `${about}, seen by the ${model.name} model at ${W} × ${H}, backend ${model.backend}`,
        `Forward pass ${milliseconds(forward.ms)}, ${megabytes(forward.bytes)} beside ${megabytes(weightBytes)} of weights. ` +
          'Under each map: its time, and its memory beside the weights.',
      ],
      groups: groups.filter(({ tiles }) => tiles.length > 0),
      colorBar: colorBar(colormap, 160, 14),
      colorNote:
        'SMOE Scale and FastCAM as they are; every other map in its own range. Gradients are cut at their 99th percentile.',
    },
    lettering,
  );
}

function notesOf({ ms, ratio, bytes }: MethodCost): string[] {
  const times = ratio < 9.95 ? ratio.toFixed(2) : ratio.toFixed(0);
  return [`${milliseconds(ms)}, ${times} × forward`, megabytes(bytes)];
}

/** 8.4 ms, 120 ms, 12.3 s. */
function milliseconds(ms: number): string {
  if (ms >= 9950) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 99.5 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

interface Tile {
  readonly title: string;
  /** Lines under the tile. */
  readonly notes: readonly string[];
  readonly picture: Picture;
}

interface Sheet {
  readonly title: string;
  /** Lines under the title. */
  readonly subtitles: readonly string[];
  /** Each begins a new row. All tiles have the same size, and at most `NOTES` notes. */
  readonly groups: readonly { readonly title: string; readonly tiles: readonly Tile[] }[];
  /** A strip of the color map from 0 to 1, left to right, and what it means. */
  readonly colorBar: Picture;
  readonly colorNote: string;
}

const MARGIN = 24;
const GAP = 16;
const TITLE: TextSize = 32;
const TEXT: TextSize = 16;
/** Between a tile and its notes. */
const NEAR = 4;
/** The most lines under a tile. */
const NOTES = 2;

/**
 * Lays out a sheet.
 *
 * ```
 *  title
 *  subtitles
 *  group
 *  title     title
 *  ┌──────┐  ┌──────┐
 *  │ tile │  │ tile │  …
 *  └──────┘  └──────┘
 *  notes     notes
 *  …
 *  0 ▒▒▒▒▒▒ 1  what the colors mean
 * ```
 */
function drawSheet(sheet: Sheet, lettering: Lettering): Picture {
  const { title, subtitles, groups, colorBar, colorNote } = sheet;
  const tiles = groups.flatMap((group) => group.tiles);
  const texts = tiles.flatMap((tile) => [tile.title, ...tile.notes]);
  const widest = Math.max(...texts.map((text) => lettering.width(text, TEXT)));
  const cellWidth = Math.max(tiles[0]!.picture.width, widest);
  const rowHeight = (2 + NOTES) * LINE[TEXT] + NEAR + tiles[0]!.picture.height + GAP;
  const columns = Math.max(...groups.map((group) => group.tiles.length));
  const barWidth = lettering.width('0  1', TEXT) + colorBar.width + GAP;
  const footWidth = barWidth + lettering.width(colorNote, TEXT);
  const gridWidth = columns * (cellWidth + GAP) - GAP;
  const width = 2 * MARGIN + Math.max(gridWidth, footWidth);
  const top = MARGIN + LINE[TITLE] + subtitles.length * LINE[TEXT];
  const height = top + groups.length * rowHeight + GAP + LINE[TEXT] + MARGIN;
  const canvas = new Canvas(width, height, lettering);
  const room = width - 2 * MARGIN;
  canvas.text(lettering.cut(title, TITLE, room), TITLE, MARGIN, MARGIN - GAP);
  for (const [i, line] of subtitles.entries()) {
    const y = MARGIN - GAP + LINE[TITLE] + i * LINE[TEXT];
    canvas.text(lettering.cut(line, TEXT, room), TEXT, MARGIN, y, 'grey');
  }
  for (const [row, group] of groups.entries()) {
    const y = top + row * rowHeight;
    canvas.text(group.title, TEXT, MARGIN, y, 'grey');
    for (const [column, tile] of group.tiles.entries()) {
      placeTile(canvas, tile, MARGIN + column * (cellWidth + GAP), y + LINE[TEXT]);
    }
  }
  const y = top + groups.length * rowHeight + GAP;
  const x = MARGIN + lettering.width('0 ', TEXT);
  canvas.text('0', TEXT, MARGIN, y, 'grey');
  canvas.place(colorBar, x, y + Math.floor((LINE[TEXT] - colorBar.height) / 2));
  canvas.text('1', TEXT, x + colorBar.width + GAP / 2, y, 'grey');
  canvas.text(colorNote, TEXT, MARGIN + barWidth + GAP / 2, y, 'grey');
  return canvas.picture;
}

function placeTile(canvas: Canvas, { title, notes, picture }: Tile, x: number, y: number): void {
  canvas.text(title, TEXT, x, y);
  canvas.place(picture, x, y + LINE[TEXT]);
  for (const [i, note] of notes.entries()) {
    canvas.text(note, TEXT, x, y + (1 + i) * LINE[TEXT] + picture.height + NEAR, 'grey');
  }
}
