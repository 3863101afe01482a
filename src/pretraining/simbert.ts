import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { PrefixParts } from '../decoder/prefixLm.js';
import type { PretrainingObjective } from './objective.js';
import {
  contrastiveLoss,
  paraphraseRow,
  partnerBatch,
  type SimilarityPart,
  similarityObjective,
} from './similarityLoss.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/** SimBERT (Su 2020): one stack learns to write the other text of a pair, both ways round, and to find it among all of the batch. */
export const simbertOptionsSchema = z.strictObject({
  scale: z
    .number()
    .gt(0)
    .default(20)
    .describe('Factor of the cosines before the softmax over the other rows of the batch (SimBERT: 20).'),
  similarityWeight: z
    .number()
    .min(0)
    .default(1)
    .describe('Weight of the similarity loss relative to the generation loss.'),
});

/** Options of SimBERT with every default filled in. */
export type SimbertOptions = z.output<typeof simbertOptionsSchema>;

/**
 * SimBERT as an objective over pairs that mean the same. Each pair gives two rows; batches should hold many pairs, since the others
 * are what a row is told from.
 * @throws CONFIG_INVALID, TOKENIZER_INVALID: see `similarityObjective`
 */
export function simbert(
  prefix: PrefixParts,
  facts: VocabularyFacts,
  { scale, similarityWeight }: SimbertOptions,
  labelSmoothing = 0,
): PretrainingObjective {
  const part = {
    signature: { partners: { type: 'int32', shape: ['batch'] } },
    loss: (vectors, { partners }) => tf.mul(contrastiveLoss(vectors, partners, scale), similarityWeight),
  } as const satisfies SimilarityPart;
  return {
    reads: 'pairs',
    loss: similarityObjective('simbert', prefix, facts, part, labelSmoothing),
    extraTokens: facts.prefix.length + 2 * facts.suffix.length,
    inOneRow: true,
    batch: (examples, lengthMultiple) => {
      const rows = examples.flatMap(({ ids, pair = [] }) => {
        const [one, other] = [Array.from(ids), Array.from(pair)];
        return [paraphraseRow(one, other, facts, prefix), paraphraseRow(other, one, facts, prefix)];
      });
      return partnerBatch(rows, facts, lengthMultiple);
    },
  };
}
