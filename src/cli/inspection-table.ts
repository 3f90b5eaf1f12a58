/** Prints what is known about a network. */

import type { InspectedValue, Inspection } from '../node/inspect.js';
import { describeArchitecture } from '../node/report.js';
import { megabytes } from './byte-size.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

/** How many names of values are shown; the others are only counted. */
const SOME = 12;

const HEADS: Readonly<Record<Inspection['head'], string>> = {
  linear: 'linear in the last features: class activation maps need no gradients',
  layers: 'several layers: class activation maps would need gradients, saliency maps do not',
  none: 'none: maps without classes',
};

const CHANNELS: Readonly<Record<Inspection['preprocessing']['channels'], string>> = {
  rgb: 'red, green, blue',
  bgr: 'blue, green, red',
  grey: 'luminance',
  other: 'not of a picture: give tensors',
};

/** @param withLayers whether to list every layer */
export function formatInspection(inspection: Inspection, withLayers: boolean): string {
  const { model, architecture, classes, activation, head, preprocessing, inputSize } = inspection;
  const { parameters, macs, channels, labels, assumption, format, prefix } = inspection;
  const { mean, std } = preprocessing;
  const lines = [
    `${printable(model)}: ${describeArchitecture(architecture)}`,
    `File      ${printable(format)}${prefix === '' ? '' : `, names begin with ${printable(prefix)}`}`,
    `Input     ${channels} ${channels === 1 ? 'channel' : 'channels'} (${CHANNELS[preprocessing.channels]}), trained at ${preprocessing.size} pixels, mean ${mean.map(short).join(' ')}, sd ${std.map(short).join(' ')}`,
    `Size      ${(parameters / 1e6).toFixed(2)} M values, ${(macs / 1e9).toFixed(3)} GMAC at ${inputSize.join(' × ')}`,
    `Head      ${classes} ${classes === 1 ? 'class' : 'classes'}, ${classes > 0 ? `${activation}; ` : ''}${HEADS[head]}`,
    ...(labels ? [`Classes   ${classText(labels)}`] : []),
    `Scales    end at ${inspection.scales.map(valueText).join(', ') || `no value: name some, --taps ${inspection.candidates.map(printable).join(',')}`}`,
    `Others    that --taps can name: ${someOf(inspection.tappable)}`,
    ...inspection.warnings.map((warning) => `Note      ${printable(warning)}`),
    ...(assumption === undefined ? [] : [`Assumed   ${printable(assumption)}`]),
  ];
  return `${lines.join('\n')}\n${memoryTable(inspection)}\n${withLayers ? layerTable(inspection) : ''}`;
}

function classText(labels: readonly string[]): string {
  const some = labels.slice(0, 3).map(printable).join('; ');
  return labels.length > 3 ? `${some} … ${printable(labels.at(-1)!)}` : some;
}

function valueText({ name, shape }: InspectedValue): string {
  return `${printable(name)} ${shape.join(' × ')}`;
}

function someOf(values: readonly InspectedValue[]): string {
  const names = values.slice(0, SOME).map(({ name }) => printable(name));
  const more = values.length - names.length;
  return names.length === 0 ? 'none' : `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function memoryTable({ memory, size, inputSize }: Inspection): string {
  const at = inputSize.every((side) => side === size) ? size : inputSize.join('×');
  const table = makeTable(['MB, kept as', 'weights', `in all at ${at}`], 1);
  for (const { precision, weightBytes, totalBytes } of memory) {
    table.push([precision, megabytes(weightBytes), megabytes(totalBytes)]);
  }
  return table.toString();
}

function layerTable({ layers }: Inspection): string {
  const table = makeTable(['layer', 'shape', 'MMAC'], 2);
  for (const { name, shape, macs } of layers) {
    table.push([printable(name), shape, macs > 0 ? (macs / 1e6).toFixed(1) : '']);
  }
  return `${table.toString()}\n`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
