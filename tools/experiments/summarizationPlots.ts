import * as Plot from '@observablehq/plot';
import { plotColor, svgPlot } from '../../eval/report/svgPlot.js';

/** A score with its interval, under the name of what it belongs to. */
export interface PlottedScore {
  name: string;
  score: number;
  low: number;
  high: number;
}

/** Scores of several starts as dots in their intervals, a row for each start; series are numbers of pairs. */
export function startsPlot(series: readonly { label: string; scores: readonly PlottedScore[] }[]): string {
  const rows = series.flatMap(({ scores }, at) =>
    scores.map((row) => ({ ...row, color: plotColor(at, true) })),
  );
  const names = [...new Set(rows.map(({ name }) => name))];
  return svgPlot(
    {
      width: 640,
      height: 40 * names.length + 60,
      marginLeft: 130,
      x: { grid: true, label: 'ROUGE-1', zero: true },
      y: { label: null, domain: names },
      color: { type: 'identity' },
      marks: [
        Plot.ruleY(rows, {
          x1: 'low',
          x2: 'high',
          y: 'name',
          stroke: 'color',
          strokeWidth: 5,
          strokeOpacity: 0.35,
        }),
        Plot.dot(rows, { x: 'score', y: 'name', fill: 'color', r: 5 }),
      ],
    },
    {
      title: 'ROUGE-1 by start, with 95 % intervals',
      legend: series.map(({ label }, at) => ({ label, color: plotColor(at, true) })),
      standalone: true,
    },
  );
}

/** A score by the length of the fragment, as in figure 5 of Song et al. 2019. */
export function sweepPlot(
  points: readonly { share: number; score: number; low: number; high: number }[],
): string {
  const color = plotColor(0, true);
  return svgPlot(
    {
      width: 480,
      height: 260,
      x: { label: 'k / m', domain: [0.2, 0.8], ticks: points.map(({ share }) => share) },
      y: { grid: true, label: 'ROUGE-1, held-out pairs' },
      marks: [
        Plot.ruleX(points, {
          x: 'share',
          y1: 'low',
          y2: 'high',
          stroke: color,
          strokeWidth: 4,
          strokeOpacity: 0.35,
        }),
        Plot.line(points, { x: 'share', y: 'score', stroke: color }),
        Plot.dot(points, { x: 'share', y: 'score', fill: color, r: 4 }),
      ],
    },
    { title: 'ROUGE-1 by the share of the text that is masked', standalone: true },
  );
}
