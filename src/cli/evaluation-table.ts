/** Prints an evaluation: a row for each method, a column for each score. */

import type { Mean } from '../evaluate/index.js';
import type { Evaluation, ScoreName } from '../node/evaluate/evaluation.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

/** Heads of the columns: an arrow says which way is good. */
const COLUMNS: readonly [score: ScoreName, head: string, digits: number][] = [
  ['insertion', 'insertion ↑', 3],
  ['deletion', 'deletion ↓', 3],
  ['road', 'ROAD ↑', 3],
  ['drop', 'drop ↓', 3],
  ['increase', 'increase ↑', 3],
  ['pointing', 'pointing ↑', 3],
  ['energy', 'energy ↑', 3],
  ['seconds', 'seconds', 3],
];

/** Ends with a new line. */
export function formatEvaluation(evaluation: Evaluation): string {
  const { folder, model, pictures, failures, accuracy, files, methods } = evaluation;
  const failed = failures.length > 0 ? `, ${failures.length} failed` : '';
  const broken = methods.filter(({ error }) => error !== undefined);
  return (
    `${printable(folder)}: ${counted(pictures)}${failed}, ${printable(model.name)} model, backend ${model.backend}, ` +
    `${(100 * accuracy).toFixed(1)} % classified correctly\n${scoreTable(evaluation)}\n` +
    randomizationTable(evaluation) +
    agreementTable(evaluation) +
    broken.map(({ title, error }) => `${title}: ${printable(error!)}\n`).join('') +
    `Numbers after ± are standard errors of the mean.\n` +
    (files.length > 0 ? `Written:\n${files.map((file) => `  ${printable(file)}\n`).join('')}` : '')
  );
}

function counted(pictures: number): string {
  return `${pictures} picture${pictures === 1 ? '' : 's'}`;
}

function scoreTable({ methods }: Evaluation): string {
  const there = COLUMNS.filter(([score]) => methods.some(({ scores }) => scores[score]));
  const table = makeTable(['', ...there.map(([, head]) => head)], 1);
  for (const { title, scores } of methods) {
    table.push([title, ...there.map(([score, , digits]) => meanText(scores[score], digits))]);
  }
  return table.toString();
}

function meanText(mean: Mean | undefined, digits: number): string {
  if (!mean) return '';
  const { mean: value, error } = mean;
  return error === undefined
    ? value.toFixed(digits)
    : `${value.toFixed(digits)} ±${error.toFixed(digits).replace(/^0/, '')}`;
}

function randomizationTable({ randomization, methods }: Evaluation): string {
  if (!randomization) return '';
  const { depths, rho, pictures } = randomization;
  const table = makeTable(['', ...depths], 1);
  for (const { name, title } of methods) {
    const own = rho[name];
    if (own) table.push([title, ...own.map(({ mean }) => mean.toFixed(2))]);
  }
  return `Spearman’s ρ to the trained network, with random weights from the logits down to …, ${counted(pictures)}\n${table.toString()}\n`;
}

/** With whom a method agrees most, and least. The whole table is in evaluate.json. */
function agreementTable({ agreement, methods }: Evaluation): string {
  if (!agreement || agreement.methods.length < 3) return '';
  const { methods: names, rho, overlap } = agreement;
  const title = (name: string): string => methods.find((method) => method.name === name)!.title;
  const table = makeTable(
    ['', 'most alike', 'ρ', 'top 10 %', 'least alike', 'ρ', 'top 10 %'],
    (c) => [0, 1, 4].includes(c),
  );
  for (const [i, name] of names.entries()) {
    const others = [...names.keys()].filter((j) => j !== i);
    others.sort((a, b) => rho[i]![b]! - rho[i]![a]!);
    const cells = [others[0]!, others.at(-1)!].flatMap((j) => [
      title(names[j]!),
      rho[i]![j]!.toFixed(2),
      `${(100 * overlap[i]![j]!).toFixed(0)} %`,
    ]);
    table.push([title(name), ...cells]);
  }
  return `Agreement of methods: Spearman’s ρ, and the share of the top 10 % in common\n${table.toString()}\n`;
}
