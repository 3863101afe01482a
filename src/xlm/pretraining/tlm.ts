import { hasLanguages } from '../../encoder/xlm.js';
import { type Example, onesLike, padRows } from '../../pretraining/objective.js';
import type { TrainBatch } from '../../training/trainStep.js';
import { countedBatch, labelFeeds } from './batch.js';
import { predictionLoss } from './loss.js';
import {
  type MaskedRow,
  type MaskingContext,
  type MaskingOptions,
  maskingSchema,
  maskRow,
  samplingWeights,
} from './masking.js';
import type { Language, XlmContext, XlmObjective } from './objective.js';

/** Translation language modelling (Conneau and Lample 2019, section 3.4): MLM on a sentence and its translation in one row. */
export const tlmOptionsSchema = maskingSchema;

/** Tokens that a row has beside both sentences: an end token before and behind each. */
export const pairEnds = 4;

/** TLM as an objective: positions begin anew with the second sentence, whose language its tokens have; both are masked. */
export function tlm(context: XlmContext, options: MaskingOptions): XlmObjective {
  const { model, facts, counts, labelSmoothing } = context;
  const masking = { facts, options, weights: samplingWeights(counts, options.sampleAlpha) };
  return {
    reads: 'pairs',
    loss: predictionLoss(model, { padded: true, bilingual: true }, labelSmoothing),
    batches: (languages) => (examples, lengthMultiple) =>
      pairBatch(
        examples.map((example) => pairRow(example, languages, masking, context.endToken)),
        context,
        lengthMultiple,
      ),
  };
}

/** A row of two sentences. Lists are by position. */
export interface PairRow extends MaskedRow {
  positions: number[];
  languages: number[];
}

/** `</s> x </s> </s> y </s>` with some tokens masked, never the first of either part. */
export function pairRow(
  { ids, pair = [], draws }: Example,
  [first, second]: readonly Language[],
  masking: MaskingContext,
  endToken: number,
): PairRow {
  const parts = [ids, pair].map((side) => [endToken, ...Array.from(side), endToken]);
  const whole = parts.flat();
  const cut = parts[0].length;
  const masked = maskRow(
    whole,
    [
      [1, cut],
      [cut + 1, whole.length],
    ],
    masking,
    draws,
  );
  return {
    ...masked,
    positions: parts.flatMap((part) => [...part.keys()]),
    languages: whole.map((_, at) => (at < cut ? first.number : second.number)),
  };
}

function pairBatch(
  rows: readonly PairRow[],
  { model, facts }: XlmContext,
  lengthMultiple: number,
): TrainBatch {
  const pad = (of: (row: PairRow) => number[], fill: number) => padRows(rows.map(of), fill, lengthMultiple);
  const inputIds = pad((row) => row.inputIds, facts.padTokenId);
  const feeds: TrainBatch['feeds'] = {
    inputIds,
    attentionMask: padRows(onesLike(rows.map((row) => row.inputIds)), 0, lengthMultiple),
    positions: pad((row) => row.positions, 0),
    ...(hasLanguages(model) && { languages: pad((row) => row.languages, 0) }),
    ...labelFeeds(rows, inputIds.shape[1]),
  };
  return countedBatch(feeds, rows);
}
