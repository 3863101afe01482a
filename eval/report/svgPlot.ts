import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeHtml } from './escape.js';

/** An entry of a plot's legend. */
export interface LegendEntry {
  label: string;
  /** A CSS color. */
  color: string;
}

/** What a plot gets beside Observable Plot's options. */
export interface SvgPlotOptions {
  /** What the plot shows, for readers who cannot see it. */
  title: string;
  /** Drawn above the plot. */
  legend?: readonly LegendEntry[];
  /**
   * Makes a file of its own, on white. Without it the text has the color of the page around it, so that the plot works on dark
   * pages. Default false.
   */
  standalone?: boolean;
}

/** Hues that stay apart on white and on black, and for those who cannot tell red from green. */
const palette = ['#4269d0', '#d97706', '#0d9488', '#db2777', '#7c3aed', '#64748b'];

/**
 * The color of the i-th series: `--plot-0` and so on where a page sets it, else a fixed one.
 *
 * @param standalone for files of their own, which not everything that draws SVG would find a variable in
 */
export function plotColor(i: number, standalone = false): string {
  const color = palette[i % palette.length];
  return standalone ? color : `var(--plot-${i % palette.length}, ${color})`;
}

const rowHeight = 18;

/**
 * Draws a plot of Observable Plot as SVG text, without a browser: the same input gives the same bytes.
 *
 * @param options Plot's own options; `width` (default 340, which a phone shows without shrinking) and `height` in pixels.
 *   Colors given as `plotColor` follow the page's
 */
export function svgPlot(
  options: Plot.PlotOptions,
  { title, legend = [], standalone = false }: SvgPlotOptions,
): string {
  const { document } = parseHTML('<html><body></body></html>');
  const width = options.width ?? 340;
  const svg = Plot.plot({
    width,
    // Below the numbers of the x axis there is room for its label.
    marginBottom: 42,
    ...options,
    x: { labelOffset: 38, ...options.x },
    document,
    // Background and color are the page's.
    style: { background: 'none', fontSize: '12px' },
  }) as SVGSVGElement;
  if (svg.tagName.toLowerCase() !== 'svg') {
    throw new Error('A plot with a title, caption or legend of its own is no SVG: pass them to svgPlot.');
  }
  const height = Number(svg.getAttribute('height'));
  const { group, added } = drawLegend(document, legend, width);
  if (added > 0) {
    // Space above is made by an origin above 0, which leaves what Plot drew where it is.
    svg.setAttribute('viewBox', `0 ${-added} ${width} ${height + added}`);
    svg.setAttribute('height', String(height + added));
    group.setAttribute('transform', `translate(0,${-added})`);
    svg.append(group);
  }
  if (standalone) {
    svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    svg.setAttribute('style', 'background:white;color:#1f2328;font-size:12px');
  }
  // linkedom writes attributes as HTML has them; in XML they must be escaped.
  return svg.outerHTML.replace('<svg ', () => `<svg role="img" aria-label="${escapeHtml(title)}" `);
}

/** Entries from left to right, in as many rows as they need. */
function drawLegend(document: Document, legend: readonly LegendEntry[], width: number) {
  const group = document.createElementNS('http://www.w3.org/2000/svg', 'g');
  group.setAttribute('text-anchor', 'start');
  let x = 0;
  let row = 0;
  for (const { label, color } of legend) {
    // Some 7 pixels a letter, and the square with its margins.
    const needed = 7 * label.length + 32;
    if (x > 0 && x + needed > width) {
      x = 0;
      row++;
    }
    const square = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
    const place = { x, y: row * rowHeight + 3, width: 11, height: 11, fill: color };
    for (const [name, value] of Object.entries(place)) square.setAttribute(name, String(value));
    text.setAttribute('x', String(x + 16));
    text.setAttribute('y', String(row * rowHeight + 13));
    text.textContent = label;
    group.append(square, text);
    x += needed;
  }
  return { group, added: legend.length > 0 ? (row + 1) * rowHeight + 4 : 0 };
}
