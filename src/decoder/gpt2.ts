import * as tf from '@tensorflow/tfjs-core';
import { dropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import type { Initializer, Parameters } from '../engine/parameters.js';
import { type ActivationName, activations } from '../nn/activation.js';
import { type KeysAndValues, selfAttentionOf } from '../nn/attention.js';
import { denseByInput } from '../nn/dense.js';
import { norm } from '../nn/norm.js';
import type { Decoder, OutputProjection, OwnInputs } from './encoderDecoder.js';

/** GPT-2 (Radford et al. 2019): a decoder without cross-attention. */
export interface Gpt2Config {
  vocabSize: number;
  nPositions: number;
  nEmbd: number;
  nLayer: number;
  nHead: number;
  /** Features inside the feed-forward layer. */
  nInner: number;
  activationFunction: ActivationName;
  layerNormEpsilon: number;
  residPdrop: number;
  embdPdrop: number;
  attnPdrop: number;
  /** Standard deviation of new weights. */
  initializerRange: number;
  /** The output projection is the embedding table. */
  tieWordEmbeddings: boolean;
  /** Prefix of the names of all weights but the output projection: 'transformer.', or '' for the first checkpoints. */
  prefix: string;
}

/** GPT-2 as a language model. */
export function gpt2(config: Gpt2Config): Decoder {
  return {
    vocabSize: config.vocabSize,
    decoderLayers: config.nLayer,
    decoderHeads: config.nHead,
    headSize: config.nEmbd / config.nHead,
    maxTarget: config.nPositions,
    decode: (p, inputs) => decodeGpt2(p, config, inputs),
    output: (p) => gpt2Output(p, config),
    logits: (p, hidden, output) => gpt2Logits(p, config, hidden, output),
  };
}

function initializerOf(config: Gpt2Config): Initializer {
  return { kind: 'normal', standardDeviation: config.initializerRange };
}

function tokenTable(p: Parameters, config: Gpt2Config): tf.Tensor {
  return p.get(`${config.prefix}wte.weight`, [config.vocabSize, config.nEmbd], initializerOf(config));
}

/**
 * The hidden states, normalized before each sub-layer and at the end.
 * @returns hidden states [rows, length, nEmbd], and what the self-attention mode keeps
 */
export function decodeGpt2(
  p: Parameters,
  config: Gpt2Config,
  { inputIds, positions, self, dropout: source }: OwnInputs,
): { hidden: tf.Tensor; caches: KeysAndValues[] } {
  const { nEmbd, nPositions, prefix, residPdrop } = config;
  const initializer = initializerOf(config);
  const shape = { heads: config.nHead, dropout: { rate: config.attnPdrop, source } };
  const normal = (at: Parameters, input: tf.Tensor) => norm(at, input, config.layerNormEpsilon);
  const caches: KeysAndValues[] = [];
  const tokens = tf.gather(tokenTable(p, config), inputIds as tf.Tensor1D);
  const table = p.get(`${prefix}wpe.weight`, [nPositions, nEmbd], initializer);
  const places = tf.gather(table, positions as tf.Tensor1D);
  let x = dropout(tf.add(tokens, places), config.embdPdrop, source);
  for (let layer = 0; layer < config.nLayer; layer++) {
    const at = p.scope(`${prefix}h.${layer}`);
    const all = denseByInput(at.scope('attn.c_attn'), normal(at.scope('ln_1'), x), 3 * nEmbd, initializer);
    const own = selfAttentionOf(threeParts(all), shape, self, layer);
    if (own.cache) caches.push(own.cache);
    const attended = denseByInput(at.scope('attn.c_proj'), own.context, nEmbd, initializer);
    x = tf.add(x, dropout(attended, residPdrop, source));

    const wide = denseByInput(at.scope('mlp.c_fc'), normal(at.scope('ln_2'), x), config.nInner, initializer);
    const inner = activations[config.activationFunction](wide);
    const forward = denseByInput(at.scope('mlp.c_proj'), inner, nEmbd, initializer);
    x = tf.add(x, dropout(forward, residPdrop, source));
  }
  return { hidden: normal(p.scope(`${prefix}ln_f`), x), caches };
}

/** Query, key and value of one projection. */
function threeParts(x: tf.Tensor) {
  const size = x.shape[x.rank - 1]! / 3;
  const leading = x.shape.slice(0, -1);
  const part = (index: number) => tf.slice(x, [...leading.map(() => 0), index * size], [...leading, size]);
  return { query: part(0), key: part(1), value: part(2) };
}

function gpt2Output(p: Parameters, config: Gpt2Config): OutputProjection {
  if (config.tieWordEmbeddings && !p.has('lm_head.weight')) return { matrix: tokenTable(p, config) };
  return { matrix: p.get('lm_head.weight', [config.vocabSize, config.nEmbd], initializerOf(config)) };
}

/**
 * Logits over the vocabulary.
 * @param hidden [..., nEmbd]
 * @param output rows of the projection; default all
 */
export function gpt2Logits(
  p: Parameters,
  config: Gpt2Config,
  hidden: tf.Tensor,
  output = gpt2Output(p, config),
): tf.Tensor {
  return linear(hidden, output.matrix, output.bias);
}
