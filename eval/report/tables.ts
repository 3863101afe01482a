import { formatFixed } from '../pythonText.js';
import type { Distribution, TextStatistics } from '../textStatistics.js';
import type { EvaluationReport } from './model.js';

/** A text and what is said of it. */
export interface DescribedText {
  name: string;
  statistics: TextStatistics;
}

/** Scores as rows of text: a row for each metric, a column for each system; the first row has the names. */
export function scoreTable({ metrics, systems }: EvaluationReport, width: number): string[][] {
  const head = ['', ...systems.map(({ name }) => name)];
  const rows = metrics.map(({ name }, m) => [
    name,
    ...systems.map(({ results }) => {
      const { score, confidence, pValue } = results[m];
      const tested = pValue === undefined ? '' : ` (p ${formatFixed(pValue, 4)}${pValue <= 0.05 ? '*' : ''})`;
      return `${formatFixed(score, width)} ± ${formatFixed(confidence.halfWidth, width)}${tested}`;
    }),
  ]);
  return [head, ...rows];
}

/** Statistics as rows of text, a column for each text; the first row has the names. */
export function statisticsTable(texts: readonly DescribedText[], width: number): string[][] {
  const all = texts.map(({ statistics }) => statistics);
  const rows = [['', ...texts.map(({ name }) => name)]];
  const add = (label: string, cell: (text: TextStatistics) => number | string | undefined) => {
    const cells = all.map(cell);
    if (cells.every((value) => value === undefined)) return;
    rows.push([
      label,
      ...cells.map((value) => (typeof value === 'number' ? formatFixed(value, width) : (value ?? ''))),
    ]);
  };
  add('lines', ({ lines }) => String(lines));
  add('empty lines', ({ emptyLines }) => String(emptyLines));
  for (const unit of ['words', 'characters'] as const) {
    add(`${unit}, mean ± deviation`, (text) => {
      const { mean, standardDeviation } = text[unit];
      return `${formatFixed(mean, 1)} ± ${formatFixed(standardDeviation, 1)}`;
    });
    add(`${unit}, least to most`, (text) => fiveNumbers(text[unit]));
  }
  for (const [n] of all[0].distinct.entries()) {
    add(`distinct-${n + 1}`, ({ distinct }) => distinct[n]);
  }
  for (const [n] of all[0].repetition.entries()) {
    add(`repetition-${n + 1}`, ({ repetition }) => repetition[n]);
  }
  for (const [n] of all[0].distinct.entries()) {
    add(`novelty-${n + 1}`, ({ novelty }) => novelty?.[n]);
  }
  add('compression', ({ compression }) => compression);
  add('length ratio', ({ lengthRatio }) => lengthRatio);
  return rows;
}

function fiveNumbers({ min, lowerQuartile, median, upperQuartile, max }: Distribution): string {
  return [min, lowerQuartile, median, upperQuartile, max].map((value) => Number(value.toFixed(1))).join(' ');
}
