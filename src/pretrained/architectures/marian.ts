import { transformer } from '../../decoder/transformer.js';
import type { TransformerConfig } from '../../encoder/transformer.js';
import { marianConfigSchema, readConfig } from '../config.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';

/** OPUS-MT's models, and what `polybeam train` makes. */
export const marian: Architecture = {
  modelType: 'marian',
  define: (raw, _weights, path) => {
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
      shareEncoderDecoderEmbeddings: config.share_encoder_decoder_embeddings,
      tieWordEmbeddings: config.tie_word_embeddings,
      dropout: config.dropout,
      attentionDropout: config.attention_dropout,
      activationDropout: config.activation_dropout,
      initStd: config.init_std,
    };
    return defineEncoderDecoder(transformer(sizes));
  },
};
