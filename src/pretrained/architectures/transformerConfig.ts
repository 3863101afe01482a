import type { z } from 'zod';
import { prefixOf, type TransformerConfig } from '../../encoder/transformer.js';
import type { WeightStore } from '../../engine/weights.js';
import type { RawConfig, transformerConfigSchema } from '../config.js';
import type { WeightLayout } from './weightLayout.js';

/** Checkpoints of a model without its head, such as BART's first ones, have no `model.` before their names. */
export function headlessPrefix(weights: Pick<WeightStore, 'get'>): { prefix?: string } {
  return weights.get('shared.weight') ? { prefix: '' } : {};
}

/** Sizes that every Transformer's config.json names alike; one vocabulary, one table of embeddings. */
export function transformerSizes(config: z.output<typeof transformerConfigSchema>): TransformerConfig {
  return {
    vocabSize: config.vocab_size,
    decoderVocabSize: config.vocab_size,
    dModel: config.d_model,
    encoderLayers: config.encoder_layers,
    encoderAttentionHeads: config.encoder_attention_heads,
    encoderFfnDim: config.encoder_ffn_dim,
    decoderLayers: config.decoder_layers,
    decoderAttentionHeads: config.decoder_attention_heads,
    decoderFfnDim: config.decoder_ffn_dim,
    maxPositionEmbeddings: config.max_position_embeddings,
    activationFunction: config.activation_function,
    scaleEmbedding: config.scale_embedding,
    shareEncoderDecoderEmbeddings: true,
    tieWordEmbeddings: config.tie_word_embeddings,
    dropout: config.dropout,
    attentionDropout: config.attention_dropout,
    activationDropout: config.activation_dropout,
    initStd: config.init_std,
  };
}

/** Where its weights stand. */
export function transformerWeights(config: TransformerConfig): WeightLayout {
  const prefix = prefixOf(config);
  const sides = ['encoder', 'decoder'].flatMap((side) => [
    `${prefix}${side}.embed_`,
    `${prefix}${side}.layernorm_embedding.`,
  ]);
  return {
    embeddings: [`${prefix}shared.`, ...sides],
    stacks: [
      { prefix: `${prefix}encoder.layers.`, layers: config.encoderLayers },
      { prefix: `${prefix}decoder.layers.`, layers: config.decoderLayers },
    ],
    encoder: [`${prefix}encoder.`],
    constants: ['final_logits_bias'],
  };
}

/** transformers 5 shares nothing where it ties nothing, whatever share_encoder_decoder_embeddings says. */
export function hasOwnTables(
  config: { tie_word_embeddings: boolean },
  weights: Pick<WeightStore, 'get'>,
): boolean {
  return !config.tie_word_embeddings && weights.get('model.encoder.embed_tokens.weight') !== undefined;
}

/** The embedding tables and the output projection that repeat `model.shared.weight`. */
export function repeatedTables(raw: RawConfig): Record<string, string> {
  if (raw.tie_word_embeddings === false) return {};
  return {
    'model.decoder.embed_tokens.weight': 'model.shared.weight',
    'model.encoder.embed_tokens.weight': 'model.shared.weight',
    'lm_head.weight': 'model.shared.weight',
    'decoder.embed_tokens.weight': 'shared.weight',
    'encoder.embed_tokens.weight': 'shared.weight',
  };
}
