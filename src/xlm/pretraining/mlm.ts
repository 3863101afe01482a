import { countedBatch, labelFeeds, streamFeeds } from './batch.js';
import { predictionLoss } from './loss.js';
import { type MaskingOptions, maskingSchema, maskRow, samplingWeights } from './masking.js';
import type { XlmContext, XlmObjective } from './objective.js';

/** Masked language modelling on streams (Conneau and Lample 2019, section 3.3), masked anew in each round. */
export const mlmOptionsSchema = maskingSchema;

/** MLM as an objective. The first position of a row is never masked. */
export function mlm(context: XlmContext, options: MaskingOptions): XlmObjective {
  const { model, facts, counts, labelSmoothing } = context;
  const masking = { facts, options, weights: samplingWeights(counts, options.sampleAlpha) };
  return {
    reads: 'streams',
    loss: predictionLoss(model, { padded: false, bilingual: false }, labelSmoothing),
    batches:
      ([language]) =>
      (examples) => {
        const rows = examples.map(({ ids, draws }) => maskRow(ids, [[1, ids.length]], masking, draws));
        const feeds = streamFeeds(rows, model, language, facts.padTokenId);
        return countedBatch({ ...feeds, ...labelFeeds(rows, feeds.inputIds.shape[1]) }, rows);
      },
  };
}
