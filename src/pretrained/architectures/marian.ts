import { transformer } from '../../decoder/transformer.js';
import type { TransformerConfig } from '../../encoder/transformer.js';
import type { WeightStore } from '../../engine/weights.js';
import { marianConfigSchema, readConfig } from '../config.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';

/** transformers 5 shares nothing where it ties nothing, whatever share_encoder_decoder_embeddings says. */
function hasOwnTables(config: { tie_word_embeddings: boolean }, weights: Pick<WeightStore, 'get'>): boolean {
  return !config.tie_word_embeddings && weights.get('model.encoder.embed_tokens.weight') !== undefined;
}

/** OPUS-MT's models, and what `polybeam train` makes. */
export const marian: Architecture = {
  modelType: 'marian',
  define: (raw, weights, path) => {
    const config = readConfig(marianConfigSchema, raw, path);
    const sizes: TransformerConfig = {
      vocabSize: config.vocab_size,
      decoderVocabSize: config.decoder_vocab_size ?? config.vocab_size,
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
      shareEncoderDecoderEmbeddings:
        config.share_encoder_decoder_embeddings && !hasOwnTables(config, weights),
      tieWordEmbeddings: config.tie_word_embeddings,
      dropout: config.dropout,
      attentionDropout: config.attention_dropout,
      activationDropout: config.activation_dropout,
      initStd: config.init_std,
    };
    return defineEncoderDecoder(transformer(sizes));
  },
  repeated: (raw): Record<string, string> => {
    if (raw.tie_word_embeddings === false) return {};
    if (raw.share_encoder_decoder_embeddings === false)
      return { 'lm_head.weight': 'model.decoder.embed_tokens.weight' };
    return {
      'lm_head.weight': 'model.shared.weight',
      'model.encoder.embed_tokens.weight': 'model.shared.weight',
      'model.decoder.embed_tokens.weight': 'model.shared.weight',
    };
  },
  computed: ['model.encoder.embed_positions.weight', 'model.decoder.embed_positions.weight'],
};
