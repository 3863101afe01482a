import * as tf from '@tensorflow/tfjs-core';
import { type DropoutSource, dropout } from '../engine/ops/dropout.js';
import type { Initializer, Parameters } from '../engine/parameters.js';
import { type ActivationName, activations } from '../nn/activation.js';
import {
  type AttentionObserver,
  type AttentionShape,
  crossAttention,
  type KeysAndValues,
  type SelfAttentionMode,
  selfAttention,
} from '../nn/attention.js';
import { dense } from '../nn/dense.js';
import { norm, plainNorm } from '../nn/norm.js';
import type { Rotation } from '../nn/rotary.js';

/** BERT (Devlin et al. 2019), and with cross-attention the BERT decoder of Rothe et al. 2020. */
export interface BertConfig {
  vocabSize: number;
  hiddenSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  intermediateSize: number;
  maxPositionEmbeddings: number;
  /** Segments; 0 where the architecture has none (BertGeneration). */
  typeVocabSize: number;
  hiddenAct: ActivationName;
  layerNormEps: number;
  hiddenDropoutProb: number;
  attentionProbsDropoutProb: number;
  /** Standard deviation of new weights. */
  initializerRange: number;
  /** Activation of the pooler. Default 'tanh'. */
  poolerActivation?: 'tanh' | 'linear';
  /** Whether dense layers have a bias. Default true. */
  useBias?: boolean;
  /** 'rms_norm': root mean square normalization without weights. Default 'layer_norm'. */
  normType?: 'layer_norm' | 'rms_norm';
}

/** Sizes by name: Devlin et al. 2019, section 3, and the small ones of Turc et al. 2019. */
export const bertPresets = {
  tiny: { hiddenSize: 128, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 512 },
  small: { hiddenSize: 512, numHiddenLayers: 4, numAttentionHeads: 8, intermediateSize: 2048 },
  base: { hiddenSize: 768, numHiddenLayers: 12, numAttentionHeads: 12, intermediateSize: 3072 },
  large: { hiddenSize: 1024, numHiddenLayers: 24, numAttentionHeads: 16, intermediateSize: 4096 },
} satisfies Record<string, Partial<BertConfig>>;

/** Variants of `bertLayers` beyond the encoder of the paper. */
export interface BertMode {
  self: SelfAttentionMode;
  /** Cross-attention's keys and values, one a layer; absent in an encoder. */
  memory?: readonly KeysAndValues[];
  /** int32 [batch, source] */
  memoryMask?: tf.Tensor;
  /** Receives cross-attention's weights. */
  observe?: AttentionObserver;
  dropout?: DropoutSource;
  /** Rotates queries and keys by their positions: see `AttentionShape`. */
  rotation?: Rotation;
}

const names = { query: 'query', key: 'key', value: 'value' } as const;

/** Initialization of BERT's matrices. */
export function bertInitializer(config: BertConfig): Initializer {
  return { kind: 'normal', standardDeviation: config.initializerRange };
}

/** The attention shape of one layer, for `nn/attention.ts`. */
export function bertAttentionShape(config: BertConfig, source?: DropoutSource): AttentionShape {
  return {
    heads: config.numAttentionHeads,
    features: config.hiddenSize,
    names,
    projectionBias: config.useBias,
    initializer: bertInitializer(config),
    dropout: { rate: config.attentionProbsDropoutProb, source },
  };
}

/**
 * Sum of word, position and segment embeddings, normalized.
 * @param positions int32 [length] or [batch, length]; the first `length` positions where absent
 * @param tokenTypeIds int32 [batch, length]; segment 0 where absent
 * @returns [batch, length, hiddenSize]
 */
export function bertEmbeddings(
  p: Parameters,
  config: BertConfig,
  inputIds: tf.Tensor,
  positions?: tf.Tensor,
  tokenTypeIds?: tf.Tensor,
  source?: DropoutSource,
): tf.Tensor {
  const { hiddenSize, maxPositionEmbeddings, typeVocabSize } = config;
  const initializer = bertInitializer(config);
  const words = wordTable(p, config);
  const table = p.get('position_embeddings.weight', [maxPositionEmbeddings, hiddenSize], initializer);
  const rows = positions
    ? tf.gather(table, positions as tf.Tensor1D)
    : tf.slice(table, [0, 0], [inputIds.shape[1]!, hiddenSize]);
  let sum = tf.add(tf.gather(words, inputIds as tf.Tensor1D), rows);
  if (typeVocabSize > 0) {
    const segments = p.get('token_type_embeddings.weight', [typeVocabSize, hiddenSize], initializer);
    const segment = tokenTypeIds
      ? tf.gather(segments, tokenTypeIds as tf.Tensor1D)
      : tf.slice(segments, [0, 0], [1, hiddenSize]);
    sum = tf.add(sum, segment);
  }
  return dropout(bertNorm(p.scope('LayerNorm'), sum, config), config.hiddenDropoutProb, source);
}

/** The normalization of a stack. */
export function bertNorm(p: Parameters, x: tf.Tensor, config: BertConfig): tf.Tensor {
  return config.normType === 'rms_norm' ? plainNorm(x, config.layerNormEps) : norm(p, x, config.layerNormEps);
}

/** A dense layer of a stack, with a bias or without. */
export function bertDense(p: Parameters, x: tf.Tensor, outputs: number, config: BertConfig): tf.Tensor {
  return dense(p, x, outputs, { initializer: bertInitializer(config), bias: config.useBias });
}

/** The word embeddings, which an output projection may share. `p` is the scope of the embeddings. */
export function wordTable(p: Parameters, config: BertConfig): tf.Tensor {
  return p.get('word_embeddings.weight', [config.vocabSize, config.hiddenSize], bertInitializer(config));
}

/**
 * The layers, normalized after each sub-layer.
 * @param p scope that holds `layer.0`, `layer.1`, ...
 * @param x [rows, length, hiddenSize]
 */
export function bertLayers(
  p: Parameters,
  config: BertConfig,
  x: tf.Tensor,
  mode: BertMode,
): { hidden: tf.Tensor; caches: KeysAndValues[] } {
  const shape = { ...bertAttentionShape(config, mode.dropout), rotation: mode.rotation };
  const caches: KeysAndValues[] = [];
  let hidden = x;
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    const at = p.scope(`layer.${layer}`);
    const own = selfAttention(at.scope('attention.self'), hidden, shape, mode.self, layer);
    if (own.cache) caches.push(own.cache);
    hidden = output(at.scope('attention.output'), config, own.context, hidden, mode.dropout);
    if (mode.memory) {
      const cross = crossAttention(
        at.scope('crossattention.self'),
        hidden,
        mode.memory[layer],
        mode.memoryMask!,
        shape,
        (weights) => mode.observe?.(layer, weights),
      );
      hidden = output(at.scope('crossattention.output'), config, cross, hidden, mode.dropout);
    }
    const inner = bertDense(at.scope('intermediate.dense'), hidden, config.intermediateSize, config);
    hidden = output(at.scope('output'), config, activations[config.hiddenAct](inner), hidden, mode.dropout);
  }
  return { hidden, caches };
}

/** LayerNorm(residual + dropout(dense(x))), the end of every sub-layer. */
function output(
  p: Parameters,
  config: BertConfig,
  x: tf.Tensor,
  residual: tf.Tensor,
  source?: DropoutSource,
): tf.Tensor {
  const projected = bertDense(p.scope('dense'), x, config.hiddenSize, config);
  const sum = tf.add(residual, dropout(projected, config.hiddenDropoutProb, source));
  return bertNorm(p.scope('LayerNorm'), sum, config);
}

/**
 * The encoder.
 * @param p scope that holds `embeddings` and `encoder`
 * @param inputIds int32 [batch, source]
 * @param attentionMask int32 [batch, source]
 * @param options with `causal` a token attends to none after it
 * @returns last hidden state [batch, source, hiddenSize]
 */
export function encodeBert(
  p: Parameters,
  config: BertConfig,
  inputIds: tf.Tensor,
  attentionMask: tf.Tensor,
  options: {
    tokenTypeIds?: tf.Tensor;
    positions?: tf.Tensor;
    causal?: boolean;
    dropout?: DropoutSource;
  } = {},
): tf.Tensor {
  const embedded = bertEmbeddings(
    p.scope('embeddings'),
    config,
    inputIds,
    options.positions,
    options.tokenTypeIds,
    options.dropout,
  );
  return bertLayers(p.scope('encoder'), config, embedded, {
    self: {
      kind: 'sequence',
      visibility: { keyMask: attentionMask, ...(options.causal && { causal: true }) },
    },
    dropout: options.dropout,
  }).hidden;
}

/** tanh of a projection of the first position, or the projection: BERT's summary of the whole input. [batch, hiddenSize] */
export function poolBert(p: Parameters, config: BertConfig, hidden: tf.Tensor): tf.Tensor {
  const projected = bertDense(p.scope('pooler.dense'), firstPosition(hidden), config.hiddenSize, config);
  return config.poolerActivation === 'linear' ? projected : tf.tanh(projected);
}

/** The hidden state of [CLS]. @param hidden [batch, length, hiddenSize] @returns [batch, hiddenSize] */
export function firstPosition(hidden: tf.Tensor): tf.Tensor {
  const [batch, , features] = hidden.shape as [number, number, number];
  return tf.reshape(tf.slice(hidden, [0, 0, 0], [batch, 1, features]), [batch, features]);
}
