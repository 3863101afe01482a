import * as Plot from '@observablehq/plot';
import type { TextAlignment } from './alignments.js';
import type { EvaluationReport, ReportSystem } from './model.js';
import { type LegendEntry, plotColor, svgPlot } from './svgPlot.js';

// A mark on every line of a large corpus would make a page of megabytes.
const mostDots = 1500;
const mostWords = 60;

/** Series of a report: the systems, then the reference. */
function legendOf(report: EvaluationReport, withReference: boolean): LegendEntry[] {
  const names = report.systems.map(({ name }) => name);
  if (withReference) names.push('reference');
  return names.map((name, i) => ({ label: shorten(name, 40), color: plotColor(i) }));
}

/** The end of a name, which is what tells paths apart. */
export function shorten(name: string, most: number): string {
  const points = [...name];
  return points.length <= most ? name : `…${points.slice(1 - most).join('')}`;
}

/** Scores as dots in their 95 % intervals, a row for each metric. */
export function scorePlot(report: EvaluationReport): string {
  const rows = report.metrics.flatMap(({ name: metric }, m) =>
    report.systems.map(({ results }, i) => {
      const { score, confidence } = results[m];
      return {
        metric,
        system: String(i),
        score,
        low: confidence.low,
        high: confidence.high,
        color: plotColor(i),
      };
    }),
  );
  const place = { y: 'system', fy: 'metric' };
  return svgPlot(
    {
      height: report.metrics.length * Math.max(22, 14 * report.systems.length) + 40,
      marginLeft: 92,
      marginRight: 12,
      x: { grid: true, label: 'score', zero: true },
      y: { axis: null, type: 'point', padding: 0.8 },
      fy: { axis: 'left', label: null, domain: report.metrics.map(({ name }) => name) },
      color: { type: 'identity' },
      marks: [
        Plot.ruleY(rows, {
          x1: 'low',
          x2: 'high',
          ...place,
          stroke: 'color',
          strokeWidth: 3,
          strokeOpacity: 0.4,
        }),
        Plot.dot(rows, { x: 'score', ...place, fill: 'color', r: 4 }),
      ],
    },
    { title: 'Scores with 95 % intervals', legend: legendOf(report, false) },
  );
}

/** How many lines have how many words, of each system and of the reference. */
export function lengthPlot(report: EvaluationReport): string {
  const series = [...report.systems.map(({ statistics }) => statistics), report.reference];
  const longest = Math.max(1, ...series.map(({ words }) => words.max));
  const step = Math.max(1, Math.ceil(longest / 30));
  const points = series.flatMap(({ lengths }, i) => {
    const counts = new Array<number>(Math.floor(longest / step) + 1).fill(0);
    for (const length of lengths) counts[Math.floor(length / step)]++;
    return counts.map((lines, bin) => ({ words: bin * step, lines, color: plotColor(i) }));
  });
  return svgPlot(
    {
      height: 220,
      x: { label: step === 1 ? 'words of a line' : `words of a line, in steps of ${step}` },
      y: { grid: true, label: 'lines' },
      color: { type: 'identity' },
      marks: [
        Plot.ruleY([0]),
        Plot.lineY(points, { x: 'words', y: 'lines', z: 'color', stroke: 'color', strokeWidth: 2 }),
      ],
    },
    { title: 'Lengths of lines', legend: legendOf(report, true) },
  );
}

/** Each line's length against that of its reference; what lies on the diagonal is as long. */
export function lengthScatter(report: EvaluationReport, system: ReportSystem, i: number): string {
  const stride = Math.ceil(report.lines / mostDots);
  const points = system.statistics.lengths
    .map((words, line) => ({ words, reference: report.reference.lengths[line] }))
    .filter((_, line) => line % stride === 0);
  const most = Math.max(1, ...points.flatMap(({ words, reference }) => [words, reference]));
  return svgPlot(
    {
      height: 260,
      x: { label: 'words of the reference', domain: [0, most], grid: true },
      y: { label: 'words of the line', domain: [0, most], grid: true },
      marks: [
        Plot.line([
          [0, 0],
          [most, most],
        ]),
        Plot.dot(points, { x: 'reference', y: 'words', fill: plotColor(i), fillOpacity: 0.35, r: 3 }),
      ],
    },
    {
      title: `Lengths against the reference, ${system.name}`,
      legend: [{ label: shorten(system.name, 40), color: plotColor(i) }],
    },
  );
}

/** Mean chrF of the lines by length of their reference, in parts of as many lines each. */
export function scoreByLengthPlot(report: EvaluationReport): string {
  const { lengths } = report.reference;
  const order = lengths.map((_, line) => line).sort((a, b) => lengths[a] - lengths[b] || a - b);
  const parts = Math.max(1, Math.min(8, Math.floor(report.lines / 5)));
  const points = report.systems.flatMap(({ lineScores }, i) =>
    Array.from({ length: parts }, (_, part) => {
      const from = Math.floor((part * order.length) / parts);
      const lines = order.slice(from, Math.floor(((part + 1) * order.length) / parts));
      const mean = (value: (line: number) => number) =>
        lines.reduce((sum, line) => sum + value(line), 0) / lines.length;
      return {
        words: mean((line) => lengths[line]),
        score: mean((line) => lineScores[line]),
        color: plotColor(i),
      };
    }),
  );
  return svgPlot(
    {
      height: 220,
      x: { label: 'words of the reference, mean of each part' },
      y: { grid: true, label: 'mean chrF2 of the lines', zero: true },
      color: { type: 'identity' },
      marks: [
        Plot.lineY(points, { x: 'words', y: 'score', z: 'color', stroke: 'color', strokeWidth: 2 }),
        Plot.dot(points, { x: 'words', y: 'score', fill: 'color', r: 3 }),
      ],
    },
    { title: 'Scores by length', legend: legendOf(report, false) },
  );
}

/** Weights as a field of squares: words of the text downwards, of the source to the right; long texts are cut. */
export function alignmentPlot({ sourceWords, words, weights }: TextAlignment): string {
  const columns = sourceWords.slice(0, mostWords).map((word) => shorten(word, 16));
  const rows = words.slice(0, mostWords).map((word) => shorten(word, 16));
  const cells = rows.flatMap((_, row) =>
    columns.map((_, column) => ({ row, column, weight: weights[row][column] })),
  );
  const longest = (labels: readonly string[]) => Math.max(0, ...labels.map((label) => [...label].length));
  const [marginLeft, marginTop] = [8 * longest(rows) + 12, 8 * longest(columns) + 12];
  const axis = { label: null, tickSize: 0 };
  return svgPlot(
    {
      width: columns.length * 18 + marginLeft + 10,
      height: rows.length * 18 + marginTop + 10,
      marginLeft,
      marginTop,
      marginRight: 10,
      marginBottom: 10,
      x: {
        ...axis,
        axis: 'top',
        domain: columns.keys(),
        tickFormat: (i: number) => columns[i],
        tickRotate: -90,
      },
      y: { ...axis, domain: rows.keys(), tickFormat: (i: number) => rows[i] },
      marks: [
        Plot.cell(
          cells.filter(({ weight }) => weight >= 0.005),
          {
            x: 'column',
            y: 'row',
            fill: plotColor(0),
            fillOpacity: ({ weight }: { weight: number }) => Math.min(1, weight),
          },
        ),
        Plot.frame({ strokeOpacity: 0.3 }),
      ],
      opacity: { type: 'identity' },
    },
    { title: 'Alignment of the text with its source' },
  );
}
