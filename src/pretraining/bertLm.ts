import * as tf from '@tensorflow/tfjs-core';
import type { z } from 'zod';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { rangeTo } from '../engine/ops/sizes.js';
import { rowsAt, summedCrossEntropy } from '../training/sequenceToSequence.js';
import type { Objective } from '../training/step.js';
import type { TrainBatch } from '../training/trainStep.js';
import { chooseMasked, replaceToken } from './masking.js';
import { type Example, listFeed, onesLike, type PretrainingObjective, padRows } from './objective.js';
import { maskChoiceSchema, replacementSchema } from './optionPieces.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/**
 * BERT+LM, the pre-training that MASS is compared with (Song et al. 2019, section 4.2): the encoder learns as BERT, the decoder as a
 * language model that reads no source; cross-attention stays as it began.
 */
export const bertLmOptionsSchema = maskChoiceSchema.extend({
  replacement: replacementSchema
    .prefault({})
    .describe("What replaces the tokens to predict in the encoder's input."),
});

/** Options of BERT+LM with every default filled in. */
export type BertLmOptions = z.output<typeof bertLmOptionsSchema>;

type Facts = VocabularyFacts & { decoderStartTokenId: number };

/** BERT+LM as an objective; the loss is the sum of both, over all tokens that are predicted. */
export function bertLm(
  model: EncoderDecoder,
  facts: Facts,
  options: BertLmOptions,
  labelSmoothing = 0,
): PretrainingObjective {
  return {
    reads: 'text',
    loss: bertLmLoss(model, labelSmoothing),
    extraTokens: facts.prefix.length + facts.suffix.length,
    batch: (examples, lengthMultiple) => bertLmBatch(examples, facts, options, lengthMultiple),
  };
}

function bertLmLoss(model: EncoderDecoder, labelSmoothing: number): Objective {
  return {
    signature: {
      inputIds: { type: 'int32', shape: ['batch', 'source'] },
      attentionMask: { type: 'int32', shape: ['batch', 'source'] },
      maskedPositions: { type: 'int32', shape: ['masked'] },
      maskedLabels: { type: 'int32', shape: ['masked'] },
      decoderInputIds: { type: 'int32', shape: ['batch', 'target'] },
      labelPositions: { type: 'int32', shape: ['tokens'] },
      labels: { type: 'int32', shape: ['tokens'] },
    },
    loss: (p, inputs, dropout) => {
      const encoded = model.encode(p, inputs.inputIds, inputs.attentionMask, dropout);
      const { hidden: decoded } = model.decode(p, {
        inputIds: inputs.decoderInputIds,
        positions: rangeTo(inputs.decoderInputIds.shape[1]!),
        self: { kind: 'sequence', visibility: { causal: true } },
        dropout,
      });
      const rows = tf.concat([
        rowsAt(encoded, inputs.maskedPositions),
        rowsAt(decoded, inputs.labelPositions),
      ]);
      const labels = tf.concat([inputs.maskedLabels, inputs.labels]);
      return summedCrossEntropy(model.logits(p, rows), labels, labelSmoothing);
    },
  };
}

function bertLmBatch(
  examples: readonly Example[],
  facts: Facts,
  options: BertLmOptions,
  lengthMultiple: number,
): TrainBatch {
  const { prefix, suffix, padTokenId, decoderStartTokenId } = facts;
  const sources: number[][] = [];
  const masked: { row: number; at: number; id: number }[] = [];
  const targets = examples.map(({ ids }) => [...Array.from(ids), ...suffix]);
  examples.forEach(({ ids, draws }, row) => {
    const source = [...prefix, ...Array.from(ids), ...suffix];
    const [from, to] = [prefix.length, prefix.length + ids.length];
    for (const at of chooseMasked(source, from, to, options, facts, draws)) {
      masked.push({ row, at, id: source[at] });
      source[at] = replaceToken(source[at], options.replacement, facts, draws);
    }
    sources.push(source);
  });
  const inputIds = padRows(sources, padTokenId, lengthMultiple);
  const decoderInputs = targets.map((target) => [decoderStartTokenId, ...target.slice(0, -1)]);
  const decoderInputIds = padRows(decoderInputs, padTokenId, lengthMultiple);
  const [sourceWidth, targetWidth] = [inputIds.shape[1], decoderInputIds.shape[1]];
  const labels = targets.flat();
  return {
    feeds: {
      inputIds,
      attentionMask: padRows(onesLike(sources), 0, lengthMultiple),
      maskedPositions: listFeed(masked.map(({ row, at }) => row * sourceWidth + at)),
      maskedLabels: listFeed(masked.map(({ id }) => id)),
      decoderInputIds,
      labelPositions: listFeed(
        targets.flatMap((target, row) => target.map((_, at) => row * targetWidth + at)),
      ),
      labels: listFeed(labels),
    },
    sentences: examples.length,
    sourceTokens: sources.reduce((sum, source) => sum + source.length, 0),
    targetTokens: masked.length + labels.length,
  };
}
