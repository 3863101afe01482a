import type * as tf from '@tensorflow/tfjs-core';
import {
  type BertConfig,
  bertAttentionShape,
  bertEmbeddings,
  bertInitializer,
  bertLayers,
  encodeBert,
  wordTable,
} from '../encoder/bert.js';
import { linear } from '../engine/ops/linear.js';
import { type Parameters, sharedParameters } from '../engine/parameters.js';
import { activations } from '../nn/activation.js';
import { type KeysAndValues, keysAndValues } from '../nn/attention.js';
import { dense } from '../nn/dense.js';
import { norm } from '../nn/norm.js';
import type { DecoderInputs, EncoderDecoder, OutputProjection, OwnInputs } from './encoderDecoder.js';

/**
 * How a BERT decoder turns hidden states into logits: BERT's masked-LM head (transform, then tied projection), or
 * BertGeneration's plain projection.
 */
export type BertHead = 'cls' | 'lm_head';

/** BERT with causal self-attention and cross-attention (Rothe et al. 2020, "BERT2BERT"). */
export interface BertDecoderConfig extends BertConfig {
  head: BertHead;
  /** The output projection is the word embedding table. */
  tieWordEmbeddings: boolean;
}

/** Scopes of the parts of an `encoder-decoder` checkpoint. */
export interface BertPairNames {
  /** Scope of the encoder's `embeddings` and `encoder`. */
  encoder: string;
  /** Scope of the decoder's head and `bert`. */
  decoder: string;
}

const pairNames: BertPairNames = { encoder: 'encoder', decoder: 'decoder' };

/**
 * An encoder and a decoder of BERT's family as one model.
 * @param shared if both sides share all weights but cross-attention and head ("BERTSHARE"): the side whose names they have
 */
export function bertEncoderDecoder(
  encoder: BertConfig,
  decoder: BertDecoderConfig,
  shared?: keyof BertPairNames,
): EncoderDecoder {
  const ofDecoder = (p: Parameters) => decoderScope(p, shared === 'encoder');
  return {
    vocabSize: decoder.vocabSize,
    sourceVocabSize: encoder.vocabSize,
    decoderLayers: decoder.numHiddenLayers,
    decoderHeads: decoder.numAttentionHeads,
    headSize: decoder.hiddenSize / decoder.numAttentionHeads,
    maxSource: encoder.maxPositionEmbeddings,
    maxTarget: decoder.maxPositionEmbeddings,
    encode: (p, inputIds, attentionMask, dropout) => {
      const own = p.scope(shared === 'decoder' ? `${pairNames.decoder}.bert` : pairNames.encoder);
      const hidden = encodeBert(own, encoder, inputIds, attentionMask, { dropout });
      if (encoder.hiddenSize === decoder.hiddenSize) return hidden;
      // If the sizes differ, transformers learns a projection between the two.
      return dense(p.scope('enc_to_dec_proj'), hidden, decoder.hiddenSize, {
        initializer: bertInitializer(decoder),
      });
    },
    readMemory: (p, memory) => readMemory(ofDecoder(p).scope('bert.encoder'), decoder, memory),
    decode: (p, inputs) => decodeBert(ofDecoder(p).scope('bert'), decoder, inputs),
    output: (p) => bertOutput(ofDecoder(p), decoder),
    logits: (p, hidden, output) => bertLogits(ofDecoder(p), decoder, hidden, output),
  };
}

/** The decoder's weights; some may be the encoder's. */
function decoderScope(p: Parameters, share: boolean): Parameters {
  const own = p.scope(pairNames.decoder);
  if (!share) return own;
  const encoder = p.scope(pairNames.encoder);
  const base = 'bert.';
  return sharedParameters(own, (name) =>
    name.startsWith(base) && !name.includes('.crossattention.') && !own.has(name)
      ? [encoder, name.slice(base.length)]
      : undefined,
  );
}

function readMemory(p: Parameters, config: BertConfig, memory: tf.Tensor): KeysAndValues[] {
  const shape = bertAttentionShape(config);
  return Array.from({ length: config.numHiddenLayers }, (_, layer) =>
    keysAndValues(p.scope(`layer.${layer}.crossattention.self`), memory, shape),
  );
}

/**
 * The decoder's hidden states.
 * @param p scope that holds `embeddings` and `encoder`
 * @param inputs without `memory`, a plain left-to-right language model
 */
export function decodeBert(
  p: Parameters,
  config: BertConfig,
  inputs: OwnInputs & Partial<DecoderInputs>,
): { hidden: tf.Tensor; caches: KeysAndValues[] } {
  const embedded = bertEmbeddings(
    p.scope('embeddings'),
    config,
    inputs.inputIds,
    inputs.positions,
    undefined,
    inputs.dropout,
  );
  return bertLayers(p.scope('encoder'), config, embedded, inputs);
}

/** The output projection. @param p scope that holds the head and `bert` */
export function bertOutput(p: Parameters, config: BertDecoderConfig): OutputProjection {
  const size = [config.vocabSize, config.hiddenSize];
  const at = p.scope(config.head === 'lm_head' ? 'lm_head' : 'cls.predictions');
  const tied = config.tieWordEmbeddings && !at.has('decoder.weight');
  const matrix = tied
    ? wordTable(p.scope('bert.embeddings'), config)
    : at.get('decoder.weight', size, bertInitializer(config));
  // The projection's own bias, which is tied to the head's.
  const bias = at.has('decoder.bias') ? 'decoder.bias' : 'bias';
  return { matrix, bias: at.get(bias, [config.vocabSize], { kind: 'zeros' }) };
}

/**
 * Logits over the vocabulary.
 * @param p scope that holds the head and `bert`
 * @param hidden [..., hiddenSize]
 * @param output rows of the projection; default all
 */
export function bertLogits(
  p: Parameters,
  config: BertDecoderConfig,
  hidden: tf.Tensor,
  output?: OutputProjection,
): tf.Tensor {
  const transformed = config.head === 'cls' ? transform(p, config, hidden) : hidden;
  const { matrix, bias } = output ?? bertOutput(p, config);
  return linear(transformed, matrix, bias);
}

/** The transform of BERT's masked-LM head before the projection. */
function transform(p: Parameters, config: BertDecoderConfig, hidden: tf.Tensor): tf.Tensor {
  const at = p.scope('cls.predictions.transform');
  const initializer = bertInitializer(config);
  const inner = activations[config.hiddenAct](
    dense(at.scope('dense'), hidden, config.hiddenSize, { initializer }),
  );
  return norm(at.scope('LayerNorm'), inner, config.layerNormEps);
}
