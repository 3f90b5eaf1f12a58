/**
 * jimp's bitmap fonts, read here: its own loader takes an engine that has a global `self`, as Deno and
 * Bun have, for a web worker, and fetches the file from a server that there is not.
 *
 * Format: AngelCode's BMFont as XML, one element for the sheet of letters, each letter, and each pair
 * of letters that stand closer.
 */

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type BitmapFont = Awaited<ReturnType<typeof import('jimp')['loadFont']>>;

/** @param path of the .fnt file; its sheets lie beside it */
export async function loadBitmapFont(path: string): Promise<BitmapFont> {
  const [{ Jimp }, xml] = await Promise.all([import('jimp'), readFile(path, 'utf8')]);
  const sheets = elementsOf(xml, 'page').map(({ file }) => Jimp.read(join(dirname(path), file!)));
  const chars: BitmapFont['chars'] = {};
  for (const element of elementsOf(xml, 'char')) {
    const char = numbersOf(element) as unknown as BitmapFont['chars'][string];
    chars[String.fromCharCode(char.id)] = char;
  }
  const kernings: Record<string, Record<string, number>> = {};
  for (const element of elementsOf(xml, 'kerning')) {
    const { first, second, amount } = numbersOf(element);
    const letter = String.fromCharCode(first!);
    kernings[letter] ??= {};
    kernings[letter][String.fromCharCode(second!)] = amount!;
  }
  return {
    chars,
    kernings: kernings as unknown as BitmapFont['kernings'],
    common: { lineHeight: numbersOf(elementsOf(xml, 'common')[0]!)['lineHeight']! },
    info: {},
    pages: (await Promise.all(sheets)) as unknown as BitmapFont['pages'],
  };
}

/** The attributes of every element of a name. */
function elementsOf(xml: string, name: string): Record<string, string>[] {
  return [...xml.matchAll(new RegExp(`<${name} ([^>]*)/>`, 'g'))].map(([, attributes]) =>
    Object.fromEntries(
      [...attributes!.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]),
    ),
  );
}

function numbersOf(attributes: Record<string, string>): Record<string, number> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, Number(value)]));
}
