import { transformer } from '../../decoder/transformer.js';
import { transformerLayouts } from '../../encoder/transformer.js';
import { marianConfigSchema, readConfig } from '../config.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';
import { hasOwnTables, repeatedTables, transformerSizes, transformerWeights } from './transformerConfig.js';

/** OPUS-MT's models, and what `polybeam train` makes. */
export const marian: Architecture = {
  modelType: 'marian',
  define: (raw, weights, path) => {
    const config = readConfig(marianConfigSchema, raw, path);
    const sizes = {
      ...transformerSizes(config),
      decoderVocabSize: config.decoder_vocab_size ?? config.vocab_size,
      layout: transformerLayouts.marian,
      shareEncoderDecoderEmbeddings:
        config.share_encoder_decoder_embeddings && !hasOwnTables(config, weights),
    };
    return defineEncoderDecoder(transformer(sizes), transformerWeights(sizes));
  },
  repeated: (raw): Record<string, string> => {
    if (raw.share_encoder_decoder_embeddings === false && raw.tie_word_embeddings !== false)
      return { 'lm_head.weight': 'model.decoder.embed_tokens.weight' };
    return repeatedTables(raw);
  },
  computed: ['model.encoder.embed_positions.weight', 'model.decoder.embed_positions.weight'],
};
