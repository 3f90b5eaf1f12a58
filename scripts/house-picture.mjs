// Draws docs/images/house.svg for docs/architecture.md: the folders of src as boxes, the imports between them as arrows.
// It reads nothing but src: `node scripts/house-picture.mjs`. The same imports give the same bytes.
//
// A box is above everything that it imports, on the lowest layer that allows this. An arrow is left out if a longer path
// leads to the same box. errors.ts and disposal.ts are left out, because folders on every layer import them.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const OUT = new URL('../docs/images/house.svg', import.meta.url);

/** The files in src itself are one room. Its name is the first file to read. */
const COMPOSITION = '.';
const FIRST = 'explain.ts';
const IGNORED = ['errors.ts', 'disposal.ts'];
/** All other rooms are the core. */
const OUTSIDE = ['cli', 'node'];

const BOX = { width: 300, height: 88 };
const GAP = { x: 50, y: 38 };
/** Characters of a line in a box. */
const LINE = 48;
const MARGIN = 24;
/** The width that an arrow takes where it passes through a layer. */
const PASSAGE = 20;

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !IGNORED.includes(path))
  .sort();
const importsOf = importsByRoom();
const layers = layersOf(withoutShortcuts(importsOf));
writeFileSync(OUT, draw(layers));
console.log(`docs/images/house.svg: ${importsOf.size} rooms in ${layers.length} layers`);

function roomOf(path) {
  return path.includes('/') ? path.split('/')[0] : COMPOSITION;
}

/** Room → the rooms that it imports. */
function importsByRoom() {
  const rooms = new Map(sources.map((path) => [roomOf(path), new Set()]));
  for (const path of sources) {
    const text = readFileSync(join(SRC, path), 'utf8');
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const file = relative(SRC, resolve(SRC, dirname(path), specifier)).replace(/\.js$/, '.ts');
      const target = roomOf(file.replaceAll('\\', '/'));
      if (!IGNORED.includes(file) && target !== roomOf(path)) rooms.get(roomOf(path)).add(target);
    }
  }
  return rooms;
}

/** The arrows without those that other arrows imply. */
function withoutShortcuts(rooms) {
  const reached = (from) => [...rooms.get(from)].flatMap((to) => [to, ...reached(to)]);
  return new Map(
    [...rooms].map(([room, targets]) => {
      const further = new Set([...targets].flatMap(reached));
      return [room, [...targets].filter((target) => !further.has(target)).sort()];
    }),
  );
}

/**
 * The layers from top to bottom, each with its places from left to right. A place is a room, or a gap through which
 * an arrow passes.
 */
function layersOf(arrows) {
  const heights = new Map();
  const heightOf = (room, way = []) => {
    if (way.includes(room)) throw new Error(`a circle of imports: ${[...way, room].join(' → ')}`);
    if (!heights.has(room)) {
      const below = arrows.get(room).map((target) => heightOf(target, [...way, room]));
      heights.set(room, 1 + Math.max(-1, ...below));
    }
    return heights.get(room);
  };
  const top = Math.max(...[...arrows.keys()].map((room) => heightOf(room)));
  const found = Array.from({ length: top + 1 }, () => []);
  for (const room of arrows.keys()) found[top - heights.get(room)].push({ room, to: [] });
  const placeOf = new Map(found.flat().map((place) => [place.room, place]));
  for (const [room, targets] of arrows) {
    for (const target of targets) {
      let from = placeOf.get(room);
      for (let height = heights.get(room) - 1; height > heights.get(target); height--) {
        const passage = { room: undefined, to: [] };
        found[top - height].push(passage);
        from.to.push(passage);
        from = passage;
      }
      from.to.push(placeOf.get(target));
    }
  }
  return leastCrossed(found).layers;
}

/** The order of the places in every layer with the fewest crossing arrows; the first of equals. */
function leastCrossed([layer, ...below], above = []) {
  let best;
  for (const order of permutationsOf(layer)) {
    const own = crossings(above, order);
    const rest = below.length > 0 ? leastCrossed(below, order) : { count: 0, layers: [] };
    const count = own + rest.count;
    if (!best || count < best.count) best = { count, layers: [order, ...rest.layers] };
  }
  return best;
}

function crossings(above, layer) {
  const ends = above.flatMap(({ to }, from) => to.map((place) => [from, layer.indexOf(place)]));
  return ends.flatMap(([a, b]) => ends.filter(([c, d]) => a < c && b > d)).length;
}

function permutationsOf(items) {
  if (items.length < 2) return [items];
  return items.flatMap((item) =>
    permutationsOf(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

function draw(found) {
  const widthOf = ({ room }) => (room === undefined ? PASSAGE : BOX.width);
  const extentOf = (layer) =>
    layer.reduce((sum, place) => sum + widthOf(place), GAP.x * (layer.length - 1));
  const width = Math.max(...found.map(extentOf)) + 4 * MARGIN;
  const pitch = BOX.height + GAP.y;
  const height = found.length * pitch - GAP.y + 4 * MARGIN;
  found.forEach((layer, row) => {
    let x = (width - extentOf(layer)) / 2;
    for (const place of layer) {
      place.x = x + widthOf(place) / 2;
      place.y = 2 * MARGIN + row * pitch;
      x += widthOf(place) + GAP.x;
    }
  });
  const places = found.flat();
  const rooms = places.filter(({ room }) => room !== undefined);
  const coreTop = Math.min(...rooms.filter(isCore).map(({ y }) => y)) - MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" text-anchor="middle">
<title>The folders of src and what they import</title>
<defs><marker id="tip" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" fill="#555"/></marker></defs>
<rect width="${width}" height="${height}" fill="#fff"/>
<rect x="${MARGIN / 2}" y="${coreTop}" width="${width - MARGIN}" height="${height - coreTop - MARGIN / 2}" rx="10" fill="#f4f6f9" stroke="#9aa5b1" stroke-dasharray="5 4"/>
<text x="${MARGIN}" y="${coreTop + 18}" font-size="12" fill="#5b6673" text-anchor="start">core: no package, no Node or DOM global</text>
<g fill="none" stroke="#555" stroke-width="1.4">
${rooms.flatMap((place) => place.to.map((next) => arrow(place, next))).join('\n')}
</g>
${rooms.map(box).join('\n')}
</svg>
`;
}

function isCore({ room }) {
  return !OUTSIDE.includes(room);
}

/** From a box to a box, through the passages between. */
function arrow(from, first) {
  let place = first;
  let path = `M${from.x} ${from.y + BOX.height}`;
  while (place.room === undefined) {
    path += ` L${place.x} ${place.y} V${place.y + BOX.height}`;
    place = place.to[0];
  }
  return `<path d="${path} L${place.x} ${place.y}" marker-end="url(#tip)"/>`;
}

/** A room, and its contents. */
function box({ room, x, y }) {
  const lines = linesOf(contentsOf(room));
  const name = room === COMPOSITION ? FIRST : room;
  const fill = OUTSIDE.includes(room) ? '#fdf3e1' : '#fff';
  const title = y + BOX.height / 2 + 5 - 8 * lines.length;
  const below = lines.map(
    (line, i) =>
      `<text x="${x}" y="${title + 19 + 16 * i}" font-size="12" fill="#5b6673">${line}</text>`,
  );
  return `<g><rect x="${x - BOX.width / 2}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="7" fill="${fill}" stroke="#333"/><text x="${x}" y="${title}" font-size="16" font-weight="600" fill="#111">${name}</text>${below.join('')}</g>`;
}

function linesOf(names) {
  const lines = [];
  for (const name of names) {
    const longer = `${lines.at(-1)} · ${name}`;
    if (lines.length > 0 && longer.length <= LINE) lines[lines.length - 1] = longer;
    else lines.push(name);
  }
  return lines;
}

/** The folders of a room; for the composition, its files. Those for workerd replace their namesakes. */
function contentsOf(room) {
  if (room === COMPOSITION) {
    const own = sources.filter((path) => !path.includes('/') && !/^index\.|\.workerd\./.test(path));
    return own.filter((path) => path !== FIRST).map((path) => path.replace('.ts', ''));
  }
  const parts = sources.map((path) => path.split('/'));
  return [...new Set(parts.filter((p) => p[0] === room && p.length > 2).map((p) => p[1]))];
}
