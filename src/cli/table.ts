/** Tables as the commands print them. */

import Table from 'cli-table3';

/**
 * An empty table with a heading.
 *
 * @param isText whether a column is text; others are figures, set to the right. A number: that many, from the first
 */
export function makeTable(
  head: readonly string[],
  isText: number | ((column: number) => boolean),
): Table.Table {
  const isLeft = typeof isText === 'number' ? (column: number) => column < isText : isText;
  return new Table({
    head: [...head],
    colAligns: head.map((_, column) => (isLeft(column) ? 'left' : 'right')),
    // No colors: the table is as often read in a log as in a terminal.
    style: { head: [], border: [], compact: true },
  });
}
