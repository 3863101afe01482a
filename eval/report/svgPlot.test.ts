import * as Plot from '@observablehq/plot';
import { describe, expect, it } from 'vitest';
import { plotColor, svgPlot } from './svgPlot.js';

const points = [
  { x: 1, y: 2, color: plotColor(0) },
  { x: 3, y: 5, color: plotColor(1) },
];
const options = (): Plot.PlotOptions => ({
  height: 200,
  color: { type: 'identity' },
  marks: [Plot.dot(points, { x: 'x', y: 'y', fill: 'color' })],
});

describe('svgPlot', () => {
  it('draws the same SVG each time, in the colors of the page', () => {
    const svg = svgPlot(options(), { title: 'Points' });
    expect(svg).toBe(svgPlot(options(), { title: 'Points' }));
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 340 200"/);
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(svg).toContain('fill="var(--plot-0, #4269d0)"');
    expect(svg).toContain('aria-label="Points"');
    expect(svg).not.toContain('background:white');
  });

  it('puts a legend above what Plot draws, in as many rows as it needs', () => {
    const entry = (label: string) => ({ label, color: 'red' });
    const one = svgPlot(options(), { title: '', legend: [entry('a'), entry('b')] });
    expect(one).toContain('viewBox="0 -22 340 222"');
    expect(one).toContain('height="222"');
    expect(one).toContain('>a</text>');
    const long = entry('a name of thirty letters at all');
    expect(svgPlot(options(), { title: '', legend: [long, long] })).toContain('viewBox="0 -40 340 240"');
  });

  it('escapes labels and titles', () => {
    const svg = svgPlot(options(), { title: '"<&', legend: [{ label: '<b>&', color: 'red' }] });
    expect(svg).toContain('&lt;b&gt;&amp;</text>');
    expect(svg).toContain('aria-label="&quot;&lt;&amp;"');
  });

  it('makes files of their own on white', () => {
    const svg = svgPlot(options(), { title: 'Points', standalone: true });
    expect(svg).toContain('xmlns="http://www.w3.org/2000/svg"');
    expect(svg).toContain('background:white');
    expect(plotColor(7, true)).toBe('#d97706');
  });

  it('refuses what would be no SVG', () => {
    expect(() => svgPlot({ ...options(), title: 'A title' }, { title: '' })).toThrow(/is no SVG/);
  });
});
