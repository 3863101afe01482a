import * as tf from '@tensorflow/tfjs-core';
import {
  embedTokens,
  encodeTransformer,
  feedForward,
  finish,
  prefixOf,
  residual,
  type TransformerConfig,
  tiedTable,
  transformerNames,
} from '../encoder/transformer.js';
import { dropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import type { Parameters } from '../engine/parameters.js';
import {
  type AttentionShape,
  crossAttention,
  type KeysAndValues,
  keysAndValues,
  selfAttention,
} from '../nn/attention.js';
import { dense } from '../nn/dense.js';
import type { DecoderInputs, EncoderDecoder, OutputProjection } from './encoderDecoder.js';

/** The Transformer of Vaswani et al. 2017, in the layout of any of `TransformerLayout`'s families. */
export function transformer(config: TransformerConfig): EncoderDecoder {
  return {
    vocabSize: config.decoderVocabSize,
    sourceVocabSize: config.vocabSize,
    decoderLayers: config.decoderLayers,
    decoderHeads: config.decoderAttentionHeads,
    headSize: config.dModel / config.decoderAttentionHeads,
    maxSource: config.maxPositionEmbeddings,
    maxTarget: config.maxPositionEmbeddings,
    encode: (p, inputIds, attentionMask, source) =>
      encodeTransformer(p, config, inputIds, attentionMask, source),
    readMemory: (p, memory) => readMemory(p, config, memory),
    decode: (p, inputs) => decode(p, config, inputs),
    output: (p) => outputProjection(p, config),
    logits: (p, hidden, output = outputProjection(p, config)) => logits(hidden, output),
  };
}

function attentionShape(config: TransformerConfig, source: DecoderInputs['dropout']): AttentionShape {
  return {
    heads: config.decoderAttentionHeads,
    features: config.dModel,
    names: transformerNames,
    dropout: { rate: config.attentionDropout, source },
  };
}

function readMemory(p: Parameters, config: TransformerConfig, memory: tf.Tensor): KeysAndValues[] {
  return Array.from({ length: config.decoderLayers }, (_, layer) =>
    keysAndValues(
      p.scope(`${prefixOf(config)}decoder.layers.${layer}.encoder_attn`),
      memory,
      attentionShape(config, undefined),
    ),
  );
}

function decode(p: Parameters, config: TransformerConfig, inputs: DecoderInputs) {
  const { inputIds, positions, memory, memoryMask, self, observe, dropout: source } = inputs;
  const shape = attentionShape(config, source);
  const drop = (x: tf.Tensor) => dropout(x, config.dropout, source);
  const caches: KeysAndValues[] = [];
  let x = drop(embedTokens(p, config, 'decoder', inputIds, positions));
  for (let layer = 0; layer < config.decoderLayers; layer++) {
    const at = p.scope(`${prefixOf(config)}decoder.layers.${layer}`);
    x = residual(at, config, 'self_attn_layer_norm', x, (input) => {
      const { context, cache } = selfAttention(at.scope('self_attn'), input, shape, self, layer);
      if (cache) caches.push(cache);
      return drop(dense(at.scope('self_attn.out_proj'), context, config.dModel));
    });
    if (memory) {
      x = residual(at, config, 'encoder_attn_layer_norm', x, (input) => {
        const own = at.scope('encoder_attn');
        const context = crossAttention(own, input, memory[layer], memoryMask!, shape, (weights) =>
          observe?.(layer, weights),
        );
        return drop(dense(at.scope('encoder_attn.out_proj'), context, config.dModel));
      });
    }
    x = residual(at, config, 'final_layer_norm', x, (input) =>
      drop(feedForward(at, config, input, config.decoderFfnDim, source)),
    );
  }
  return { hidden: finish(p, config, 'decoder', x), caches };
}

function outputProjection(p: Parameters, config: TransformerConfig): OutputProjection {
  const size = [config.decoderVocabSize, config.dModel];
  const tied = config.tieWordEmbeddings && !p.has('lm_head.weight');
  const matrix = tied ? tiedTable(p, config) : p.get('lm_head.weight', size);
  if (!p.has('final_logits_bias')) return { matrix };
  const bias = p.get('final_logits_bias', [1, config.decoderVocabSize], { kind: 'zeros' });
  return { matrix, bias: tf.reshape(bias, [-1]) };
}

function logits(hidden: tf.Tensor, { matrix, bias }: OutputProjection): tf.Tensor {
  const scores = linear(hidden, matrix);
  return bias ? tf.add(scores, bias) : scores;
}
