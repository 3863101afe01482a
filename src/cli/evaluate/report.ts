import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { readAlignment, type TextAlignment } from '../../../eval/report/alignments.js';
import {
  type EvaluationReport,
  evaluationReport,
  type ReportOptions,
  reportOptionsSchema,
} from '../../../eval/report/model.js';
import { scoreTable, statisticsTable } from '../../../eval/report/tables.js';
import { rougeScriptWarning } from '../../../eval/rouge.js';
import { PolybeamError } from '../../errors.js';
import { fileAccess } from '../../files.js';
import { requireFlag } from '../flags.js';
import { warn } from '../streams.js';
import { describePath, type EvaluateStreams, hypothesesHelp, readParallel } from './input.js';
import { exclude, readSchemaFlags, readWidth, referenceFlag, schemaFlags } from './schemaFlags.js';
import { formatTable } from './table.js';

interface ReportFlags {
  reference?: string[];
  source?: string;
  alignments?: string[];
  html?: string;
  title: string;
  json?: boolean;
  width: string;
  [option: string]: unknown;
}

/** `polybeam evaluate report`. */
export function reportCommand(streams: EvaluateStreams): Command {
  const command = new Command('report')
    .description(
      'Print several metrics with intervals, significance tests and statistics; --html adds plots and examples.',
    )
    .argument('[hypotheses...]', hypothesesHelp)
    .addOption(referenceFlag())
    .option('--source <file>', 'file with the source of each line: for novelty, compression and the examples')
    .addOption(
      new Option(
        '--alignments <file>',
        'alignments of the first system as translate --alignments prints them, for --html; repeat it for the next systems',
      ).argParser((file: string, files: string[] | undefined) => [...(files ?? []), file]),
    )
    .option('--html <file>', 'write a self-contained page, readable on a phone, instead of printing')
    .option('--title <text>', 'title of the page', 'Evaluation')
    .option('--json', 'print JSON, with all digits')
    .option('--width <n>', 'decimals of the scores', '1');
  for (const option of schemaFlags(reportOptionsSchema)) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam evaluate report --reference test.fr output.fr
  $ polybeam evaluate report --reference test.fr --source test.en baseline.fr output.fr --html report.html
  $ polybeam translate --to fr --alignments soft < test.en > aligned.tsv && cut -f1 aligned.tsv > output.fr
  $ polybeam evaluate report --reference test.fr --source test.en --alignments aligned.tsv output.fr --html report.html`,
    )
    .action((paths: string[], flags: ReportFlags) =>
      report(paths.length > 0 ? paths : ['-'], flags, streams),
    );
}

async function report(paths: readonly string[], flags: ReportFlags, streams: EvaluateStreams): Promise<void> {
  const width = readWidth(flags.width);
  const options = readSchemaFlags(reportOptionsSchema, flags, 'evaluate report') as ReportOptions;
  exclude(flags.json, '--json', flags.html, '--html');
  checkAlignments(paths, flags);
  const alignmentPaths = flags.alignments ?? [];
  const sourcePaths = flags.source === undefined ? [] : [flags.source];
  const referencePaths = requireFlag(flags.reference, '--reference');
  const files = await readParallel([...paths, ...referencePaths, ...sourcePaths, ...alignmentPaths], streams);
  const take = (count: number) => files.splice(0, count);
  const hypotheses = take(paths.length);
  const references = take(referencePaths.length);
  const [source] = take(sourcePaths.length);
  if (reportOptionsSchema.parse(options).metrics.some((name) => name.startsWith('rouge'))) {
    const warning = rougeScriptWarning(references.flat());
    if (warning) warn(streams, warning);
  }
  const names = shortNames(paths);
  const systems = hypotheses.map((lines, i) => ({
    name: names[i],
    lines,
    ...(files[i] && { alignments: readAlignments(files[i], source, lines, alignmentPaths[i]) }),
  }));
  const result = evaluationReport({ systems, references, source }, options);
  if (flags.html !== undefined) {
    // Loaded only here: drawing needs much that nothing else does.
    const { htmlReport } = await import('../../../eval/report/html.js');
    const page = new TextEncoder().encode(htmlReport(result, flags.title));
    await fileAccess().writeAtomic(flags.html, [page]);
    return;
  }
  streams.stdout.write(`${flags.json ? formatJson(result) : formatText(result, width)}\n`);
}

/** File names without their folders, or the paths where two would be the same. */
function shortNames(paths: readonly string[]): readonly string[] {
  const names = paths.map((path) => basename(path));
  return new Set(names).size === names.length ? names : paths;
}

function checkAlignments(paths: readonly string[], flags: ReportFlags): void {
  if (!flags.alignments) return;
  if (flags.html === undefined || flags.source === undefined) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      '--alignments are drawn on the page that --html writes, over the words of --source: add both.',
    );
  }
  if (flags.alignments.length > paths.length) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `There are ${flags.alignments.length} --alignments for ${paths.length} of the hypotheses: give one for each at most.`,
    );
  }
}

function readAlignments(
  lines: readonly string[],
  source: readonly string[],
  texts: readonly string[],
  path: string,
): TextAlignment[] {
  return lines.map((line, i) =>
    readAlignment(line, source[i], texts[i], `${describePath(path)}, line ${i + 1},`),
  );
}

function formatText(result: EvaluationReport, width: number): string {
  const described = [...result.systems, { name: 'reference', statistics: result.reference }];
  const signatures = result.metrics.map(({ name, signature }) => `${name}|${signature}`);
  return [
    formatTable(scoreTable(result, width)),
    formatTable(statisticsTable(described, 3)),
    signatures.join('\n'),
  ].join('\n\n');
}

/** Everything but the examples and what is known line by line. */
function formatJson({ lines, metrics, systems, reference }: EvaluationReport): string {
  const { lengths: _, ...referenceStatistics } = reference;
  const rows = systems.map(({ name, results, statistics: { lengths: __, ...statistics } }) => ({
    system: name,
    scores: Object.fromEntries(
      results.map(({ score, confidence, pValue }, m) => [
        metrics[m].name,
        { score, ...confidence, p_value: pValue ?? null },
      ]),
    ),
    statistics,
  }));
  const signatures = Object.fromEntries(metrics.map(({ name, signature }) => [name, signature]));
  return JSON.stringify(
    { lines, signatures, systems: rows, reference: { statistics: referenceStatistics } },
    null,
    1,
  );
}
