import { z } from 'zod';
import { PolybeamError } from '../../src/errors.js';
import { bleuStatistics } from '../bleu.js';
import { chrfStatistics } from '../chrf.js';
import { cerStatistics, werStatistics } from '../errorRate.js';
import { type LineStatistics, sumRows } from '../lineStatistics.js';
import { readOptions } from '../options.js';
import { type RougeType, rouge, rougeStatistics } from '../rouge.js';
import { type Confidence, confidenceOf, type PairedResult, pairedTest } from '../significance.js';
import { terStatistics } from '../ter.js';
import { type TextStatistics, textStatistics } from '../textStatistics.js';
import type { TextAlignment } from './alignments.js';
import type { ReportOptions } from './model.types.js';

export type { ReportOptions };

const rougeNames = ['rouge1', 'rouge2', 'rougeL', 'rougeLsum'] as const;
const metricNames = ['bleu', 'chrf', 'chrf++', 'ter', 'wer', 'cer', ...rougeNames] as const;
type MetricName = (typeof metricNames)[number];

/** Options of a report. */
export const reportOptionsSchema = z.strictObject({
  metrics: z
    .array(z.enum(metricNames))
    .min(1)
    .default(['bleu', 'chrf', 'ter', 'rouge1', 'rouge2', 'rougeL'])
    .describe(`What to compute: ${metricNames.join(', ')}.`),
  tokenize: z.string().default('13a').describe('Tokenizer of BLEU and of the statistics.'),
  stemmer: z.boolean().default(false).describe("ROUGE compares stems (Porter's)."),
  samples: z
    .int()
    .min(2)
    .max(10_000_000)
    .default(1000)
    .describe('Number of resamples of the lines, for intervals.'),
  seed: z
    .int()
    .nonnegative()
    .max(2 ** 32 - 1)
    .default(12345)
    .describe('Seed of the random numbers.'),
  examples: z
    .int()
    .nonnegative()
    .max(1000)
    .default(20)
    .describe('Number of lowest-scoring lines of each system to show.'),
});

/** What a report is made from. */
export interface ReportInput {
  /** The first one is the baseline of tests where there are several. */
  systems: readonly { name: string; lines: readonly string[]; alignments?: readonly TextAlignment[] }[];
  /** [references][lines] */
  references: readonly (readonly string[])[];
  source?: readonly string[];
}

/** A metric of a report. */
export interface ReportMetric {
  name: string;
  signature: string;
  higherIsBetter: boolean;
}

/** A line of a system that scored badly. */
export interface ReportExample {
  /** From 1. */
  line: number;
  /** chrF2 of the line. */
  score: number;
  text: string;
  /** The reference that the text is most like. */
  reference: string;
  source?: string;
  alignment?: TextAlignment;
}

/** All that a report says of one system. */
export interface ReportSystem {
  name: string;
  /** One for each metric; with a p-value beside a baseline. */
  results: (PairedResult & { confidence: Confidence })[];
  statistics: TextStatistics;
  /** chrF2 of each line. [lines] */
  lineScores: number[];
  /** The worst first; of equal scores the earlier line. */
  worst: ReportExample[];
}

/** Scores with intervals and tests, statistics and examples of systems: what is printed or shown. */
export interface EvaluationReport {
  lines: number;
  metrics: ReportMetric[];
  systems: ReportSystem[];
  /** Of the first reference. */
  reference: TextStatistics;
}

/**
 * Computes all that a report shows. Intervals and p-values are by bootstrap resampling, over the same lines for all metrics
 * and systems.
 *
 * @throws INPUT_INVALID for missing or unpaired lines; OPTION_UNKNOWN, OPTION_INVALID
 */
export function evaluationReport(input: ReportInput, options: ReportOptions = {}): EvaluationReport {
  const resolved = readOptions(reportOptionsSchema, options, 'evaluationReport');
  if (input.systems.length === 0) {
    throw new PolybeamError('INPUT_INVALID', 'There are no systems to report on: give at least one.');
  }
  const { source, references } = input;
  const describe = (lines: readonly string[], reference?: readonly string[]) =>
    textStatistics(lines, { source, reference }, { tokenize: resolved.tokenize });
  // [systems][metrics]
  const statistics = input.systems.map(({ lines }) => metricStatistics(lines, references, resolved));
  const results = statistics[0].map((_, m) =>
    testSystems(
      statistics.map((row) => row[m]),
      resolved,
    ),
  );
  return {
    lines: input.systems[0].lines.length,
    metrics: statistics[0].map(({ name, signature, higherIsBetter }) => ({
      name,
      higherIsBetter,
      signature: signature(['bs', String(resolved.samples)], ['seed', String(resolved.seed)]),
    })),
    systems: input.systems.map((system, i) => {
      const lineScores = scoreLines(system.lines, references);
      return {
        name: system.name,
        results: results.map((row) => row[i]),
        statistics: describe(system.lines, references[0]),
        lineScores,
        worst: worstLines(system, lineScores, input, resolved.examples),
      };
    }),
    reference: describe(references[0]),
  };
}

function metricStatistics(
  lines: readonly string[],
  references: readonly (readonly string[])[],
  options: { metrics: readonly MetricName[]; tokenize: string; stemmer: boolean },
): LineStatistics[] {
  const types = rougeNames.filter((name) => options.metrics.includes(name));
  const rouges = types.length > 0 ? rouge(lines, references, { types, stemmer: options.stemmer }) : undefined;
  const make: { [name in Exclude<MetricName, RougeType>]: () => LineStatistics } = {
    bleu: () => bleuStatistics(lines, references, { tokenize: options.tokenize }),
    chrf: () => chrfStatistics(lines, references),
    'chrf++': () => chrfStatistics(lines, references, { wordOrder: 2 }),
    ter: () => terStatistics(lines, references),
    wer: () => werStatistics(lines, references),
    cer: () => cerStatistics(lines, references),
  };
  return options.metrics.map((name) => (isRouge(name) ? rougeStatistics(rouges!, name) : make[name]()));
}

function isRouge(name: MetricName): name is (typeof rougeNames)[number] {
  return (rougeNames as readonly string[]).includes(name);
}

function testSystems(
  systems: readonly LineStatistics[],
  { samples, seed }: { samples: number; seed: number },
): ReportSystem['results'] {
  if (systems.length > 1) {
    // Bootstrap resampling gives an interval to each.
    return pairedTest(systems, { test: 'bootstrap', samples, seed }) as ReportSystem['results'];
  }
  const [only] = systems;
  return [{ score: only.score(sumRows(only.rows)), confidence: confidenceOf(only, { samples, seed }) }];
}

/** chrF2 line by line: of the metrics the one that says most of a single line, and in every script. */
function scoreLines(lines: readonly string[], references: readonly (readonly string[])[]): number[] {
  const { rows, score } = chrfStatistics(lines, references);
  return rows.map((row) => score(row));
}

function worstLines(
  system: ReportInput['systems'][number],
  scores: readonly number[],
  { references, source }: ReportInput,
  count: number,
): ReportExample[] {
  const order = scores.map((_, i) => i).sort((a, b) => scores[a] - scores[b] || a - b);
  return order.slice(0, count).map((i) => ({
    line: i + 1,
    score: scores[i],
    text: system.lines[i],
    reference: nearest(
      system.lines[i],
      references.map((lines) => lines[i]),
    ),
    source: source?.[i],
    alignment: system.alignments?.[i],
  }));
}

/** The reference with the best chrF2, the first of equals. */
function nearest(text: string, references: readonly string[]): string {
  if (references.length === 1) return references[0];
  const scores = references.map((reference) => scoreLines([text], [[reference]])[0]);
  return references[scores.indexOf(Math.max(...scores))];
}
