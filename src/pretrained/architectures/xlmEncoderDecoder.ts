import { type XlmTranslatorConfig, xlmTranslator } from '../../decoder/xlm.js';
import { type RawConfig, readConfig, xlmTranslatorConfigSchema } from '../config.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';
import { readXlmConfig } from './xlm.js';

/** Two stacks of XLM that translate between their languages: what `polybeam xlm train` makes. transformers has none. */
export const xlmEncoderDecoder: Architecture = {
  modelType: 'xlm-encoder-decoder',
  define: (raw, _, path) => {
    const config = readXlmTranslatorConfig(raw, path);
    return defineEncoderDecoder(xlmTranslator(config), {
      embeddings: ['encoder', 'decoder'].flatMap((side) =>
        ['embeddings', 'position_embeddings', 'lang_embeddings', 'layer_norm_emb'].map(
          (name) => `${side}.${name}.`,
        ),
      ),
      stacks: (
        [
          ['encoder', config.nLayers],
          ['decoder', config.decoderLayers],
        ] as const
      ).flatMap(([side, layers]) => stackParts[side].map((part) => ({ prefix: `${side}.${part}.`, layers }))),
      encoder: ['encoder.'],
    });
  },
  languagesBefore: languageIds,
};

const inEach = ['attentions', 'layer_norm1', 'ffns', 'layer_norm2'] as const;

/** What names of the weights of layers go on with; a number follows. */
const stackParts = { encoder: inEach, decoder: [...inEach, 'encoder_attn', 'layer_norm15'] } as const;

/** @throws CONFIG_INVALID */
export function readXlmTranslatorConfig(raw: RawConfig, path: string): XlmTranslatorConfig {
  const config = readConfig(xlmTranslatorConfigSchema, raw, path);
  return {
    ...readXlmConfig(raw, path),
    decoderLayers: config.decoder_layers,
    shareEmbeddings: config.share_encoder_decoder_embeddings,
    firstLanguageId: config.first_language_token_id,
  };
}

function languageIds(raw: RawConfig, path: string): Map<string, number> {
  const { lang2id, first_language_token_id: first } = readConfig(xlmTranslatorConfigSchema, raw, path);
  return new Map(Object.entries(lang2id).map(([code, place]) => [code, first + place]));
}
