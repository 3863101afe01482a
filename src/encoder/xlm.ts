import * as tf from '@tensorflow/tfjs-core';
import { type DropoutSource, dropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import type { Initializer, Parameters } from '../engine/parameters.js';
import { activations } from '../nn/activation.js';
import {
  type AttentionObserver,
  type AttentionShape,
  crossAttention,
  type KeysAndValues,
  type SelfAttentionMode,
  selfAttention,
} from '../nn/attention.js';
import { dense } from '../nn/dense.js';
import { norm } from '../nn/norm.js';
import { alternatingPositions } from '../nn/positions.js';

/** XLM (Lample and Conneau 2019), as in Facebook's program and Hugging Face's XLMModel. */
export interface XlmConfig {
  vocabSize: number;
  embDim: number;
  nLayers: number;
  nHeads: number;
  /** On embeddings and at the end of each sub-layer. */
  dropout: number;
  /** On attention weights. */
  attentionDropout: number;
  /** GELU in the feed-forward layers, else ReLU. */
  geluActivation: boolean;
  /** Fixed sinusoidal positions. */
  sinusoidalEmbeddings: boolean;
  /** Each position attends to itself and to those before it (CLM). */
  causal: boolean;
  /** Number of languages that have an embedding. */
  nLangs: number;
  useLangEmb: boolean;
  maxPositionEmbeddings: number;
  /** Standard deviation of new embeddings; the paper's program has embDim^-0.5. */
  embedInitStd: number;
  layerNormEps: number;
  /** Whether the output projection is the table of embeddings. */
  tieWordEmbeddings: boolean;
}

/** Sizes by name: small ones for CPUs, the translation model of the paper's program, and its largest (section 5.1). */
export const xlmPresets = {
  tiny: { embDim: 128, nLayers: 4, nHeads: 4 },
  small: { embDim: 256, nLayers: 6, nHeads: 4 },
  base: { embDim: 512, nLayers: 6, nHeads: 8 },
  large: { embDim: 1024, nLayers: 6, nHeads: 8 },
} satisfies Record<string, Partial<XlmConfig>>;

/** Variants of `xlmLayers` beyond the encoder: see `BertMode`. */
export interface XlmMode {
  self: SelfAttentionMode;
  /** Cross-attention's keys and values, one a layer, by `encoder_attn.N`; absent in an encoder. */
  memory?: readonly KeysAndValues[];
  /** int32 [batch, source]; goes with `memory`. */
  memoryMask?: tf.Tensor;
  /** Receives cross-attention's weights. */
  observe?: AttentionObserver;
  dropout?: DropoutSource;
}

/** Inputs of the embeddings. */
export interface XlmTokens {
  /** int32 [rows, length], or [rows] for one token a row */
  inputIds: tf.Tensor;
  /** int32 [length] or [rows, length]; [rows] where there is one token a row. Default 0, 1, ... */
  positions?: tf.Tensor;
  /** int32 [rows, length], or [rows, 1] where a row has one language; default no language. */
  languages?: tf.Tensor;
  /** In place of `languages`: their embeddings. [..., embDim], broadcast */
  languageStates?: tf.Tensor;
  dropout?: DropoutSource;
}

/** Inputs of XLM as a language model. */
export interface XlmInputs extends XlmTokens {
  /** int32 [rows, length]; 1 for a position that may be read. Default all. */
  attentionMask?: tf.Tensor;
}

const names = { query: 'q_lin', key: 'k_lin', value: 'v_lin' } as const;

/** Matrices are initialized like PyTorch's linear layers, as in the paper's program. */
function denseInitializer(inputs: number): Initializer {
  return { kind: 'normal', standardDeviation: (3 * inputs) ** -0.5 };
}

/** The attention of one layer, as `nn/attention.ts` wants it; for `attentions.N` and `encoder_attn.N`. */
export function xlmAttentionShape(config: XlmConfig, source?: DropoutSource): AttentionShape {
  return {
    heads: config.nHeads,
    features: config.embDim,
    names,
    initializer: denseInitializer(config.embDim),
    dropout: { rate: config.attentionDropout, source },
  };
}

/** The token embeddings, which the output projection may share. `p` is the scope of the stack. [vocabSize, embDim] */
export function xlmTable(p: Parameters, config: XlmConfig): tf.Tensor {
  return p.get('embeddings.weight', [config.vocabSize, config.embDim], embeddingInitializer(config));
}

/** Whether the model has embeddings of languages. */
export function hasLanguages({ nLangs, useLangEmb }: Pick<XlmConfig, 'nLangs' | 'useLangEmb'>): boolean {
  return nLangs > 1 && useLangEmb;
}

/** The embeddings of languages, where the model has them. [nLangs, embDim] */
export function xlmLanguageTable(p: Parameters, config: XlmConfig): tf.Tensor {
  return p.get('lang_embeddings.weight', [config.nLangs, config.embDim], embeddingInitializer(config));
}

function embeddingInitializer({ embedInitStd }: XlmConfig): Initializer {
  return { kind: 'normal', standardDeviation: embedInitStd };
}

/** [length or rows..., embDim] */
function positionRows(p: Parameters, config: XlmConfig, { inputIds, positions }: XlmTokens): tf.Tensor {
  const { maxPositionEmbeddings: rows, embDim, sinusoidalEmbeddings: sines } = config;
  const initializer: Initializer = sines
    ? { kind: 'values', values: () => alternatingPositions(rows, embDim) }
    : embeddingInitializer(config);
  const table = p.get('position_embeddings.weight', [rows, embDim], initializer, { trainable: !sines });
  return positions
    ? tf.gather(table, positions as tf.Tensor1D)
    : tf.slice(table, [0, 0], [inputIds.shape[1]!, embDim]);
}

/**
 * Sum of the embeddings of tokens, positions and languages, normalized.
 * @param p scope of the stack
 * @returns [rows, length, embDim], or [rows, embDim]
 */
export function xlmEmbeddings(p: Parameters, config: XlmConfig, tokens: XlmTokens): tf.Tensor {
  const words = tf.gather(xlmTable(p, config), tokens.inputIds as tf.Tensor1D);
  let sum = tf.add(words, positionRows(p, config, tokens));
  const languages =
    tokens.languageStates ??
    (tokens.languages && hasLanguages(config)
      ? tf.gather(xlmLanguageTable(p, config), tokens.languages as tf.Tensor1D)
      : undefined);
  if (languages) sum = tf.add(sum, languages);
  return dropout(norm(p.scope('layer_norm_emb'), sum, config.layerNormEps), config.dropout, tokens.dropout);
}

/**
 * The layers, normalized after each sub-layer.
 * @param p scope that holds `attentions.0`, `ffns.0`, ...
 * @param x [rows, length, embDim], or [rows, embDim] for one token a row over a cache
 * @returns hidden states as x, and what the self-attention mode keeps
 */
export function xlmLayers(
  p: Parameters,
  config: XlmConfig,
  x: tf.Tensor,
  mode: XlmMode,
): { hidden: tf.Tensor; caches: KeysAndValues[] } {
  const shape = xlmAttentionShape(config, mode.dropout);
  const caches: KeysAndValues[] = [];
  const joined = (normName: string, residual: tf.Tensor, added: tf.Tensor) =>
    norm(
      p.scope(normName),
      tf.add(residual, dropout(added, config.dropout, mode.dropout)),
      config.layerNormEps,
    );
  let hidden = x;
  for (let layer = 0; layer < config.nLayers; layer++) {
    const at = p.scope(`attentions.${layer}`);
    const own = selfAttention(at, hidden, shape, mode.self, layer);
    if (own.cache) caches.push(own.cache);
    hidden = joined(`layer_norm1.${layer}`, hidden, project(at.scope('out_lin'), own.context, config.embDim));
    if (mode.memory) {
      const over = p.scope(`encoder_attn.${layer}`);
      const observe = (weights: () => tf.Tensor) => mode.observe?.(layer, weights);
      const cross = crossAttention(over, hidden, mode.memory[layer], mode.memoryMask!, shape, observe);
      hidden = joined(`layer_norm15.${layer}`, hidden, project(over.scope('out_lin'), cross, config.embDim));
    }
    hidden = joined(`layer_norm2.${layer}`, hidden, feedForward(p.scope(`ffns.${layer}`), config, hidden));
  }
  return { hidden, caches };
}

/** A dense layer with the same initialization as the others. */
function project(p: Parameters, x: tf.Tensor, outputs: number): tf.Tensor {
  return dense(p, x, outputs, { initializer: denseInitializer(x.shape[x.rank - 1]!) });
}

function feedForward(p: Parameters, config: XlmConfig, x: tf.Tensor): tf.Tensor {
  const inner = project(p.scope('lin1'), x, 4 * config.embDim);
  const activated = config.geluActivation ? activations.gelu(inner) : activations.relu(inner);
  return project(p.scope('lin2'), activated, config.embDim);
}

/**
 * Embeddings and layers. Every position attends to all others; with `config.causal` only to those before it.
 * @param p scope of the stack: `transformer`, or the top where there is no head
 * @returns last hidden states [rows, length, embDim]
 */
export function encodeXlm(p: Parameters, config: XlmConfig, inputs: XlmInputs): tf.Tensor {
  const { attentionMask: keyMask } = inputs;
  const visibility = { ...(keyMask && { keyMask }), ...(config.causal && { causal: true }) };
  return xlmLayers(p, config, xlmEmbeddings(p, config, inputs), {
    self: { kind: 'sequence', visibility },
    dropout: inputs.dropout,
  }).hidden;
}

/**
 * The output projection of `xlmLogits`.
 * @param p scope of the model: holds `pred_layer`
 * @param stack scope of the stack that the table may be shared with
 */
export function xlmOutput(
  p: Parameters,
  stack: Parameters,
  config: XlmConfig,
): { matrix: tf.Tensor; bias: tf.Tensor } {
  const at = p.scope('pred_layer.proj');
  const tied = config.tieWordEmbeddings && !at.has('weight');
  const matrix = tied
    ? xlmTable(stack, config)
    : at.get('weight', [config.vocabSize, config.embDim], denseInitializer(config.embDim));
  return { matrix, bias: at.get('bias', [config.vocabSize], { kind: 'zeros' }) };
}

/** Logits of hidden states [..., embDim] -> [..., vocabSize]. Scopes as for `xlmOutput`. */
export function xlmLogits(p: Parameters, stack: Parameters, config: XlmConfig, hidden: tf.Tensor): tf.Tensor {
  const { matrix, bias } = xlmOutput(p, stack, config);
  return linear(hidden, matrix, bias);
}
