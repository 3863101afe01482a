import * as tf from '@tensorflow/tfjs-core';
import { linear } from '../engine/ops/linear.js';
import type { Parameters } from '../engine/parameters.js';
import { activations } from '../nn/activation.js';
import { norm } from '../nn/norm.js';
import { type BertConfig, bertDense, encodeBert, wordTable } from './bert.js';

/** XLM-RoBERTa (Conneau et al. 2020): BERT whose positions begin after the padding id, with another head. */
export interface XlmRobertaConfig extends BertConfig {
  padTokenId: number;
  tieWordEmbeddings: boolean;
}

/** Positions of tokens, padding left out: fairseq counts from padTokenId + 1. int32 [rows, length] twice */
export function xlmRobertaPositions(inputIds: tf.Tensor, padTokenId: number): tf.Tensor {
  const placed = tf.cast(tf.notEqual(inputIds, tf.scalar(padTokenId, 'int32')), 'int32');
  return tf.add(tf.mul(tf.cumsum(placed, 1), placed), tf.scalar(padTokenId, 'int32'));
}

/**
 * The encoder.
 * @param p scope that holds `embeddings` and `encoder`
 * @param inputIds int32 [batch, source]
 * @param attentionMask int32 [batch, source]
 * @returns last hidden state [batch, source, hiddenSize]
 */
export function encodeXlmRoberta(
  p: Parameters,
  config: XlmRobertaConfig,
  inputIds: tf.Tensor,
  attentionMask: tf.Tensor,
  tokenTypeIds?: tf.Tensor,
): tf.Tensor {
  const positions = xlmRobertaPositions(inputIds, config.padTokenId);
  return encodeBert(p, config, inputIds, attentionMask, { positions, tokenTypeIds });
}

/**
 * Logits of the masked language model.
 * @param p scope that holds `lm_head`
 * @param stack scope of the encoder, whose table the projection shares
 * @param hidden [..., hiddenSize]
 * @returns [..., vocabSize]
 */
export function xlmRobertaLogits(
  p: Parameters,
  stack: Parameters,
  config: XlmRobertaConfig,
  hidden: tf.Tensor,
): tf.Tensor {
  const at = p.scope('lm_head');
  const inner = activations.gelu(bertDense(at.scope('dense'), hidden, config.hiddenSize, config));
  const x = norm(at.scope('layer_norm'), inner, config.layerNormEps);
  const tied = config.tieWordEmbeddings && !at.has('decoder.weight');
  const matrix = tied
    ? wordTable(stack.scope('embeddings'), config)
    : at.get('decoder.weight', [config.vocabSize, config.hiddenSize]);
  const bias = at.has('decoder.bias') ? 'decoder.bias' : 'bias';
  return linear(x, matrix, at.get(bias, [config.vocabSize], { kind: 'zeros' }));
}
