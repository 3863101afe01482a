import { z } from 'zod';
import type { Draws } from '../../pretraining/draws.js';
import { chooseMasked, replaceToken } from '../../pretraining/masking.js';
import { maskChoiceSchema, replacementSchema } from '../../pretraining/optionPieces.js';
import type { VocabularyFacts } from '../../pretraining/vocabularyFacts.js';

/** How tokens to predict are chosen, and what is read in their places. */
export const maskingSchema = maskChoiceSchema
  .extend({
    sampleAlpha: z
      .number()
      .min(0)
      .default(0)
      .describe(
        'Tokens of frequency f are chosen in proportion to f^-sampleAlpha, so that frequent ones are predicted less often; 0: ' +
          "uniformly. The paper's program calls it sample_alpha. Excludes wholeWord and ngramShare.",
      ),
    replacement: replacementSchema.prefault({}).describe('What replaces the tokens to predict.'),
  })
  .refine(({ sampleAlpha, wholeWord, ngramShare }) => sampleAlpha === 0 || (!wholeWord && ngramShare === 0), {
    path: ['sampleAlpha'],
    message: '0 where wholeWord or ngramShare choose words or n-grams',
  });

/** Options of masking with every default filled in. */
export type MaskingOptions = z.output<typeof maskingSchema>;

/** Weight of each token in being chosen; undefined where all are alike. Tokens that never occur count as seen once. */
export function samplingWeights(counts: ArrayLike<number>, alpha: number): Float64Array | undefined {
  return alpha === 0 ? undefined : Float64Array.from(counts, (count) => (count > 0 ? count ** -alpha : 1));
}

/** What choosing positions needs to know. */
export interface MaskingContext {
  facts: VocabularyFacts;
  options: MaskingOptions;
  /** Of `samplingWeights`. */
  weights?: Float64Array;
}

/**
 * Chooses positions to predict among `from` to `to` - 1: as `chooseMasked`, or by weights without repetition (Efraimidis and
 * Spirakis 2006: the largest of u^(1/w)).
 * @returns positions, ascending
 */
export function choosePositions(
  ids: ArrayLike<number>,
  from: number,
  to: number,
  { facts, options, weights }: MaskingContext,
  draws: Draws,
): number[] {
  if (!weights) return chooseMasked(ids, from, to, options, facts, draws);
  if (to <= from) return [];
  const most = options.maxPredictions ?? Number.POSITIVE_INFINITY;
  const wanted = Math.min(Math.max(1, Math.round((to - from) * options.rate)), most);
  // log(u) / w has the order of u^(1/w), and does not vanish.
  const keys = Array.from({ length: to - from }, (_, at) => ({
    at: from + at,
    key: Math.log(draws.uniform() + 2 ** -33) / weights[ids[from + at]],
  }));
  keys.sort((a, b) => b.key - a.key || a.at - b.at);
  return keys
    .slice(0, wanted)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
}

/** A row of which some tokens are predicted. */
export interface MaskedRow {
  /** What is read. */
  inputIds: number[];
  /** Positions where a token is predicted, ascending. */
  labelPositions: number[];
  /** The token of each. */
  labels: number[];
}

/** Masks tokens of some parts of a row, given as the first position and that behind the last. */
export function maskRow(
  ids: ArrayLike<number>,
  parts: readonly (readonly [from: number, to: number])[],
  context: MaskingContext,
  draws: Draws,
): MaskedRow {
  const labelPositions = parts.flatMap(([from, to]) => choosePositions(ids, from, to, context, draws));
  const inputIds = Array.from(ids);
  for (const at of labelPositions) {
    inputIds[at] = replaceToken(ids[at], context.options.replacement, context.facts, draws);
  }
  return { inputIds, labelPositions, labels: labelPositions.map((at) => ids[at]) };
}
