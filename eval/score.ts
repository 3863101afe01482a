import { requireObject, wrongInput } from '../src/inputs.js';
import { formatFixed, formatFloat } from './pythonText.js';

/** The sacreBLEU release whose numbers and signatures polybeam reproduces; signatures end in it. */
export const sacrebleuVersion = '2.6.0';

/** A score with what one must know to reproduce it. */
export interface Score {
  /** `BLEU`, `chrF2`, `chrF2++`. */
  name: string;
  /** 0..100, not rounded; a perfect score may exceed 100 by a rounding error, as sacreBLEU's does. */
  score: number;
  /**
   * sacreBLEU's signature, such as `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`. The version says that
   * the number is the one that this release of sacreBLEU gives.
   */
  signature: string;
  /** What sacreBLEU prints behind the score: precisions, brevity penalty and lengths of BLEU. */
  verbose?: string;
  /** Mean and half width of the interval of resampled scores, where it was asked for. */
  confidence?: { mean: number; halfWidth: number };
}

/** How `formatScore` and `formatScoreJson` print. */
export interface ScoreFormat {
  /** Decimals of the score, 0..100. Default 2; the `sacrebleu` command uses 1. */
  width?: number;
}

/** A score on one line, as `sacrebleu --format text`: `BLEU|nrefs:1|... = 61.8 85.1/67.0/... (BP = ...)`. */
export function formatScore(score: Score, { width = 2 }: ScoreFormat = {}): string {
  requireScore(score);
  const line = `${score.name}|${score.signature} = ${formatNumber(score, { width })}`;
  return score.verbose ? `${line} ${score.verbose}` : line;
}

/** @throws INPUT_INVALID */
function requireScore(score: Score): void {
  requireObject(score, 'score', 'a name, a score and a signature, as corpusBleu gives it');
  if (typeof score.score !== 'number') throw wrongInput('score.score', score.score, 'give a number');
}

/** A score alone, with mean and half width of its interval where it has one: `61.8 (μ = 61.6 ± 2.0)`. */
export function formatNumber(score: Score, { width = 2 }: ScoreFormat = {}): string {
  requireScore(score);
  const number = formatFixed(score.score, width);
  const spread = formatConfidence(score, width);
  return spread ? `${number} (${spread.text})` : number;
}

/** As sacreBLEU, nothing where the mean is 0. */
function formatConfidence({ confidence }: Score, width: number) {
  if (!confidence || confidence.mean <= 0) return undefined;
  const mean = formatFixed(confidence.mean, width);
  const halfWidth = formatFixed(confidence.halfWidth, width);
  return { mean, halfWidth, text: `μ = ${mean} ± ${halfWidth}` };
}

/** A score as `sacrebleu --format json` prints it, byte for byte: name, score, signature, then each of its fields. */
export function formatScoreJson(score: Score, { width = 2 }: ScoreFormat = {}): string {
  requireScore(score);
  const fields: [string, string][] = [
    ['name', JSON.stringify(score.name)],
    ['score', formatFloat(Number(formatFixed(score.score, width)))],
    ['signature', JSON.stringify(score.signature)],
  ];
  const spread = formatConfidence(score, width);
  if (spread) {
    fields.push(['confidence_mean', formatFloat(Number(spread.mean))]);
    fields.push(['confidence_var', formatFloat(Number(spread.halfWidth))]);
    fields.push(['confidence', JSON.stringify(spread.text)]);
  }
  if (score.verbose) fields.push(['verbose_score', JSON.stringify(score.verbose)]);
  for (const pair of score.signature.split('|')) {
    const [key, value] = pair.split(':');
    fields.push([key, JSON.stringify(value)]);
  }
  return `{\n${fields.map(([key, value]) => ` "${key}": ${value}`).join(',\n')}\n}`;
}

/** Joins the fields of a signature; the number of references comes first and the version last, as in sacreBLEU. */
export function makeSignature(
  references: number | 'var',
  fields: readonly (readonly [string, string])[],
): string {
  const pairs = [['nrefs', String(references)], ...fields, ['version', sacrebleuVersion]];
  return pairs.map(([key, value]) => `${key}:${value}`).join('|');
}

/** The rouge-score release whose numbers polybeam reproduces. */
const rougeScoreVersion = '0.1.2';

/** Says how ROUGE was computed; rouge-score has no signature of its own. */
export function makeRougeSignature(references: number | 'var', stemmer: boolean): string {
  return `nrefs:${references}|tok:rouge|stem:${stemmer ? 'porter' : 'no'}|version:rouge-score-${rougeScoreVersion}`;
}
