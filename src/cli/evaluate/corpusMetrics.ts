import { Command } from 'commander';
import type { z } from 'zod';
import { bleuOptionsSchema, bleuStatistics, corpusBleu, sentenceBleu } from '../../../eval/bleu.js';
import { chrfOptionsSchema, chrfStatistics, corpusChrf, sentenceChrf } from '../../../eval/chrf.js';
import {
  cerStatistics,
  corpusCer,
  corpusWer,
  errorRateOptionsSchema,
  sentenceCer,
  sentenceWer,
  werStatistics,
} from '../../../eval/errorRate.js';
import type { LineStatistics } from '../../../eval/lineStatistics.js';
import { formatNumber, formatScore, formatScoreJson, type Score } from '../../../eval/score.js';
import { withConfidence } from '../../../eval/significance.js';
import { corpusTer, sentenceTer, terOptionsSchema, terStatistics } from '../../../eval/ter.js';
import { type EvaluateStreams, hypothesesHelp, readSystems } from './input.js';
import { exclude, readSchemaFlags, readWidth, referenceFlag, schemaFlags } from './schemaFlags.js';
import { formatComparison, readSignificance, significanceFlags } from './significance.js';

/** A metric as the command line sees it. */
interface Metric {
  name: string;
  summary: string;
  /** The options that become flags. */
  schema: z.ZodObject;
  corpus(hypotheses: string[], references: string[][], options: object): Score;
  sentence(hypothesis: string, references: string[], options: object): Score;
  statistics(hypotheses: string[], references: string[][], options: object): LineStatistics;
  /** Whether to warn of hypotheses that look tokenized, which sacreBLEU does for BLEU. */
  expectsPlainText(options: { [name: string]: unknown }): boolean;
  examples: string;
}

const metrics: Metric[] = [
  {
    name: 'bleu',
    summary: 'corpus BLEU, as sacreBLEU 2.6 computes and prints it',
    // sacreBLEU's signature says nothing of the longest n-gram, and --sentence-level sets the effective order.
    schema: bleuOptionsSchema.omit({ maxNgramOrder: true, effectiveOrder: true }),
    corpus: corpusBleu,
    sentence: sentenceBleu,
    statistics: bleuStatistics,
    expectsPlainText: (options) => options.tokenize !== 'none',
    examples: `
Examples:
  $ polybeam evaluate bleu --reference test.fr output.fr
  $ polybeam translate --to fr < test.en | polybeam evaluate bleu --reference test.fr --json
  $ polybeam evaluate bleu --reference test.fr output.fr --lowercase --tokenize moses-fr   # as many papers do
  $ polybeam evaluate bleu --reference test.fr baseline.fr output.fr --paired-bs   # is the difference significant?`,
  },
  {
    name: 'chrf',
    summary: 'corpus chrF, as sacreBLEU 2.6 computes and prints it',
    schema: chrfOptionsSchema,
    corpus: corpusChrf,
    sentence: sentenceChrf,
    statistics: chrfStatistics,
    expectsPlainText: () => false,
    examples: `
Examples:
  $ polybeam evaluate chrf --reference test.fr output.fr
  $ polybeam evaluate chrf --reference test.fr output.fr --word-order 2   # chrF++`,
  },
  {
    name: 'ter',
    summary: 'corpus translation edit rate, as sacreBLEU 2.6 computes and prints it',
    schema: terOptionsSchema,
    corpus: corpusTer,
    sentence: sentenceTer,
    statistics: terStatistics,
    expectsPlainText: () => false,
    examples: `
Examples:
  $ polybeam evaluate ter --reference test.fr output.fr
  $ polybeam evaluate ter --reference test.fr baseline.fr output.fr --paired-ar`,
  },
  {
    name: 'wer',
    summary: 'corpus word error rate, words being what stands between blanks',
    schema: errorRateOptionsSchema,
    corpus: corpusWer,
    sentence: sentenceWer,
    statistics: werStatistics,
    expectsPlainText: () => false,
    examples: `
Examples:
  $ polybeam evaluate wer --reference test.txt output.txt --lowercase`,
  },
  {
    name: 'cer',
    summary: 'corpus character error rate, of code points',
    schema: errorRateOptionsSchema,
    corpus: corpusCer,
    sentence: sentenceCer,
    statistics: cerStatistics,
    expectsPlainText: () => false,
    examples: `
Examples:
  $ polybeam evaluate cer --reference test.txt output.txt --nfc`,
  },
];

/** The commands of metrics that give one number for a corpus. */
export function corpusMetricCommands(streams: EvaluateStreams): Command[] {
  return metrics.map((metric) => metricCommand(metric, streams));
}

function metricCommand(metric: Metric, streams: EvaluateStreams): Command {
  const command = new Command(metric.name)
    .description(`Print ${metric.summary}.`)
    .argument('[hypotheses...]', hypothesesHelp)
    .addOption(referenceFlag())
    .option('--json', 'print JSON in the form of sacreBLEU instead of one line')
    .option('--width <n>', 'decimals of the score', '1')
    .option('--score-only', 'print only the number')
    .option('--sentence-level', 'print a score for each line instead of one for all');
  for (const option of [...schemaFlags(metric.schema), ...significanceFlags()]) command.addOption(option);
  return command
    .addHelpText('after', metric.examples)
    .action((paths: string[], flags: Flags) =>
      evaluate(metric, paths.length > 0 ? paths : ['-'], flags, streams),
    );
}

interface Flags {
  reference?: string[];
  json?: boolean;
  width: string;
  scoreOnly?: boolean;
  sentenceLevel?: boolean;
  [metricOption: string]: unknown;
}

async function evaluate(
  metric: Metric,
  paths: readonly string[],
  flags: Flags,
  streams: EvaluateStreams,
): Promise<void> {
  const width = readWidth(flags.width);
  const several = paths.length > 1;
  exclude(flags.json, '--json', flags.scoreOnly, '--score-only');
  exclude(flags.json, '--json', flags.sentenceLevel, '--sentence-level');
  exclude(flags.sentenceLevel, '--sentence-level', flags.confidence, '--confidence');
  exclude(flags.sentenceLevel, '--sentence-level', several, 'several systems');
  exclude(flags.scoreOnly, '--score-only', several, 'several systems');
  const options = readSchemaFlags(metric.schema, flags, `evaluate ${metric.name}`);
  const { confidence, paired } = readSignificance(flags, paths.length);
  const { hypotheses, references } = await readSystems(paths, flags.reference, streams);
  if (metric.expectsPlainText(options)) for (const lines of hypotheses) warnOfTokens(lines, streams);
  if (several) {
    const systems = hypotheses.map((lines, i) => ({
      name: paths[i],
      statistics: [metric.statistics(lines, references, options)],
    }));
    streams.stdout.write(`${formatComparison(systems, paired, { json: flags.json, width })}\n`);
    return;
  }
  const scores = flags.sentenceLevel
    ? hypotheses[0].map((line, i) =>
        metric.sentence(
          line,
          references.map((lines) => lines[i]),
          options,
        ),
      )
    : [corpusScore(metric, hypotheses[0], references, options, confidence)];
  for (const score of scores) streams.stdout.write(`${print(score, width, flags)}\n`);
}

function corpusScore(
  metric: Metric,
  hypotheses: string[],
  references: string[][],
  options: object,
  confidence: { samples?: number; seed?: number } | undefined,
): Score {
  const score = metric.corpus(hypotheses, references, options);
  return confidence
    ? withConfidence(score, metric.statistics(hypotheses, references, options), confidence)
    : score;
}

function print(score: Score, width: number, flags: Flags): string {
  if (flags.scoreOnly) return formatNumber(score, { width });
  return flags.json ? formatScoreJson(score, { width }) : formatScore(score, { width });
}

function warnOfTokens(hypotheses: readonly string[], streams: EvaluateStreams): void {
  if (hypotheses.filter((line) => line.endsWith(' .')).length < 100) return;
  streams.stderr.write(
    'warning: 100 lines or more end in " .", so the hypothesis looks tokenized, which lowers the score; ' +
      'detokenize it, or pass --tokenize none if the references are tokenized alike.\n',
  );
}
