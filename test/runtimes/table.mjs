/** The results as a table in Markdown, and its place in docs/runtimes.md. */

import { readFileSync, writeFileSync } from 'node:fs';

const DOCUMENT = new URL('../../docs/runtimes.md', import.meta.url);
const BEGIN = '<!-- written by npm run test:runtimes -- --write -->\n';
const END = '<!-- end -->';

const HEAD = [
  '| engine | version | backend | logits | SMOE | combined | map, from Node 24’s | ms | Node 24 × | ms, two threads |',
  '|---|---|---|---|---|---|---|---|---|---|',
];

export function markdownTable(rows) {
  const lines = rows.map((row) => {
    const { name, version, backend, errors, fromNode, network, ms, ratio, threadsMs } = row;
    const cells = [
      name,
      version,
      backend,
      ...['logits', 'smoe', 'combined'].map((what) => exponential(errors[what])),
      exponential(fromNode),
      ms.toFixed(1) + (network === 'small' ? ' (small)' : ''),
      ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0),
      threadsMs?.toFixed(1) ?? '',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `${[...HEAD, ...lines].join('\n')}\n`;
}

/** Puts the table between the markers of docs/runtimes.md. */
export function writeTable(table) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  writeFileSync(DOCUMENT, text.slice(0, begin) + table + text.slice(text.indexOf(END)));
}

function exponential(value) {
  if (value === undefined) return '';
  return value === 0 ? '0' : value.toExponential(1);
}
