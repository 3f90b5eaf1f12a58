/** Tables as the commands print them. */

import Table from 'cli-table3';

/**
 * An empty table with a heading.
 *
 * @param lefts columns that are text, from the first; the others are figures, set to the right
 */
export function makeTable(head: readonly string[], lefts: number): Table.Table {
  return new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column < lefts ? 'left' : 'right')),
    // No colors: the table is as often read in a log as in a terminal.
    style: { head: [], border: [], compact: true },
  });
}
