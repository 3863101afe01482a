import * as tf from '@tensorflow/tfjs-core';
import { type DropoutSource, dropout } from '../engine/ops/dropout.js';
import type { Initializer, Parameters } from '../engine/parameters.js';
import { type ActivationName, activations } from '../nn/activation.js';
import { type AttentionShape, type SelfAttentionMode, selfAttention } from '../nn/attention.js';
import { dense } from '../nn/dense.js';
import { norm } from '../nn/norm.js';
import { sinusoidalPositions, tensorPositions } from '../nn/positions.js';

/** Differences between families of Transformers. */
export interface TransformerLayout {
  /** A learned table, or one of the two ways to lay out sines and cosines. */
  positions: 'learned' | 'sinusoidal' | 'tensorSinusoidal';
  /** Rows of the position table before the row of the first token. */
  positionOffset: number;
  /** Padding id; skipped when positions are counted (fairseq's make_positions). It gets the row before the first token's. */
  unplacedId?: number;
  /** Layer norms before each sub-layer and one after the last layer, instead of one after each sub-layer. */
  normalizeBefore: boolean;
  /** A layer norm after the embeddings. */
  normalizeEmbedding: boolean;
}

/** Layouts by the names of their families. */
export const transformerLayouts = {
  /** Junczys-Dowmunt et al. 2018, as Vaswani et al. 2017. */
  marian: {
    positions: 'sinusoidal',
    positionOffset: 0,
    normalizeBefore: false,
    normalizeEmbedding: false,
  },
  /** Lewis et al. 2020, on fairseq: rows 0 and 1 of the position table were kept for padding. */
  bart: { positions: 'learned', positionOffset: 2, normalizeBefore: false, normalizeEmbedding: true },
  /** Liu et al. 2020; mBART-50 of Tang et al. 2020. */
  mbart: { positions: 'learned', positionOffset: 2, normalizeBefore: true, normalizeEmbedding: true },
  /** Zhang et al. 2020. */
  pegasus: {
    positions: 'sinusoidal',
    positionOffset: 0,
    normalizeBefore: true,
    normalizeEmbedding: false,
  },
} satisfies Record<string, TransformerLayout>;

/** M2M-100 (Fan et al. 2021) and NLLB (NLLB Team 2022): padding takes no position, and rows begin after its id. */
export function m2m100Layout(padTokenId: number): TransformerLayout {
  return {
    positions: 'tensorSinusoidal',
    positionOffset: padTokenId + 1,
    unplacedId: padTokenId,
    normalizeBefore: true,
    normalizeEmbedding: false,
  };
}

/** A Transformer with encoder and decoder: Marian, BART, mBART, M2M-100, NLLB, Pegasus. */
export interface TransformerConfig {
  /** Default: Marian's. */
  layout?: TransformerLayout;
  /** Prefix of the names of all weights but the output projection. Default: 'model.'. */
  prefix?: string;
  vocabSize: number;
  /** Vocabulary size of the decoder if it differs from the encoder's. */
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

/** Epsilon of all layer norms (PyTorch's default). */
export const transformerEpsilon = 1e-5;

export const transformerNames = { query: 'q_proj', key: 'k_proj', value: 'v_proj' } as const;

/**
 * The embedding table of one side, under its own name or the shared one: a checkpoint whose sides differ holds its own all the
 * same. [vocab, dModel]
 */
export function tokenTable(p: Parameters, config: TransformerConfig, side: 'encoder' | 'decoder'): tf.Tensor {
  const own = `${prefixOf(config)}${side}.embed_tokens.weight`;
  return table(p, config, side, config.shareEncoderDecoderEmbeddings && !p.has(own) ? undefined : own);
}

/** The table that the output projection is tied to: the shared one where there is one, else the decoder's. [vocab, dModel] */
export function tiedTable(p: Parameters, config: TransformerConfig): tf.Tensor {
  const own = `${prefixOf(config)}decoder.embed_tokens.weight`;
  return table(p, config, 'decoder', config.shareEncoderDecoderEmbeddings ? undefined : own);
}

function table(
  p: Parameters,
  config: TransformerConfig,
  side: 'encoder' | 'decoder',
  name = `${prefixOf(config)}shared.weight`,
): tf.Tensor {
  const initializer: Initializer = { kind: 'normal', standardDeviation: config.initStd };
  const size = side === 'encoder' ? config.vocabSize : config.decoderVocabSize;
  return p.get(name, [size, config.dModel], initializer);
}

/** Token plus position embeddings, normalized where the layout says so. [batch, length, dModel] */
export function embedTokens(
  p: Parameters,
  config: TransformerConfig,
  side: 'encoder' | 'decoder',
  inputIds: tf.Tensor,
  positions: tf.Tensor | undefined,
): tf.Tensor {
  const { dModel } = config;
  const at = p.scope(`${prefixOf(config)}${side}`);
  const tokens = tf.gather(tokenTable(p, config, side), inputIds as tf.Tensor1D);
  const scaled = config.scaleEmbedding ? tf.mul(tokens, Math.sqrt(dModel)) : tokens;
  const sum = tf.add(scaled, positionRows(at, config, inputIds, positions));
  if (!layoutOf(config).normalizeEmbedding) return sum;
  return norm(at.scope('layernorm_embedding'), sum, transformerEpsilon);
}

/** What names of weights begin with. */
export function prefixOf(config: TransformerConfig): string {
  return config.prefix ?? 'model.';
}

/** The layout of a model. */
export function layoutOf(config: TransformerConfig): TransformerLayout {
  return config.layout ?? transformerLayouts.marian;
}

/** Rows of the position table. [length, dModel], or [batch, length, dModel] where they depend on the tokens. */
function positionRows(
  p: Parameters,
  config: TransformerConfig,
  inputIds: tf.Tensor,
  positions: tf.Tensor | undefined,
): tf.Tensor {
  const { positionOffset: offset, unplacedId } = layoutOf(config);
  const table = positionTable(p, config);
  if (unplacedId !== undefined) {
    const placed = tf.cast(tf.notEqual(inputIds, unplacedId), 'int32');
    const counted = positions ? shifted(positions, 1) : tf.cumsum(placed, 1);
    return tf.gather(table, shifted(tf.mul(counted, placed), offset - 1) as tf.Tensor1D);
  }
  if (positions) return tf.gather(table, shifted(positions, offset) as tf.Tensor1D);
  return tf.slice(table, [offset, 0], [inputIds.shape[1]!, config.dModel]);
}

/** int32 plus an integer. */
function shifted(x: tf.Tensor, by: number): tf.Tensor {
  return by === 0 ? x : tf.add(x, tf.scalar(by, 'int32'));
}

function positionTable(p: Parameters, config: TransformerConfig): tf.Tensor {
  const { positions, positionOffset, unplacedId } = layoutOf(config);
  const { dModel } = config;
  const rows = config.maxPositionEmbeddings + positionOffset;
  const initializer: Initializer =
    positions === 'learned'
      ? { kind: 'normal', standardDeviation: config.initStd }
      : {
          kind: 'values',
          values: () =>
            positions === 'sinusoidal'
              ? sinusoidalPositions(rows, dModel)
              : tensorPositions(rows, dModel, unplacedId),
        };
  return p.get('embed_positions.weight', [rows, dModel], initializer, { trainable: positions === 'learned' });
}

/** A sub-layer with its residual sum and its layer norm, before the sub-layer or after the sum. */
export function residual(
  p: Parameters,
  config: TransformerConfig,
  normName: string,
  x: tf.Tensor,
  subLayer: (x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const at = p.scope(normName);
  if (layoutOf(config).normalizeBefore) return tf.add(x, subLayer(norm(at, x, transformerEpsilon)));
  return norm(at, tf.add(x, subLayer(x)), transformerEpsilon);
}

/** The end of one side, after the last layer. */
export function finish(
  p: Parameters,
  config: TransformerConfig,
  side: 'encoder' | 'decoder',
  x: tf.Tensor,
): tf.Tensor {
  if (!layoutOf(config).normalizeBefore) return x;
  return norm(p.scope(`${prefixOf(config)}${side}.layer_norm`), x, transformerEpsilon);
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
    const at = p.scope(`${prefixOf(config)}encoder.layers.${layer}`);
    x = residual(at, config, 'self_attn_layer_norm', x, (input) => {
      const own = at.scope('self_attn');
      const mode: SelfAttentionMode = { kind: 'sequence', visibility: { keyMask: attentionMask } };
      const { context } = selfAttention(own, input, shape, mode);
      return drop(dense(own.scope('out_proj'), context, config.dModel));
    });
    x = residual(at, config, 'final_layer_norm', x, (input) =>
      drop(feedForward(at, config, input, config.encoderFfnDim, source)),
    );
  }
  return finish(p, config, 'encoder', x);
}
