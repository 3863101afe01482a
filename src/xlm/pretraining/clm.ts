import { z } from 'zod';
import { countedBatch, labelFeeds, streamFeeds } from './batch.js';
import { predictionLoss } from './loss.js';
import type { MaskedRow } from './masking.js';
import type { XlmContext, XlmObjective } from './objective.js';

/** Causal language modelling on streams (Conneau and Lample 2019, section 3.2): each token is predicted from those before it. */
export const clmOptionsSchema = z.strictObject({});

/** CLM as an objective: attention sees what is before, whatever the model's config.json says. */
export function clm({ model, facts, labelSmoothing }: XlmContext): XlmObjective {
  return {
    reads: 'streams',
    loss: predictionLoss({ ...model, causal: true }, { padded: false, bilingual: false }, labelSmoothing),
    batches:
      ([language]) =>
      (examples) => {
        const rows = examples.map(({ ids }) => nextTokens(ids));
        const feeds = streamFeeds(rows, model, language, facts.padTokenId);
        return countedBatch({ ...feeds, ...labelFeeds(rows, feeds.inputIds.shape[1]) }, rows);
      },
  };
}

/** A row of which every token but the first is predicted, one position before it. */
function nextTokens(ids: ArrayLike<number>): MaskedRow {
  const all = Array.from(ids);
  return { inputIds: all.slice(0, -1), labelPositions: [...all.keys()].slice(0, -1), labels: all.slice(1) };
}
