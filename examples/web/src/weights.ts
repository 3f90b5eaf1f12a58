/** What the page makes of files that come in together: one network, and what goes with it. */

/** A network in one file or several. */
export interface OwnWeights {
  /** The files that came, but those of JSON: which are the network's, their first bytes tell. */
  readonly files: readonly File[];
  /** Names of the classes, if they came along. */
  readonly labels?: readonly string[];
}

/** What the name of one file of several ends in: `-00001-of-00002`. */
const PART = /-\d+-of-0*(\d+)(?=\.(?:safetensors|bin)$)/;

/**
 * Sorts the files out by their names, and JSON files by what they hold.
 *
 * @throws where there are no weights, not all of them, or a JSON file is something else
 */
export async function sortOut(given: readonly File[]): Promise<OwnWeights> {
  const isJson = ({ name }: File): boolean => name.endsWith('.json');
  const files = given.filter((file) => !isJson(file));
  let labels: readonly string[] | undefined;
  for (const file of given.filter(isJson)) {
    const json = await jsonOf(file);
    if (isLabels(json)) labels = json;
    else checkIndex(file.name, json, files);
  }
  if (files.length === 0) {
    throw new Error(`${given[0]!.name}: class names alone; choose them together with the weights.`);
  }
  const parts = files.filter(({ name }) => PART.test(name));
  const [part] = parts;
  const all = Number(part && PART.exec(part.name)![1]);
  if (part && parts.length < all) {
    throw new Error(`${part.name}: one of ${all} files; choose them all at once.`);
  }
  return { files, ...(labels && { labels }) };
}

/** What the page and its messages call weights in these files. */
export function nameOf(files: readonly File[]): string {
  const { name } = files[0]!;
  return files.length === 1 ? name : `${name.replace(PART, '')} (${files.length} files)`;
}

async function jsonOf(file: File): Promise<unknown> {
  try {
    return JSON.parse(await file.text());
  } catch (cause) {
    throw new Error(`${file.name}: not valid JSON.`, { cause });
  }
}

function isLabels(json: unknown): json is string[] {
  return Array.isArray(json) && json.every((label) => typeof label === 'string');
}

/** The index says which file has which tensor, as Hugging Face writes it; the files say so themselves. */
function checkIndex(name: string, json: unknown, files: readonly File[]): void {
  const { weight_map: map } = (json ?? {}) as { weight_map?: Record<string, string> | null };
  if (typeof map !== 'object' || map === null) {
    throw new Error(
      `${name}: expected class names as an array of strings, or an index of weights; got ${describe(json)}.`,
    );
  }
  const wanted = [...new Set(Object.values(map))];
  const missing = wanted.filter((shard) => files.every((file) => file.name !== shard));
  if (missing.length > 0) {
    throw new Error(`${name}: choose its files with it; missing: ${missing.join(', ')}.`);
  }
}

function describe(json: unknown): string {
  if (!Array.isArray(json)) return json === null ? 'null' : `one ${typeof json}`;
  const at = json.findIndex((label) => typeof label !== 'string');
  return `an array whose item ${at} is ${describe(json[at])}`;
}
