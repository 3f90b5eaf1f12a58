/** Tables as the commands print them. */

import Table from 'cli-table3';

/**
 * An empty table with a heading.
 *
 * @param isText whether a column is text, or the number of text columns at the left. Others are figures, aligned right
 */
export function makeTable(
  head: readonly string[],
  isText: number | ((column: number) => boolean),
): Table.Table {
  const isLeft = typeof isText === 'number' ? (column: number) => column < isText : isText;
  return new Table({
    head: [...head],
    colAligns: head.map((_, column) => (isLeft(column) ? 'left' : 'right')),
    // No colors: the table is often read in a log file.
    style: { head: [], border: [], compact: true },
  });
}
