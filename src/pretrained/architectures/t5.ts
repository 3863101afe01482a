import { t5 as t5Model } from '../../decoder/t5.js';
import type { ActivationName } from '../../nn/activation.js';
import { type RawConfig, readConfig, t5ConfigSchema } from '../config.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';

/** What sets T5 and mT5 apart. */
interface Family {
  /** What config.json means where it is silent, as transformers reads it. */
  defaults: RawConfig;
  /** Whether hidden states are scaled before the output projection. */
  scalesOutputs(config: { tie_word_embeddings?: unknown; scale_decoder_outputs?: unknown }): boolean;
}

function t5Family(modelType: string, { defaults, scalesOutputs }: Family): Architecture {
  return {
    modelType,
    define: (raw, _weights, path) => {
      const config = readConfig(t5ConfigSchema, { ...defaults, ...raw }, path);
      const isGatedAct = config.feed_forward_proj.startsWith('gated-');
      const activation = config.feed_forward_proj.replace('gated-', '') as ActivationName;
      const numDecoderLayers = config.num_decoder_layers ?? config.num_layers;
      return defineEncoderDecoder(
        t5Model({
          vocabSize: config.vocab_size,
          dModel: config.d_model,
          dKv: config.d_kv,
          dFf: config.d_ff,
          numLayers: config.num_layers,
          numDecoderLayers,
          numHeads: config.num_heads,
          relativeAttentionNumBuckets: config.relative_attention_num_buckets,
          relativeAttentionMaxDistance: config.relative_attention_max_distance,
          // Named before transformers told the two forms of GELU apart.
          denseActFn: isGatedAct && activation === 'gelu' ? 'gelu_new' : activation,
          isGatedAct,
          scaleDecoderOutputs: scalesOutputs(config),
          layerNormEpsilon: config.layer_norm_epsilon,
          dropoutRate: config.dropout_rate,
          initializerFactor: config.initializer_factor,
        }),
        {
          embeddings: ['shared.'],
          stacks: [
            { prefix: 'encoder.block.', layers: config.num_layers },
            { prefix: 'decoder.block.', layers: numDecoderLayers },
          ],
          encoder: ['encoder.'],
        },
      );
    },
    // Whatever tie_word_embeddings says: a table that differs is saved by its own name.
    repeated: () => ({
      'encoder.embed_tokens.weight': 'shared.weight',
      'decoder.embed_tokens.weight': 'shared.weight',
      'lm_head.weight': 'shared.weight',
    }),
  };
}

/** T5, T5 1.1 and FLAN-T5, told apart by `feed_forward_proj` and `tie_word_embeddings`. */
export const t5 = t5Family('t5', {
  defaults: { feed_forward_proj: 'relu' },
  // transformers 5 writes down what older ones took from tie_word_embeddings.
  scalesOutputs: (config) => (config.scale_decoder_outputs ?? config.tie_word_embeddings) !== false,
});

/** mT5. */
export const mt5 = t5Family('mt5', {
  defaults: { feed_forward_proj: 'gated-gelu' },
  scalesOutputs: () => false,
});
