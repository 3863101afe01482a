import * as tf from '@tensorflow/tfjs';
import { type DropoutSource, dropout } from '../engine/ops/dropout.js';
import type { Initializer, Parameters } from '../engine/parameters.js';
import { type ActivationName, activations } from '../nn/activation.js';
import { type AttentionShape, selfAttention } from '../nn/attention.js';
import { dense } from '../nn/dense.js';
import { norm } from '../nn/norm.js';
import { sinusoidalPositions } from '../nn/positions.js';

/** A Transformer as Marian builds it: sinusoidal positions, normalization after each sub-layer. */
export interface TransformerConfig {
  vocabSize: number;
  /** Vocabulary of the decoder where it is not the encoder's. */
  decoderVocabSize: number;
  dModel: number;
  encoderLayers: number;
  encoderAttentionHeads: number;
  encoderFfnDim: number;
  decoderLayers: number;
  decoderAttentionHeads: number;
  decoderFfnDim: number;
  maxPositionEmbeddings: number;
  activationFunction: ActivationName;
  /** Embeddings are multiplied by sqrt(dModel). */
  scaleEmbedding: boolean;
  /** One table for encoder and decoder embeddings. */
  shareEncoderDecoderEmbeddings: boolean;
  /** The output projection is the decoder's embedding table. */
  tieWordEmbeddings: boolean;
  dropout: number;
  attentionDropout: number;
  activationDropout: number;
  /** Standard deviation of new embeddings. */
  initStd: number;
}

/** Sizes by name: the paper's small Multi30k model, a small one for CPUs, and Transformer-base. */
export const transformerPresets = {
  tiny: {
    dModel: 128,
    encoderFfnDim: 256,
    decoderFfnDim: 256,
    encoderLayers: 4,
    decoderLayers: 4,
    encoderAttentionHeads: 4,
    decoderAttentionHeads: 4,
  },
  small: {
    dModel: 256,
    encoderFfnDim: 1024,
    decoderFfnDim: 1024,
    encoderLayers: 6,
    decoderLayers: 3,
    encoderAttentionHeads: 4,
    decoderAttentionHeads: 4,
  },
  base: {
    dModel: 512,
    encoderFfnDim: 2048,
    decoderFfnDim: 2048,
    encoderLayers: 6,
    decoderLayers: 6,
    encoderAttentionHeads: 8,
    decoderAttentionHeads: 8,
  },
} satisfies Record<string, Partial<TransformerConfig>>;

/** Epsilon of Marian's layer norms (PyTorch's default). */
export const transformerEpsilon = 1e-5;

export const transformerNames = { query: 'q_proj', key: 'k_proj', value: 'v_proj' } as const;

/** The embedding table of one side, under its own name or the shared one. [vocab, dModel] */
export function tokenTable(p: Parameters, config: TransformerConfig, side: 'encoder' | 'decoder'): tf.Tensor {
  const initializer: Initializer = { kind: 'normal', standardDeviation: config.initStd };
  const size = side === 'encoder' ? config.vocabSize : config.decoderVocabSize;
  if (config.shareEncoderDecoderEmbeddings)
    return p.get('model.shared.weight', [size, config.dModel], initializer);
  return p.get(`model.${side}.embed_tokens.weight`, [size, config.dModel], initializer);
}

/** Token plus position embeddings. [batch, length, dModel] */
export function embedTokens(
  p: Parameters,
  config: TransformerConfig,
  side: 'encoder' | 'decoder',
  inputIds: tf.Tensor,
  positions: tf.Tensor | undefined,
): tf.Tensor {
  const { dModel, maxPositionEmbeddings } = config;
  const tokens = tf.gather(tokenTable(p, config, side), inputIds as tf.Tensor1D);
  const scaled = config.scaleEmbedding ? tf.mul(tokens, Math.sqrt(dModel)) : tokens;
  const table = p.get(
    `model.${side}.embed_positions.weight`,
    [maxPositionEmbeddings, dModel],
    { kind: 'values', values: () => sinusoidalPositions(maxPositionEmbeddings, dModel) },
    { trainable: false },
  );
  const rows = positions
    ? tf.gather(table, positions as tf.Tensor1D)
    : tf.slice(table, [0, 0], [inputIds.shape[1]!, dModel]);
  return tf.add(scaled, rows);
}

/** fc2(activation(fc1(x))) */
export function feedForward(
  p: Parameters,
  config: TransformerConfig,
  x: tf.Tensor,
  width: number,
  source: DropoutSource | undefined,
): tf.Tensor {
  const inner = activations[config.activationFunction](dense(p.scope('fc1'), x, width));
  return dense(p.scope('fc2'), dropout(inner, config.activationDropout, source), config.dModel);
}

/**
 * The encoder.
 * @param inputIds int32 [batch, source]
 * @param attentionMask int32 [batch, source]
 * @returns memory [batch, source, dModel]
 */
export function encodeTransformer(
  p: Parameters,
  config: TransformerConfig,
  inputIds: tf.Tensor,
  attentionMask: tf.Tensor,
  source?: DropoutSource,
): tf.Tensor {
  const shape: AttentionShape = {
    heads: config.encoderAttentionHeads,
    features: config.dModel,
    names: transformerNames,
    dropout: { rate: config.attentionDropout, source },
  };
  const drop = (x: tf.Tensor) => dropout(x, config.dropout, source);
  let x = drop(embedTokens(p, config, 'encoder', inputIds, undefined));
  for (let layer = 0; layer < config.encoderLayers; layer++) {
    const at = p.scope(`model.encoder.layers.${layer}`);
    const attentionScope = at.scope('self_attn');
    const { context } = selfAttention(attentionScope, x, shape, {
      kind: 'sequence',
      visibility: { keyMask: attentionMask },
    });
    const attended = drop(dense(attentionScope.scope('out_proj'), context, config.dModel));
    x = norm(at.scope('self_attn_layer_norm'), tf.add(x, attended), transformerEpsilon);
    const forward = drop(feedForward(at, config, x, config.encoderFfnDim, source));
    x = norm(at.scope('final_layer_norm'), tf.add(x, forward), transformerEpsilon);
  }
  return x;
}
