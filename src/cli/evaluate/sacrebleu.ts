import { Command } from 'commander';
import type { z } from 'zod';
import { bleuOptionsSchema, corpusBleu, sentenceBleu } from '../../../eval/bleu.js';
import { chrfOptionsSchema, corpusChrf, sentenceChrf } from '../../../eval/chrf.js';
import { formatFixed } from '../../../eval/pythonText.js';
import { formatScore, formatScoreJson, type Score } from '../../../eval/score.js';
import { type EvaluateStreams, readParallel } from './input.js';
import { exclude, readSchemaFlags, readWidth, referenceFlag, schemaFlags } from './schemaFlags.js';

/** A metric as the command line sees it. */
interface Metric {
  name: string;
  summary: string;
  /** The options that become flags. */
  schema: z.ZodObject;
  corpus(hypotheses: string[], references: string[][], options: object): Score;
  sentence(hypothesis: string, references: string[], options: object): Score;
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
    expectsPlainText: (options) => options.tokenize !== 'none',
    examples: `
Examples:
  $ polybeam evaluate bleu --reference test.fr output.fr
  $ polybeam translate --to fr < test.en | polybeam evaluate bleu --reference test.fr --json
  $ polybeam evaluate bleu --reference test.fr output.fr --lowercase --tokenize moses-fr   # as many papers do`,
  },
  {
    name: 'chrf',
    summary: 'corpus chrF, as sacreBLEU 2.6 computes and prints it',
    schema: chrfOptionsSchema,
    corpus: corpusChrf,
    sentence: sentenceChrf,
    expectsPlainText: () => false,
    examples: `
Examples:
  $ polybeam evaluate chrf --reference test.fr output.fr
  $ polybeam evaluate chrf --reference test.fr output.fr --word-order 2   # chrF++`,
  },
];

/** The commands of sacreBLEU's metrics. */
export function sacrebleuCommands(streams: EvaluateStreams): Command[] {
  return metrics.map((metric) => metricCommand(metric, streams));
}

function metricCommand(metric: Metric, streams: EvaluateStreams): Command {
  const command = new Command(metric.name)
    .description(`Print ${metric.summary}.`)
    .argument(
      '[hypothesis]',
      'file with a line per segment, .gz or not; - or nothing reads standard input',
      '-',
    )
    .addOption(referenceFlag())
    .option('--json', "print sacreBLEU's JSON instead of one line")
    .option('--width <n>', 'decimals of the score', '1')
    .option('--score-only', 'print the number alone')
    .option('--sentence-level', 'print a score for each line instead of one for all');
  for (const option of schemaFlags(metric.schema)) command.addOption(option);
  return command
    .addHelpText('after', metric.examples)
    .action((hypothesis: string, flags: Flags) => evaluate(metric, hypothesis, flags, streams));
}

interface Flags {
  reference: string[];
  json?: boolean;
  width: string;
  scoreOnly?: boolean;
  sentenceLevel?: boolean;
  [metricOption: string]: unknown;
}

async function evaluate(
  metric: Metric,
  hypothesisPath: string,
  flags: Flags,
  streams: EvaluateStreams,
): Promise<void> {
  const width = readWidth(flags.width);
  exclude(flags.json, '--json', flags.scoreOnly, '--score-only');
  exclude(flags.json, '--json', flags.sentenceLevel, '--sentence-level');
  const options = readSchemaFlags(metric.schema, flags, `evaluate ${metric.name}`);
  const [hypotheses, ...references] = await readParallel([hypothesisPath, ...flags.reference], streams);
  if (metric.expectsPlainText(options)) warnOfTokens(hypotheses, streams);
  const scores = flags.sentenceLevel
    ? hypotheses.map((line, i) =>
        metric.sentence(
          line,
          references.map((lines) => lines[i]),
          options,
        ),
      )
    : [metric.corpus(hypotheses, references, options)];
  for (const score of scores) streams.stdout.write(`${print(score, width, flags)}\n`);
}

function print(score: Score, width: number, flags: Flags): string {
  if (flags.scoreOnly) return formatFixed(score.score, width);
  return flags.json ? formatScoreJson(score, { width }) : formatScore(score, { width });
}

function warnOfTokens(hypotheses: readonly string[], streams: EvaluateStreams): void {
  if (hypotheses.filter((line) => line.endsWith(' .')).length < 100) return;
  streams.stderr.write(
    'warning: 100 lines or more end in " .", so the hypothesis looks tokenized, which lowers the score; ' +
      'detokenize it, or pass --tokenize none if the references are tokenized alike.\n',
  );
}
