import { Command } from 'commander';
import { bootstrapMeans, type Interval } from '../../../eval/bootstrap.js';
import { formatFixed } from '../../../eval/pythonText.js';
import {
  type RougeOptions,
  type RougeResult,
  type RougeType,
  type RougeValue,
  rouge,
  rougeOptionsSchema,
  rougeScriptWarning,
  rougeStatistics,
} from '../../../eval/rouge.js';
import { warn } from '../streams.js';
import { type EvaluateStreams, hypothesesHelp, readSystems } from './input.js';
import { exclude, readSchemaFlags, readWidth, referenceFlag, schemaFlags } from './schemaFlags.js';
import {
  type ComparedSystem,
  formatComparison,
  readSignificance,
  significanceFlags,
} from './significance.js';
import { formatTable } from './table.js';

const keys = ['precision', 'recall', 'fmeasure'] as const;
type Intervals = { [key in (typeof keys)[number]]: Interval };

interface RougeFlags {
  reference?: string[];
  json?: boolean;
  width: string;
  sentenceLevel?: boolean;
  [option: string]: unknown;
}

/** `polybeam evaluate rouge`. */
export function rougeCommand(streams: EvaluateStreams): Command {
  const command = new Command('rouge')
    .description(
      "Print ROUGE, as Google's rouge-score 0.1.2 computes it: means over lines, 0 to 1. Words are runs of the letters a to z and of " +
        'digits; text in other scripts scores 0: use chrf for it.',
    )
    .argument('[hypotheses...]', hypothesesHelp)
    .addOption(referenceFlag())
    .option('--json', 'print JSON, with all digits')
    .option('--width <n>', 'decimals of the values', '4')
    .option(
      '--sentence-level',
      'print the F of each type for each line, separated by tabs; with --json all values, one object a line',
    );
  for (const option of [...schemaFlags(rougeOptionsSchema), ...significanceFlags()])
    command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
A line is one sentence to rougeLsum unless --sentence-separator says what stands between its sentences.

Examples:
  $ polybeam evaluate rouge --reference test.summaries output.txt --stemmer --confidence
  $ polybeam evaluate rouge --reference test.summaries baseline.txt output.txt --paired-bs   # F, in percent
  $ polybeam evaluate rouge --reference test.summaries output.txt --types rouge1,rougeLsum --sentence-separator "<n>"`,
    )
    .action((paths: string[], flags: RougeFlags) =>
      evaluateRouge(paths.length > 0 ? paths : ['-'], flags, streams),
    );
}

async function evaluateRouge(
  paths: readonly string[],
  flags: RougeFlags,
  streams: EvaluateStreams,
): Promise<void> {
  const several = paths.length > 1;
  const width = readWidth(flags.width);
  exclude(flags.confidence, '--confidence', flags.sentenceLevel, '--sentence-level');
  exclude(flags.sentenceLevel, '--sentence-level', several, 'several systems');
  const options = readSchemaFlags(rougeOptionsSchema, flags, 'evaluate rouge') as RougeOptions;
  const { confidence, paired } = readSignificance(flags, paths.length);
  const { hypotheses, references } = await readSystems(paths, flags.reference, streams);
  const warning = rougeScriptWarning(references.flat());
  if (warning) warn(streams, warning);
  const results = hypotheses.map((lines) => rouge(lines, references, options));
  const [result] = results;
  if (flags.sentenceLevel) {
    printLines(result, hypotheses[0].length, width, flags.json, streams);
    return;
  }
  const intervals = confidence && intervalsOf(result, confidence);
  const text = several
    ? formatComparison(compared(paths, results), paired, { json: flags.json, width })
    : flags.json
      ? formatJson(result, intervals)
      : formatText(result, intervals, width);
  streams.stdout.write(`${text}\n`);
}

/** F of each type as a score of its own, in percent. */
function compared(paths: readonly string[], results: readonly RougeResult[]): ComparedSystem[] {
  return results.map((result, i) => ({
    name: paths[i],
    statistics: (Object.keys(result.scores) as RougeType[]).map((type) => rougeStatistics(result, type)),
  }));
}

/** Bounds of every type and value; the same lines are drawn for all of them. */
function intervalsOf(
  result: RougeResult,
  options: { samples?: number; seed?: number },
): Map<RougeType, Intervals> {
  const types = Object.keys(result.lines) as RougeType[];
  const columns = types.flatMap((type) =>
    keys.map((key) => Float64Array.from(result.lines[type]!, (value) => value[key])),
  );
  const found = bootstrapMeans(columns, options);
  return new Map(
    types.map((type, t) => {
      const [precision, recall, fmeasure] = found.slice(t * 3, t * 3 + 3);
      return [type, { precision, recall, fmeasure }];
    }),
  );
}

function entries(result: RougeResult): [RougeType, RougeValue][] {
  return Object.entries(result.scores) as [RougeType, RougeValue][];
}

function formatJson(result: RougeResult, intervals: Map<RougeType, Intervals> | undefined): string {
  const values = entries(result).map(([type, value]) => {
    const found = intervals?.get(type);
    if (!found) return [type, value];
    const bound = (name: keyof Interval) => Object.fromEntries(keys.map((key) => [key, found[key][name]]));
    return [type, { ...value, confidence: { low: bound('low'), mid: bound('mid'), high: bound('high') } }];
  });
  return JSON.stringify(
    { name: 'ROUGE', signature: result.signature, ...Object.fromEntries(values) },
    null,
    1,
  );
}

function formatText(
  result: RougeResult,
  intervals: Map<RougeType, Intervals> | undefined,
  width: number,
): string {
  const rows = [['', 'precision', 'recall', 'F']];
  for (const [type, value] of entries(result)) {
    const cells = keys.map((key) => {
      const found = intervals?.get(type)?.[key];
      const range = found && ` (${formatFixed(found.low, width)}-${formatFixed(found.high, width)})`;
      return formatFixed(value[key], width) + (range ?? '');
    });
    rows.push([type, ...cells]);
  }
  return `ROUGE|${result.signature}\n${formatTable(rows)}`;
}

function printLines(
  result: RougeResult,
  count: number,
  width: number,
  json: boolean | undefined,
  streams: EvaluateStreams,
): void {
  const types = Object.keys(result.lines) as RougeType[];
  for (let i = 0; i < count; i++) {
    const text = json
      ? JSON.stringify(Object.fromEntries(types.map((type) => [type, result.lines[type]![i]])))
      : types.map((type) => formatFixed(result.lines[type]![i].fmeasure, width)).join('\t');
    streams.stdout.write(`${text}\n`);
  }
}
