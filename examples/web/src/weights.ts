/** What the page makes of files that come in together: the weights of one network, and what goes with them. */

/** A network's weights, in one file or several. */
export interface OwnWeights {
  /** What the page and its messages call them. */
  readonly name: string;
  readonly files: readonly File[];
  /** Names of the classes, if they came along. */
  readonly labels?: readonly string[];
}

/** What the name of one file of several ends in: `-00001-of-00002`. */
const PART = /-\d+-of-0*(\d+)(?=\.safetensors$)/;

/**
 * Sorts the files out by their names and contents.
 *
 * @throws where there are no weights, not all of them, or a JSON file is something else
 */
export async function sortOut(given: readonly File[]): Promise<OwnWeights> {
  const files = given.filter(({ name }) => name.endsWith('.safetensors'));
  let labels: readonly string[] | undefined;
  for (const file of given.filter(({ name }) => name.endsWith('.json'))) {
    const json = await jsonOf(file);
    if (isLabels(json)) labels = json;
    else checkIndex(file.name, json, files);
  }
  const [first] = files;
  if (!first) {
    throw new Error(
      `${given[0]!.name}: neither a picture nor a safetensors file, which fastcam convert makes of others.`,
    );
  }
  const parts = Number(PART.exec(first.name)?.[1] ?? 1);
  if (files.length < parts) {
    throw new Error(`${first.name}: one of ${parts} files; choose them all at once.`);
  }
  const name =
    files.length === 1 ? first.name : `${first.name.replace(PART, '')} (${files.length} files)`;
  return { name, files, ...(labels && { labels }) };
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
  const { weight_map: map } = (json ?? {}) as { weight_map?: Record<string, string> };
  if (typeof map !== 'object') {
    throw new Error(`${name}: neither class names in an array, nor an index of weights.`);
  }
  const wanted = [...new Set(Object.values(map))];
  const missing = wanted.filter((shard) => files.every((file) => file.name !== shard));
  if (missing.length > 0) {
    throw new Error(`${name}: choose its files with it; missing: ${missing.join(', ')}.`);
  }
}
