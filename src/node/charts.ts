/**
 * Charts as SVG, by Vega-Lite, which draws them without a browser. Vega and Vega-Lite are optional packages, 25 MB that
 * only charts need.
 */

import type * as Vega from 'vega';
import type * as VegaLite from 'vega-lite';
import { optionalPackage } from './optional-package.js';

/** A line of a chart: values of y at values of x, which may be in any order. */
export interface ChartSeries {
  readonly name: string;
  readonly points: readonly ChartPoint[];
  /** Drawn with dashes, for what the others are compared with. */
  readonly isDashed?: boolean;
}

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** Standard error of `y`, drawn as a band. */
  readonly error?: number;
}

export interface ChartBar {
  readonly name: string;
  readonly value: number;
  /** Standard error of the value, drawn as a line at the end of the bar. */
  readonly error?: number;
  /** Drawn in grey, for what the others are compared with. */
  readonly isGrey?: boolean;
}

export interface ChartText {
  readonly title: string;
  /** Smaller, below the title. */
  readonly subtitle?: string;
  readonly xLabel: string;
  readonly yLabel: string;
}

export interface LineChart extends ChartText {
  readonly series: readonly ChartSeries[];
  /** Texts in place of numbers along x: x is then an index into them. */
  readonly xNames?: readonly string[];
}

export interface BarChart extends Omit<ChartText, 'yLabel'> {
  /** From top to bottom. */
  readonly bars: readonly ChartBar[];
}

/** Lines that colors tell apart with ease. */
const COLORS = [
  ...['#4e79a7', '#f28e2b', '#e15759', '#76b7b2', '#59a14f'],
  ...['#b6992d', '#af7aa1', '#ff9da7', '#9c755f', '#2f4b7c'],
];
const GREY = '#8a8a8a';
/** Dashes of the first lines of the colors, of the second ones, … */
const DASHES = [[], [7, 2], [2, 2], [7, 2, 2, 2]];
const GREY_DASHES = [
  [5, 4],
  [1.5, 2.5],
];

const WIDTH = 520;
const HEIGHT = 320;
/** Height of a bar with its gap. */
const BAR_STEP = 19;

/**
 * A chart with a line for each series, the names at the right.
 *
 * @returns the text of an SVG file
 * @throws {UnsupportedError} if Vega or Vega-Lite is not installed, with the command to install them
 */
export async function lineChart(chart: LineChart): Promise<string> {
  const { series, xLabel, yLabel, xNames } = chart;
  const names = series.map(({ name }) => name);
  const colors = series.map(({ isDashed }, i) => (isDashed ? GREY : COLORS[i % COLORS.length]!));
  let dashed = 0;
  const dashes = series.map(({ isDashed }, i) =>
    isDashed
      ? GREY_DASHES[dashed++ % GREY_DASHES.length]!
      : DASHES[Math.floor(i / COLORS.length) % DASHES.length]!,
  );
  const values = series.flatMap(({ name, points }) =>
    points.map(({ x, y, error = 0 }) => ({
      ...{ series: name, y, low: y - error, high: y + error },
      x: xNames ? xNames[x]! : x,
    })),
  );
  const scale = { domain: names, range: colors };
  const legend = {
    ...{ title: null, symbolType: 'stroke' },
    ...{ symbolSize: 500, symbolStrokeWidth: 2, symbolOpacity: 1 },
  } as const;
  const x = {
    ...{ field: 'x', title: xLabel, axis: { grid: false, labelAngle: 0 } },
    ...(xNames
      ? ({ type: 'ordinal', sort: [...xNames] } as const)
      : ({ type: 'quantitative' } as const)),
  };
  const color = { field: 'series', type: 'nominal', scale, legend } as const;
  const hasErrors = series.some(({ points }) => points.some(({ error }) => error));
  return drawn({
    ...{ title: titleOf(chart), width: WIDTH, height: HEIGHT, data: { values } },
    layer: [
      ...(hasErrors
        ? [
            {
              mark: { type: 'area', opacity: 0.15 } as const,
              encoding: {
                ...{ x, color },
                y: { field: 'low', type: 'quantitative', title: yLabel } as const,
                y2: { field: 'high' } as const,
              },
            },
          ]
        : []),
      {
        mark: { type: 'line', strokeWidth: 1.8, point: xNames !== undefined },
        encoding: {
          ...{ x, color },
          y: { field: 'y', type: 'quantitative', title: yLabel },
          strokeDash: {
            ...{ field: 'series', type: 'nominal', legend },
            scale: { domain: names, range: dashes },
          },
        },
      },
    ],
  });
}

/**
 * A chart with a horizontal bar for each value, the names at the left.
 *
 * @returns the text of an SVG file
 * @throws {UnsupportedError} as `lineChart`
 */
export async function barChart(chart: BarChart): Promise<string> {
  const { bars, xLabel } = chart;
  const values = bars.map(({ name, value, error = 0, isGrey = false }) => ({
    ...{ name, value, low: value - error, high: value + error, color: isGrey ? GREY : COLORS[0]! },
  }));
  const y = { field: 'name', type: 'nominal', sort: null, title: null } as const;
  const hasErrors = bars.some(({ error }) => error);
  return drawn({
    ...{ title: titleOf(chart), width: WIDTH, height: { step: BAR_STEP }, data: { values } },
    encoding: { y },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          x: { field: 'value', type: 'quantitative', title: xLabel },
          color: { field: 'color', type: 'nominal', scale: null },
        },
      },
      ...(hasErrors
        ? [
            {
              mark: { type: 'rule', strokeWidth: 1.2 } as const,
              encoding: {
                x: { field: 'low', type: 'quantitative' } as const,
                x2: { field: 'high' } as const,
              },
            },
          ]
        : []),
    ],
  });
}

function titleOf({ title, subtitle }: Pick<ChartText, 'title' | 'subtitle'>) {
  return { text: title, anchor: 'start', ...(subtitle !== undefined && { subtitle }) } as const;
}

async function drawn(spec: Exclude<VegaLite.TopLevelSpec, { spec: unknown }>): Promise<string> {
  // Names that bundlers and the compiler cannot follow, because the packages may be missing: a bundle that draws no
  // chart is built without them. npm installs Vega with Vega-Lite.
  const [vegaLiteName, vegaName]: readonly [string, string] = ['vega-lite', 'vega'];
  const [{ compile }, vega] = await optionalPackage('vega-lite', 'a chart', () =>
    Promise.all([
      import(vegaLiteName) as Promise<typeof VegaLite>,
      import(vegaName) as Promise<typeof Vega>,
    ]),
  );
  const config = {
    ...{ background: 'white', padding: 12, font: 'sans-serif' },
    view: { stroke: null },
    axis: { gridColor: '#e8e8e8', domainColor: GREY, labelLimit: 400 },
    ...{ title: { fontSize: 15, subtitleColor: '#555', subtitleFontSize: 11, offset: 12 } },
    legend: { labelLimit: 400 },
  } as const;
  const { spec: compiled } = compile({ ...spec, config } as VegaLite.TopLevelSpec);
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
