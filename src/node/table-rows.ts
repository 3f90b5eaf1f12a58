/** The rows of a table in a text file: CSV with commas or semicolons, or TSV. */

/** Refuses the file. */
export type Fail = (what: string) => never;

export interface TableRow {
  /** Where it is in the file, counted from 1, if no cell has a line break. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * All rows that are not empty.
 *
 * @param fail called with a row, counted from 1, that cannot be read
 */
export async function parseRows(text: string, fail: Fail): Promise<TableRow[]> {
  const { default: papa } = await import('papaparse');
  const { data, errors } = papa.parse<string[]>(text, { delimiter: delimiterOf(text) });
  const [error] = errors;
  if (error) fail(`row ${(error.row ?? 0) + 1}: ${error.message}`);
  return data
    .map((cells, i) => ({ line: i + 1, cells }))
    .filter(({ cells }) => cells.join('').trim() !== '');
}

/** Decided by the first line: no name has a tab, and few have a semicolon. */
export function delimiterOf(text: string): string {
  const [line] = text.split(/[\r\n]/u, 1);
  if (line!.includes('\t')) return '\t';
  return line!.includes(';') && !line!.includes(',') ? ';' : ',';
}

/** `"Class Name"` → class_name */
export function headerWord(cell: string): string {
  return cell
    .replaceAll('"', '')
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/gu, '_');
}
