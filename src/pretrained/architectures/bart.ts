import { transformer } from '../../decoder/transformer.js';
import { m2m100Layout, type TransformerLayout, transformerLayouts } from '../../encoder/transformer.js';
import { type RawConfig, readConfig, transformerConfigSchema } from '../config.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';
import {
  hasOwnTables,
  headlessPrefix,
  repeatedTables,
  transformerSizes,
  transformerWeights,
} from './transformerConfig.js';

/** What sets the families of BART apart. */
interface Family {
  /** @param padTokenId as config.json has it */
  layout(padTokenId: number): TransformerLayout;
  /** What config.json means where it is silent, as transformers reads it. */
  defaults: { pad_token_id: number } & RawConfig;
  languageToken?: RegExp;
  /** Positions are computed and not saved. */
  computesPositions: boolean;
}

/** A model type whose checkpoints are laid out as BART's. */
function bartFamily(modelType: string, family: Family): Architecture {
  return {
    modelType,
    define: (raw, weights, path) => {
      const config = readConfig(transformerConfigSchema, { ...family.defaults, ...raw }, path);
      const layout = family.layout(config.pad_token_id ?? family.defaults.pad_token_id);
      const shareEncoderDecoderEmbeddings = !hasOwnTables(config, weights);
      const sizes = {
        ...transformerSizes(config),
        ...headlessPrefix(weights),
        layout,
        shareEncoderDecoderEmbeddings,
      };
      return defineEncoderDecoder(transformer(sizes), transformerWeights(sizes));
    },
    repeated: repeatedTables,
    languageToken: family.languageToken,
    computed: family.computesPositions ? positionTables : [],
  };
}

/** Older checkpoints of M2M-100 call them `weights`. */
const positionTables = ['model.encoder', 'model.decoder', 'encoder', 'decoder'].flatMap((side) =>
  ['weight', 'weights'].map((name) => `${side}.embed_positions.${name}`),
);

/** BART (Lewis et al. 2020). */
export const bart = bartFamily('bart', {
  layout: () => transformerLayouts.bart,
  defaults: { pad_token_id: 1 },
  computesPositions: false,
});

/** mBART and mBART-50 (Liu et al. 2020, Tang et al. 2020). */
export const mbart = bartFamily('mbart', {
  layout: () => transformerLayouts.mbart,
  languageToken: /^([a-z]{2}_[A-Z]{2})$/,
  defaults: { pad_token_id: 1 },
  computesPositions: false,
});

/** M2M-100 and NLLB-200 (Fan et al. 2021, NLLB Team 2022). */
export const m2m100 = bartFamily('m2m_100', {
  layout: m2m100Layout,
  // M2M-100 writes __fr__, NLLB fra_Latn.
  languageToken: /^__([a-z]{2,3})__$|^([a-z]{3}_[A-Z][a-z]{3})$/,
  defaults: { pad_token_id: 1, activation_function: 'relu', scale_embedding: true },
  computesPositions: true,
});

/** Pegasus (Zhang et al. 2020), whose checkpoints hold the positions although they are computed. */
export const pegasus = bartFamily('pegasus', {
  layout: () => transformerLayouts.pegasus,
  defaults: { pad_token_id: 0 },
  computesPositions: false,
});
