import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { PrefixParts } from '../decoder/prefixLm.js';
import { PolybeamError } from '../errors.js';
import { loadModel } from '../pretrained/loadModel.js';
import { embedIds, similarity } from '../pretrained/textVectors.js';
import type { TrainFeed } from '../training/trainStep.js';
import type { Draws } from './draws.js';
import { chooseMasked, replaceToken } from './masking.js';
import type { PretrainingObjective } from './objective.js';
import { replacementSchema, share } from './optionPieces.js';
import { simbertOptionsSchema } from './simbert.js';
import {
  contrastiveLoss,
  cosines,
  paraphraseRow,
  partnerBatch,
  type SimilarityPart,
  similarityObjective,
} from './similarityLoss.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/** RoFormer-Sim (Su 2021, "SimBERTv2"): SimBERT whose sources are partly corrupted, and in a second stage its vectors distilled. */
export const roformerSimOptionsSchema = simbertOptionsSchema.extend({
  corruptShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Share of the sources that are corrupted, as BART does (official code: 0.5).'),
  rate: share
    .default(0.15)
    .describe('Share of the tokens of a corrupted source that are masked, in whole words.'),
  replacement: replacementSchema.prefault({}).describe('What replaces masked tokens.'),
  distill: z
    .strictObject({
      teacher: z
        .string()
        .min(1)
        .describe('Directory of a bert or roformer model with the same vocabulary, such as a SimBERT.'),
      weight: z
        .number()
        .gt(0)
        .default(100)
        .describe('Weight of the similarity loss relative to the generation loss (official code: 100).'),
    })
    .optional()
    .describe(
      'Second stage: mean squared error against the cosines of a frozen teacher between all texts of a batch, instead of ' +
        'finding the partner of each text; scale and similarityWeight are then not used.',
    ),
});

/** Options of RoFormer-Sim with every default filled in. */
export type RoformerSimOptions = z.output<typeof roformerSimOptionsSchema>;

/**
 * RoFormer-Sim as an objective over pairs that mean the same.
 * @throws CONFIG_INVALID, TOKENIZER_INVALID: see `similarityObjective`
 */
export function roformerSim(
  prefix: PrefixParts,
  facts: VocabularyFacts,
  options: RoformerSimOptions,
  labelSmoothing = 0,
): PretrainingObjective {
  const { distill } = options;
  const vectors = new WeakMap<object, Float32Array>();
  return {
    reads: 'pairs',
    loss: similarityObjective('roformerSim', prefix, facts, partOf(options), labelSmoothing),
    extraTokens: facts.prefix.length + 2 * facts.suffix.length,
    inOneRow: true,
    ...(distill && {
      prepare: async (texts: readonly ArrayLike<number>[]) => {
        const found = await teacherVectors(distill.teacher, texts, facts);
        texts.forEach((text, at) => {
          vectors.set(text, found[at]);
        });
      },
    }),
    batch: (examples, lengthMultiple) => {
      const rows = examples.flatMap(({ ids, pair = [], draws }) => {
        const [one, other] = [Array.from(ids), Array.from(pair)];
        const read = (text: number[]) => corrupted(text, options, facts, draws);
        return [
          paraphraseRow(read(one), other, facts, prefix),
          paraphraseRow(read(other), one, facts, prefix),
        ];
      });
      const batch = partnerBatch(rows, facts, lengthMultiple);
      if (!distill) return batch;
      const { partners: _, ...feeds } = batch.feeds;
      const known = examples.flatMap(({ ids, pair = [] }) => [vectors.get(ids)!, vectors.get(pair)!]);
      return { ...batch, feeds: { ...feeds, teacherCosines: cosineFeed(known) } };
    },
  };
}

function partOf({ distill, scale, similarityWeight }: RoformerSimOptions): SimilarityPart {
  if (distill) {
    return {
      signature: { teacherCosines: { type: 'float32', shape: ['batch', 'batch'] } },
      loss: (vectors, { teacherCosines }) =>
        tf.mul(distillationLoss(vectors, teacherCosines), distill.weight),
    };
  }
  return {
    signature: { partners: { type: 'int32', shape: ['batch'] } },
    loss: (vectors, { partners }) => tf.mul(contrastiveLoss(vectors, partners, scale), similarityWeight),
  };
}

/**
 * Mean squared difference of all cosines, each text's with itself included.
 * @param vectors [rows, features]
 * @param teacher cosines of the same texts, [rows, rows]
 */
export function distillationLoss(vectors: tf.Tensor, teacher: tf.Tensor): tf.Tensor {
  return tf.mean(tf.square(tf.sub(cosines(vectors), teacher)));
}

/** The source as it is read this time. */
export function corrupted(
  text: readonly number[],
  { corruptShare, rate, replacement }: Pick<RoformerSimOptions, 'corruptShare' | 'rate' | 'replacement'>,
  facts: VocabularyFacts,
  draws: Draws,
): number[] {
  const ids = [...text];
  if (draws.uniform() >= corruptShare) return ids;
  const choice = { rate, wholeWord: true, ngramShare: 0, maxNgram: 2 };
  for (const at of chooseMasked(text, 0, text.length, choice, facts, draws)) {
    ids[at] = replaceToken(text[at], replacement, facts, draws);
  }
  return ids;
}

/** What the teacher says of texts without special tokens, which it is given with them, uncorrupted. */
async function teacherVectors(
  teacher: string,
  texts: readonly ArrayLike<number>[],
  { prefix, suffix, vocabSize }: VocabularyFacts,
): Promise<Float32Array[]> {
  const model = await loadModel(teacher);
  try {
    const known = model.config.vocab_size;
    if (known !== vocabSize) {
      throw new PolybeamError(
        'CONFIG_INVALID',
        `roformerSim: the teacher ${teacher} knows ${known} tokens and the vocabulary has ${vocabSize}: give a teacher with the same vocabulary.`,
      );
    }
    return await embedIds(
      model,
      texts.map((ids) => [...prefix, ...Array.from(ids), ...suffix]),
    );
  } finally {
    await model.dispose();
  }
}

function cosineFeed(vectors: readonly Float32Array[]): TrainFeed {
  const data = Float32Array.from(vectors.flatMap((one) => vectors.map((other) => similarity(one, other))));
  return { dtype: 'float32', shape: [vectors.length, vectors.length], data };
}
