import * as Plot from '@observablehq/plot';
import { plotColor, svgPlot } from '../../eval/report/svgPlot.js';

/** A score as training goes on. */
export interface Curve {
  name: string;
  points: readonly { update: number; bleu: number }[];
}

/** BLEU by updates, a line for each way to start. */
export function curvesPlot(curves: readonly Curve[]): string {
  const rows = curves.flatMap(({ points }, at) =>
    points.map((point) => ({ ...point, color: plotColor(at, true), curve: at })),
  );
  return svgPlot(
    {
      width: 640,
      height: 360,
      x: { label: 'updates' },
      y: { grid: true, label: 'BLEU, held-out pairs', zero: true },
      color: { type: 'identity' },
      marks: [
        Plot.line(rows, { x: 'update', y: 'bleu', z: 'curve', stroke: 'color', strokeWidth: 2 }),
        Plot.dot(rows, { x: 'update', y: 'bleu', fill: 'color', r: 2.5 }),
      ],
    },
    {
      title: 'BLEU en-fr by updates of translation, for each way to start',
      legend: curves.map(({ name }, at) => ({ label: name, color: plotColor(at, true) })),
      standalone: true,
    },
  );
}
