import { formatFixed } from '../pythonText.js';
import { type DiffPiece, wordDifferences } from './differences.js';
import { escapeHtml } from './escape.js';
import type { EvaluationReport, ReportExample, ReportSystem } from './model.js';
import { alignmentPlot, lengthPlot, lengthScatter, scoreByLengthPlot, scorePlot } from './plots.js';
import { reportStyle } from './style.js';
import { scoreTable, statisticsTable } from './tables.js';

/**
 * A report as one HTML page that needs nothing else: no scripts, no fonts, no network. It fits a phone 360 pixels wide (tables and
 * alignments that do not scroll by themselves) and follows the reader's dark mode.
 *
 * @param title of the page
 */
export function htmlReport(report: EvaluationReport, title = 'Evaluation'): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p>${report.lines} ${report.lines === 1 ? 'line' : 'lines'}, ${report.systems.length === 1 ? 'one system' : `${report.systems.length} systems`}.</p>
${scores(report)}
${lengths(report)}
${report.systems.map(examples).join('\n')}
</main>
</body>
</html>
`;
}

function table(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows;
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell) => `<${tag}>${escapeHtml(cell.replace('(p ', '(p\u00a0'))}</${tag}>`).join('');
  const line = (row: readonly string[]) =>
    `<tr><th scope="row">${escapeHtml(row[0])}</th>${cells('td', row.slice(1))}</tr>`;
  return `<div class="scroll"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${body.map(line).join('')}</tbody></table></div>`;
}

function scores(report: EvaluationReport): string {
  const several = report.systems.length > 1;
  const arrows = report.metrics.map(({ higherIsBetter }) => (higherIsBetter ? '↑' : '↓'));
  const rows = scoreTable(report, 1).map((row, i) =>
    i === 0 ? row : [`${row[0]}\u00a0${arrows[i - 1]}`, ...row.slice(1)],
  );
  const signatures = report.metrics
    .map(({ name, signature }) => `<li>${escapeHtml(`${name}|${signature}`)}</li>`)
    .join('');
  return `<section>
<h2>Scores</h2>
${table(rows)}
<p class="note">↑ higher is better, ↓ lower. Scores with half the width of the 95 % interval that resampled lines give${
    several ? '; p against the first system by paired bootstrap resampling, a star at 0.05 or less' : ''
  }.</p>
<div class="plots"><figure>${scorePlot(report)}</figure><figure>${scoreByLengthPlot(report)}</figure></div>
<details><summary>Signatures</summary><ul class="signatures">${signatures}</ul></details>
</section>`;
}

function lengths(report: EvaluationReport): string {
  const scatters = report.systems.map((system, i) => `<figure>${lengthScatter(report, system, i)}</figure>`);
  return `<section>
<h2>Lengths and words</h2>
<div class="plots"><figure>${lengthPlot(report)}</figure>${scatters.join('')}</div>
${table(statisticsTable([...report.systems, { name: 'reference', statistics: report.reference }], 3))}
</section>`;
}

function examples({ name, worst }: ReportSystem, i: number): string {
  if (worst.length === 0) return '';
  return `<section>
<details${i === 0 ? ' open' : ''}><summary><h2>Worst lines of ${escapeHtml(name)}</h2></summary>
<p class="note">By chrF2 of the line. Words that the other side has in the same order are plain, others are marked.</p>
${worst.map(card).join('\n')}
</details>
</section>`;
}

function card({ line, score, text, reference, source, alignment }: ReportExample): string {
  const [theirs, ours] = wordDifferences(reference, text);
  const heatMap = alignment
    ? `<details class="alignment"><summary>Alignment</summary><div class="scroll">${alignmentPlot(alignment)}</div></details>`
    : '';
  return `<article>
<h3>Line ${line} <span class="score">chrF2 ${formatFixed(score, 1)}</span></h3>
${source === undefined ? '' : `<p class="source" dir="auto"><b>source</b> ${escapeHtml(source)}</p>`}
<div class="pair">
<p dir="auto"><b>reference</b> ${marked(theirs, 'del')}</p>
<p dir="auto"><b>output</b> ${marked(ours, 'ins')}</p>
</div>
${heatMap}
</article>`;
}

/** What only one side has, within a tag that says which. */
function marked(pieces: readonly DiffPiece[], tag: 'del' | 'ins'): string {
  if (pieces.length === 0) return '<i>empty</i>';
  return pieces
    .map(({ text, common }) => (common ? escapeHtml(text) : `<${tag}>${escapeHtml(text)}</${tag}>`))
    .join(' ');
}
