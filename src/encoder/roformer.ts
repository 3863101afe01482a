import * as tf from '@tensorflow/tfjs-core';
import { type DropoutSource, dropout } from '../engine/ops/dropout.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Parameters } from '../engine/parameters.js';
import type { KeysAndValues, SelfAttentionMode } from '../nn/attention.js';
import { sinusoidalPositions } from '../nn/positions.js';
import { type Rotation, rotationAt } from '../nn/rotary.js';
import { type BertConfig, bertDense, bertInitializer, bertLayers, bertNorm, wordTable } from './bert.js';

/**
 * RoFormer (Su et al. 2021): BERT with rotary positions in attention and no position embeddings. RoFormerV2 (Su
 * 2022) is the same with `useBias` false and `normType` 'rms_norm'.
 */
export interface RoformerConfig extends BertConfig {
  /** Features of token and segment embeddings; projected where they are not hiddenSize. */
  embeddingSize: number;
  /** Whether values are rotated like queries and keys. */
  rotaryValue: boolean;
}

/** What the stack reads. */
export interface RoformerInputs {
  /** int32 [rows, length] */
  inputIds: tf.Tensor;
  /** int32 [rows, length] or [length]; default 0, 1, ... */
  positions?: tf.Tensor;
  /** int32 [rows, length]; default segment 0 */
  tokenTypeIds?: tf.Tensor;
  self: SelfAttentionMode;
  dropout?: DropoutSource;
}

/**
 * Embeddings and layers.
 * @param p scope that holds `embeddings` and `encoder`
 * @returns hidden states [rows, length, hiddenSize], and what the self-attention mode keeps
 */
export function roformerStates(
  p: Parameters,
  config: RoformerConfig,
  { inputIds, positions, tokenTypeIds, self, dropout: source }: RoformerInputs,
): { hidden: tf.Tensor; caches: KeysAndValues[] } {
  const embedded = embed(p.scope('embeddings'), config, inputIds, tokenTypeIds, source);
  const x =
    config.embeddingSize === config.hiddenSize
      ? embedded
      : bertDense(p.scope('embeddings_project'), embedded, config.hiddenSize, config);
  const at = p.scope('encoder');
  const rotation = rotationOf(at, config, positions ?? rangeTo(inputIds.shape[1]!));
  return bertLayers(at, config, x, { self, dropout: source, rotation });
}

/**
 * The encoder.
 * @param p scope that holds `embeddings` and `encoder`
 * @param inputIds int32 [batch, source]
 * @param attentionMask int32 [batch, source]
 * @returns last hidden state [batch, source, hiddenSize]
 */
export function encodeRoformer(
  p: Parameters,
  config: RoformerConfig,
  inputIds: tf.Tensor,
  attentionMask: tf.Tensor,
  options: { tokenTypeIds?: tf.Tensor; dropout?: DropoutSource } = {},
): tf.Tensor {
  const self: SelfAttentionMode = { kind: 'sequence', visibility: { keyMask: attentionMask } };
  return roformerStates(p, config, { inputIds, self, ...options }).hidden;
}

/** Word embeddings and segment embeddings, normalized. [rows, length, embeddingSize] */
function embed(
  p: Parameters,
  config: RoformerConfig,
  inputIds: tf.Tensor,
  tokenTypeIds: tf.Tensor | undefined,
  source: DropoutSource | undefined,
): tf.Tensor {
  const { embeddingSize, typeVocabSize } = config;
  const size = [typeVocabSize, embeddingSize];
  const table = p.get('token_type_embeddings.weight', size, bertInitializer(config));
  const segments = tokenTypeIds
    ? tf.gather(table, tokenTypeIds as tf.Tensor1D)
    : tf.slice(table, [0, 0], [1, embeddingSize]);
  const sum = tf.add(tf.gather(roformerTable(p, config), inputIds as tf.Tensor1D), segments);
  return dropout(bertNorm(p.scope('LayerNorm'), sum, config), config.hiddenDropoutProb, source);
}

/** The word embeddings, which the output projection shares. `p` is the scope of the embeddings. */
export function roformerTable(p: Parameters, config: RoformerConfig): tf.Tensor {
  return wordTable(p, { ...config, hiddenSize: config.embeddingSize });
}

function rotationOf(p: Parameters, config: RoformerConfig, positions: tf.Tensor): Rotation {
  const { maxPositionEmbeddings: rows, hiddenSize, numAttentionHeads, rotaryValue } = config;
  const size = hiddenSize / numAttentionHeads;
  const initializer = { kind: 'values', values: () => sinusoidalPositions(rows, size) } as const;
  const table = p.get('embed_positions.weight', [rows, size], initializer, { trainable: false });
  return rotationAt(table, positions, rotaryValue);
}
