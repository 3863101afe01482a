import * as tf from '@tensorflow/tfjs-core';
import { encodeXlm, hasLanguages, type XlmConfig, xlmLanguageTable, xlmLogits } from '../../encoder/xlm.js';
import type { Parameters } from '../../engine/parameters.js';
import type { Tensors } from '../../engine/program.js';
import type { WeightStore } from '../../engine/weights.js';
import { type RawConfig, readConfig, xlmConfigSchema } from '../config.js';
import { type Architecture, type ForwardDefinition, sourceSignature } from './definition.js';

/** XLM (Lample and Conneau 2019): an encoder of many languages, with the head of its language model where there is one. */
export const xlm: Architecture = {
  modelType: 'xlm',
  repeated: (raw): Record<string, string> =>
    raw.tie_word_embeddings === false ? {} : { 'pred_layer.proj.weight': 'transformer.embeddings.weight' },
  define: (raw, weights, path) => {
    const config = readXlmConfig(raw, path);
    return {
      maxSource: config.maxPositionEmbeddings,
      idCounts: { inputIds: config.vocabSize, ...(hasLanguages(config) && { langs: config.nLangs }) },
      forward: encoderForward(config, weights),
    };
  },
};

/** XLM's sizes from a config.json; old names of keys (`n_words`) serve where the new are not there. */
export function readXlmConfig(raw: RawConfig, path: string): XlmConfig {
  const config = readConfig(xlmConfigSchema, { vocab_size: raw.n_words, ...raw }, path);
  return {
    vocabSize: config.vocab_size,
    embDim: config.emb_dim,
    nLayers: config.n_layers,
    nHeads: config.n_heads,
    dropout: config.dropout,
    attentionDropout: config.attention_dropout,
    geluActivation: config.gelu_activation,
    sinusoidalEmbeddings: config.sinusoidal_embeddings,
    causal: config.causal,
    nLangs: config.n_langs,
    useLangEmb: config.use_lang_emb,
    maxPositionEmbeddings: config.max_position_embeddings,
    embedInitStd: config.embed_init_std,
    layerNormEps: config.layer_norm_eps,
    tieWordEmbeddings: config.tie_word_embeddings,
  };
}

function encoderForward(config: XlmConfig, weights: Pick<WeightStore, 'get'>): ForwardDefinition {
  const inner = weights.get('transformer.embeddings.weight') !== undefined;
  const hasHead = weights.get('pred_layer.proj.bias') !== undefined;
  return {
    signature: { ...sourceSignature, ...(hasLanguages(config) && { langs: sourceSignature.inputIds }) },
    run: (p, { inputIds, attentionMask, langs }): Tensors => {
      const at = inner ? p.scope('transformer') : p;
      const languageStates = langs && languagesOrNone(at, config, langs);
      const hidden = encodeXlm(at, config, { inputIds, attentionMask, languageStates });
      if (!hasHead) return { lastHiddenState: hidden };
      return { lastHiddenState: hidden, logits: xlmLogits(p, at, config, hidden) };
    },
  };
}

/** Embeddings of languages; nothing where one is -1, as in transformers where none is given. [rows, length, embDim] */
function languagesOrNone(p: Parameters, config: XlmConfig, langs: tf.Tensor): tf.Tensor {
  const table = tf.concat([tf.zeros([1, config.embDim]), xlmLanguageTable(p, config)], 0);
  return tf.gather(table, tf.add(langs, tf.scalar(1, 'int32')) as tf.Tensor1D);
}
