import { describe, expect, it } from 'vitest';
import { barChart, lineChart } from '../../src/node/charts.js';

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('charts', () => {
  const point = (x: number, y: number) => ({ x, y });

  it('draw a line for each series, with title, names and labels as text', async () => {
    const svg = await lineChart({
      ...{ title: 'Deletion', subtitle: '3 pictures', xLabel: 'share', yLabel: 'probability' },
      series: [
        { name: 'a & b', points: [point(0, 1), point(1, 0)] },
        { name: 'Random', points: [point(0, 1), point(1, 0.5)], isDashed: true },
      ],
    });
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    for (const text of ['Deletion', '3 pictures', 'share', 'probability', 'a &amp; b', 'Random']) {
      expect(count(svg, `>${text}<`), text).toBe(1);
    }
    expect(count(svg, 'aria-roledescription="line mark"')).toBe(2);
    expect(count(svg, 'aria-roledescription="area mark"')).toBe(0);
  });

  it('draw a band where a line has errors, and names in place of numbers in the given order', async () => {
    const svg = await lineChart({
      ...{ title: 't', xLabel: 'down to', yLabel: 'rank', xNames: ['none', 'last', 'first'] },
      series: [{ name: 'a', points: [2, 0, 1].map((x) => ({ x, y: x, error: 0.1 })) }],
    });
    expect(count(svg, 'aria-roledescription="area mark"')).toBe(1);
    const names = [...svg.matchAll(/>(none|last|first)</g)].map(([, name]) => name);
    expect(names).toEqual(['none', 'last', 'first']);
  });

  it('draw a bar for each value, from top to bottom, with its error', async () => {
    const svg = await barChart({
      ...{ title: 'Energy', xLabel: 'share' },
      bars: [
        { name: 'b', value: 0.5, error: 0.1 },
        { name: 'a', value: 1, isGrey: true },
      ],
    });
    const widths = [...svg.matchAll(/name: [ab].*?d="M0,[\d.]+h([\d.]+)v/g)].map(([, w]) =>
      Number(w),
    );
    expect(widths[1]).toBeCloseTo(2 * widths[0]!, 6);
    expect(count(svg, 'aria-roledescription="rule mark"')).toBe(2);
    expect([...svg.matchAll(/>([ab])</g)].map(([, name]) => name)).toEqual(['b', 'a']);
  });
});
