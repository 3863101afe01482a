import { type Gpt2Config, gpt2 as gpt2Decoder } from '../../decoder/gpt2.js';
import type { WeightStore } from '../../engine/weights.js';
import { gpt2ConfigSchema, type RawConfig, readConfig } from '../config.js';
import { defineDecoder } from './decoderForward.js';
import type { Architecture } from './definition.js';

/** GPT-2: continues texts. */
export const gpt2: Architecture = {
  modelType: 'gpt2',
  repeated: (raw): Record<string, string> =>
    raw.tie_word_embeddings === false ? {} : { 'lm_head.weight': 'transformer.wte.weight' },
  define: (raw, weights, path) => defineDecoder(gpt2Decoder(readSizes(raw, weights, path))),
};

function readSizes(raw: RawConfig, weights: Pick<WeightStore, 'get'>, path: string): Gpt2Config {
  const config = readConfig(gpt2ConfigSchema, raw, path);
  return {
    vocabSize: config.vocab_size,
    nPositions: config.n_positions,
    nEmbd: config.n_embd,
    nLayer: config.n_layer,
    nHead: config.n_head,
    nInner: config.n_inner ?? 4 * config.n_embd,
    activationFunction: config.activation_function,
    layerNormEpsilon: config.layer_norm_epsilon,
    residPdrop: config.resid_pdrop,
    embdPdrop: config.embd_pdrop,
    attnPdrop: config.attn_pdrop,
    initializerRange: config.initializer_range,
    tieWordEmbeddings: config.tie_word_embeddings,
    prefix: weights.get('wte.weight') ? '' : 'transformer.',
  };
}
