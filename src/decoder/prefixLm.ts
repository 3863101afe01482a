import * as tf from '@tensorflow/tfjs-core';
import type { DropoutSource } from '../engine/ops/dropout.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Parameters } from '../engine/parameters.js';
import type { DecodingMode, KeysAndValues, SelfAttentionMode } from '../nn/attention.js';
import { behindPrefix, halfOf } from '../nn/prefixAttention.js';
import type { DecoderInputs, EncoderDecoder, OutputProjection } from './encoderDecoder.js';

/**
 * How one stack of layers both encodes a source and generates a text (UniLM, Dong et al. 2019, section 2.3): attention
 * within the source is
 * bidirectional, and each token of the text attends to the source and to the text before it.
 */
export interface PrefixLmConfig {
  /**
   * Where the next token is predicted: at a [MASK] after the text (UniLM), or at the text's last token, as language models
   * do (SimBERT and RoFormer-Sim).
   */
  nextToken: 'mask' | 'last';
  /** Id of [MASK]; used only by `nextToken` 'mask'. */
  maskTokenId?: number;
  /** Segment of the source. */
  sourceTypeId: number;
  /** Segment of the text. */
  targetTypeId: number;
  /** Positions reserved for the text, of all that the stack has. */
  maxTarget: number;
}

/** A stack of layers for a prefix language model. */
export interface PrefixStack {
  vocabSize: number;
  layers: number;
  heads: number;
  headSize: number;
  /** Positions it can address. */
  maxPositions: number;
  /** Embeddings and layers. */
  run(p: Parameters, inputs: StackInputs): { hidden: tf.Tensor; caches: KeysAndValues[] };
  /** Rows of the output projection. */
  output(p: Parameters): OutputProjection;
  /** [..., features] -> [..., vocabSize] */
  logits(p: Parameters, hidden: tf.Tensor, output?: OutputProjection): tf.Tensor;
}

/** A stack of a prefix language model, for training. */
export interface PrefixParts {
  stack: PrefixStack;
  config: PrefixLmConfig;
  /** Number of segments. */
  typeVocabSize: number;
}

/** Inputs of a stack. */
export interface StackInputs {
  /** int32 [rows, length] */
  inputIds: tf.Tensor;
  /** int32 [rows, length]; default 0, 1, ... */
  positions?: tf.Tensor;
  /** int32 [rows, length] */
  tokenTypeIds: tf.Tensor;
  self: SelfAttentionMode;
  dropout?: DropoutSource;
}

/**
 * A prefix language model for search and scoring. Its decoder start token represents the source's last token ([SEP]): the
 * first generated token follows it. Keys and values of the source are the memory, computed once a sentence; those of the text
 * are the cache, which never holds a [MASK].
 */
export function prefixLm(stack: PrefixStack, config: PrefixLmConfig): EncoderDecoder {
  const { layers } = stack;
  return {
    vocabSize: stack.vocabSize,
    sourceVocabSize: stack.vocabSize,
    decoderLayers: layers,
    decoderHeads: stack.heads,
    headSize: stack.headSize,
    maxSource: stack.maxPositions - config.maxTarget,
    maxTarget: config.maxTarget,
    encode: (p, inputIds, keyMask, dropout) => {
      const tokenTypeIds = filledLike(inputIds, config.sourceTypeId);
      const self = { kind: 'sequence', visibility: { keyMask }, keep: true } as const;
      const { caches } = stack.run(p, { inputIds, tokenTypeIds, self, dropout });
      return tf.concat(
        caches.flatMap(({ key, value }) => [key, value]),
        1,
      );
    },
    readMemory: (_p, memory) => apart(memory, layers),
    decode: (p, inputs) => decode(p, stack, config, inputs),
    output: (p) => stack.output(p),
    logits: (p, hidden, output) => stack.logits(p, hidden, output),
  };
}

/** Keys and values of all layers, which `encode` concatenated along the heads. */
function apart(memory: tf.Tensor, layers: number): KeysAndValues[] {
  const [batch, all, source, size] = memory.shape as [number, number, number, number];
  const heads = all / layers / 2;
  const part = (index: number) => tf.slice(memory, [0, index * heads, 0, 0], [batch, heads, source, size]);
  return Array.from({ length: layers }, (_, layer) => ({ key: part(2 * layer), value: part(2 * layer + 1) }));
}

/** Hidden states at which the next tokens are predicted. */
function decode(
  p: Parameters,
  stack: PrefixStack,
  config: PrefixLmConfig,
  { inputIds: given, positions, self, dropout, memory, memoryMask, observe }: DecoderInputs,
): { hidden: tf.Tensor; caches: KeysAndValues[] } {
  const inputIds = given.rank === 1 ? tf.expandDims(given, 1) : given;
  if (!memory || !memoryMask)
    throw new Error('a prefix language model writes behind a source, and none was given');
  const texts = textPlaces(inputIds, positions, self, sourceLengths(memoryMask));
  const start = tf.cast(tf.less(texts.own, tf.scalar(1, 'int32')), 'int32');
  const kinds = mixed(start, config.sourceTypeId, config.targetTypeId);
  const probed = config.nextToken === 'mask';
  const mode = { self: behindPrefix(self, { memory, memoryMask, probed, observe }), dropout };
  const { hidden, caches } = probed
    ? stack.run(p, {
        inputIds: tf.concat([inputIds, filledLike(inputIds, config.maskTokenId!)], 1),
        positions: tf.concat([texts.places, tf.add(texts.places, tf.scalar(1, 'int32'))], 1),
        tokenTypeIds: tf.concat([kinds, filledLike(inputIds, config.targetTypeId)], 1),
        ...mode,
      })
    : stack.run(p, { inputIds, positions: texts.places, tokenTypeIds: kinds, ...mode });
  const chosen = probed ? halfOf(hidden, 1) : hidden;
  return { hidden: given.rank === 1 ? tf.squeeze(chosen, [1]) : chosen, caches };
}

/**
 * Positions of the text's tokens: within the text, and after their own source. int32 [rows, length] each
 * @param lengths int32 [batch], of the sources
 */
function textPlaces(inputIds: tf.Tensor, positions: tf.Tensor, self: DecodingMode, lengths: tf.Tensor) {
  const [rows, length] = inputIds.shape as [number, number];
  const batch = lengths.shape[0]!;
  const zeros = tf.mul(inputIds, tf.scalar(0, 'int32'));
  // A step has one position for all rows or one for each row; otherwise there is one for each column or each token.
  const given = positions.rank === 2 ? positions : tf.expandDims(positions, self.kind === 'cached' ? 1 : 0);
  const own = tf.add(zeros, given);
  const ends = tf.reshape(tf.sub(lengths, tf.scalar(1, 'int32')), [batch, 1]);
  const places = tf.reshape(tf.add(tf.reshape(own, [batch, (rows / batch) * length]), ends), [rows, length]);
  return { own, places };
}

/** One more than the last position that may be read. @param mask int32 [batch, source] @returns int32 [batch] */
function sourceLengths(mask: tf.Tensor): tf.Tensor {
  const behind = tf.add(rangeTo(mask.shape[1]!), tf.scalar(1, 'int32'));
  return tf.max(tf.mul(mask, tf.expandDims(behind, 0)), 1);
}

/** `one` where the flag is 1, `other` where it is 0. */
function mixed(flag: tf.Tensor, one: number, other: number): tf.Tensor {
  return tf.add(tf.mul(flag, tf.scalar(one - other, 'int32')), tf.scalar(other, 'int32'));
}

/** int32 as `x`, all of one value. */
function filledLike(x: tf.Tensor, value: number): tf.Tensor {
  return tf.add(tf.mul(x, tf.scalar(0, 'int32')), tf.scalar(value, 'int32'));
}
