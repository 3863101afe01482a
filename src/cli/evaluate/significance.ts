import { Option } from 'commander';
import { type LineStatistics, sumRows } from '../../../eval/lineStatistics.js';
import { formatFixed } from '../../../eval/pythonText.js';
import {
  type PairedResult,
  type PairedTestOptions,
  pairedTest,
  pairedTestFields,
} from '../../../eval/significance.js';
import { PolybeamError } from '../../errors.js';
import { exclude } from './schemaFlags.js';
import { formatTable } from './table.js';

interface Flags {
  [name: string]: unknown;
}

/** The flags of intervals and paired tests, named as sacreBLEU names them. */
export function significanceFlags(): Option[] {
  return [
    new Option('--confidence', 'add a 95 % interval by bootstrap resampling of the lines'),
    new Option('--confidence-n <n>', 'number of resamples of the lines (default: 1000)'),
    new Option('--paired-bs', 'compare systems with the first one by paired bootstrap resampling'),
    new Option('--paired-bs-n <n>', 'number of resamples of the lines (default: 1000)'),
    new Option('--paired-ar', 'compare systems with the first one by paired approximate randomization'),
    new Option('--paired-ar-n <n>', 'number of random permutations of the outputs (default: 10000)'),
    new Option('--seed <n>', 'seed of the random numbers (default: 12345)'),
  ];
}

/** What the flags of significance ask for; neither where they do not. */
export interface Significance {
  confidence?: { samples?: number; seed?: number };
  paired?: PairedTestOptions;
}

/**
 * Reads the flags of `significanceFlags`.
 *
 * @param systems how many systems were given
 * @throws OPTION_INVALID; OPTION_CONFLICT for a number without its method, two methods, or a number of systems that a
 *   method cannot use
 */
export function readSignificance(flags: Flags, systems: number): Significance {
  exclude(flags.pairedBs, '--paired-bs', flags.pairedAr, '--paired-ar');
  exclude(flags.confidence, '--confidence', flags.pairedBs, '--paired-bs');
  exclude(flags.confidence, '--confidence', flags.pairedAr, '--paired-ar');
  const method = flags.pairedBs ? '--paired-bs' : flags.pairedAr ? '--paired-ar' : undefined;
  require(flags, 'confidenceN', '--confidence-n', flags.confidence, '--confidence');
  require(flags, 'pairedBsN', '--paired-bs-n', flags.pairedBs, '--paired-bs');
  require(flags, 'pairedArN', '--paired-ar-n', flags.pairedAr, '--paired-ar');
  const any = flags.confidence || method;
  require(flags, 'seed', '--seed', any, '--confidence, --paired-bs or --paired-ar');
  if (method && systems < 2) {
    throw new PolybeamError('OPTION_CONFLICT', `${method} compares systems: give two files or more.`);
  }
  if (flags.confidence && systems > 1) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      '--confidence is for one system: compare several by --paired-bs, which adds intervals too.',
    );
  }
  const seed = readCount('--seed', flags.seed, 'seed', 0, 2 ** 32 - 1);
  if (flags.confidence) {
    return {
      confidence: { ...readCount('--confidence-n', flags.confidenceN, 'samples', 2, 10_000_000), ...seed },
    };
  }
  if (flags.pairedBs) {
    const samples = readCount('--paired-bs-n', flags.pairedBsN, 'samples', 2, 10_000_000);
    return { paired: { test: 'bootstrap', ...samples, ...seed } };
  }
  if (flags.pairedAr) {
    const samples = readCount('--paired-ar-n', flags.pairedArN, 'samples', 2, 10_000_000);
    return { paired: { test: 'randomization', ...samples, ...seed } };
  }
  return {};
}

function require(flags: Flags, name: string, flag: string, present: unknown, wanted: string): void {
  if (flags[name] !== undefined && !present) {
    throw new PolybeamError('OPTION_CONFLICT', `${flag} has no meaning without ${wanted}: add it.`);
  }
}

/** A whole number from a flag's text under a name of its own, or nothing where the flag was not given. */
function readCount<K extends string>(
  flag: string,
  text: unknown,
  name: K,
  least: number,
  most: number,
): { [name in K]?: number } {
  if (text === undefined) return {};
  const value = /^\d+$/.test(String(text)) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `${flag} cannot be "${text}": give a whole number, ${least} to ${most}.`,
    );
  }
  return { [name]: value } as { [name in K]?: number };
}

/** A system and what each metric says of it. [metrics] */
export interface ComparedSystem {
  name: string;
  statistics: readonly LineStatistics[];
}

/** Scores of several systems, tested against the first one where asked, as a table or as the JSON of `sacrebleu --paired-*`. */
export function formatComparison(
  systems: readonly ComparedSystem[],
  paired: PairedTestOptions | undefined,
  format: { json?: boolean; width: number },
): string {
  const names = systems.map(({ name }, i) => (paired && i === 0 ? `Baseline: ${name}` : name));
  const metrics = systems[0].statistics.map((first, m) => {
    const all = systems.map(({ statistics }) => statistics[m]);
    const results: PairedResult[] = paired
      ? pairedTest(all, paired)
      : all.map((one) => ({ score: one.score(sumRows(one.rows)) }));
    return { first, results };
  });
  if (format.json) {
    const rows = names.map((system, i) => ({
      system,
      ...Object.fromEntries(metrics.map(({ first, results }) => [first.name, jsonOf(results[i])])),
    }));
    return JSON.stringify(rows, null, 4);
  }
  const fields = paired ? pairedTestFields(paired) : [];
  return metrics
    .map(({ first, results }) => {
      const heads = [
        'system',
        first.name,
        ...(results[0].confidence ? ['mean ± 95 %'] : []),
        ...(paired ? ['p'] : []),
      ];
      const rows = results.map((result, i) => [
        names[i],
        ...cells(result, format.width, paired !== undefined),
      ]);
      return `${first.name}|${first.signature(...fields)}\n${formatTable([heads, ...rows])}`;
    })
    .join('\n\n');
}

function jsonOf({ score, pValue, confidence }: PairedResult) {
  return {
    score,
    p_value: pValue ?? null,
    mean: confidence?.mean ?? null,
    ci: confidence?.halfWidth ?? null,
  };
}

/** A star marks what is significant at 0.05. */
function cells({ score, pValue, confidence }: PairedResult, width: number, tested: boolean): string[] {
  const found = [formatFixed(score, width)];
  if (confidence) {
    found.push(`${formatFixed(confidence.mean, width)} ± ${formatFixed(confidence.halfWidth, width)}`);
  }
  if (tested) found.push(pValue === undefined ? '' : formatFixed(pValue, 4) + (pValue <= 0.05 ? '*' : ''));
  return found;
}
