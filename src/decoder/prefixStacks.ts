import type * as tf from '@tensorflow/tfjs-core';
import { type BertConfig, bertDense, bertEmbeddings, bertLayers, bertNorm } from '../encoder/bert.js';
import { type RoformerConfig, roformerStates, roformerTable } from '../encoder/roformer.js';
import { linear } from '../engine/ops/linear.js';
import type { Parameters } from '../engine/parameters.js';
import { activations } from '../nn/activation.js';
import { bertLogits, bertOutput } from './bertGeneration.js';
import type { OutputProjection } from './encoderDecoder.js';
import type { PrefixStack } from './prefixLm.js';

/** BERT and its masked-LM head, under the names of BertForMaskedLM. */
export function bertStack(config: BertConfig): PrefixStack {
  const head = { ...config, head: 'cls', tieWordEmbeddings: true } as const;
  return {
    ...sizesOf(config),
    run: (p, { inputIds, positions, tokenTypeIds, self, dropout }) => {
      const at = p.scope('bert');
      const x = bertEmbeddings(at.scope('embeddings'), config, inputIds, positions, tokenTypeIds, dropout);
      return bertLayers(at.scope('encoder'), config, x, { self, dropout });
    },
    output: (p) => bertOutput(p, head),
    logits: (p, hidden, output) => bertLogits(p, head, hidden, output),
  };
}

/** RoFormer and its masked-LM head, under the names of RoFormerForMaskedLM. */
export function roformerStack(config: RoformerConfig): PrefixStack {
  return {
    ...sizesOf(config),
    run: (p, inputs) => roformerStates(p.scope('roformer'), config, inputs),
    output: (p) => roformerOutput(p, config),
    logits: (p, hidden, output) => roformerLogits(p, config, hidden, output),
  };
}

function sizesOf(config: BertConfig) {
  return {
    vocabSize: config.vocabSize,
    layers: config.numHiddenLayers,
    heads: config.numAttentionHeads,
    headSize: config.hiddenSize / config.numAttentionHeads,
    maxPositions: config.maxPositionEmbeddings,
  };
}

function roformerOutput(p: Parameters, config: RoformerConfig): OutputProjection {
  const at = p.scope('cls.predictions');
  // A checkpoint whose head differs from the table has its own head.
  const matrix = at.has('decoder.weight')
    ? at.get('decoder.weight', [config.vocabSize, config.embeddingSize])
    : roformerTable(p.scope('roformer.embeddings'), config);
  if (config.useBias === false) return { matrix };
  const bias = at.has('decoder.bias') ? 'decoder.bias' : 'bias';
  return { matrix, bias: at.get(bias, [config.vocabSize], { kind: 'zeros' }) };
}

/**
 * Logits over the vocabulary. RoFormerV2 projects hidden states without a transform; if embeddings have another size, a dense layer
 * maps hidden states to it first.
 * @param hidden [..., hiddenSize]
 * @param output rows of the projection; default all
 */
export function roformerLogits(
  p: Parameters,
  config: RoformerConfig,
  hidden: tf.Tensor,
  output: OutputProjection = roformerOutput(p, config),
): tf.Tensor {
  return linear(
    transformed(p.scope('cls.predictions.transform'), config, hidden),
    output.matrix,
    output.bias,
  );
}

function transformed(p: Parameters, config: RoformerConfig, hidden: tf.Tensor): tf.Tensor {
  const { embeddingSize, hiddenSize, hiddenAct, useBias = true } = config;
  if (!useBias && embeddingSize === hiddenSize) return hidden;
  const projected = bertDense(p.scope('dense'), hidden, embeddingSize, config);
  return useBias ? bertNorm(p.scope('LayerNorm'), activations[hiddenAct](projected), config) : projected;
}
