import type * as tf from '@tensorflow/tfjs-core';
import type { DropoutSource } from '../engine/ops/dropout.js';
import type { Parameters } from '../engine/parameters.js';
import type { AttentionObserver, DecodingMode, KeysAndValues } from '../nn/attention.js';

/** What a decoder that reads nothing but its own text is given. */
export interface OwnInputs {
  /** int32 [rows, length]; [rows] for one token of each row over a cache, where hidden states have no length either. */
  inputIds: tf.Tensor;
  /**
   * int32 [length], positions of the columns of `inputIds`; [rows] where there is one token a row, each at its own;
   * [rows, length] where each row of a sequence has its own.
   */
  positions: tf.Tensor;
  self: DecodingMode;
  dropout?: DropoutSource;
}

/** What the decoder of an encoder-decoder is given. */
export interface DecoderInputs extends OwnInputs {
  /** The source as each layer's cross-attention reads it; without it there is none, and the decoder is a language model. */
  memory?: readonly KeysAndValues[];
  /** int32 [batch, source]; goes with `memory`. */
  memoryMask?: tf.Tensor;
  /** Where cross-attention's weights are wanted; called once for each layer. */
  observe?: AttentionObserver;
}

/**
 * A decoder as the decoding core sees it: functions of weights and tensors, and the sizes they need. By itself it is a
 * left-to-right language model; where it reads a source too it is an `EncoderDecoder`. An architecture provides one of
 * these; nothing else asks which it is.
 */
export interface Decoder {
  vocabSize: number;
  decoderLayers: number;
  decoderHeads: number;
  /** Features of one decoder head. */
  headSize: number;
  /** Positions the decoder can address. */
  maxTarget: number;
  /** Hidden states [rows, length, features], or [rows, features] as above, and what the self-attention mode keeps. */
  decode(p: Parameters, inputs: OwnInputs): { hidden: tf.Tensor; caches: KeysAndValues[] };
  /** Rows of the output projection, one for each token. */
  output(p: Parameters): OutputProjection;
  /**
   * [..., features] -> [..., vocabSize]
   * @param output some rows of the projection, for the logits of their tokens; default all
   */
  logits(p: Parameters, hidden: tf.Tensor, output?: OutputProjection): tf.Tensor;
}

/** The last product of a decoder. */
export interface OutputProjection {
  /** [tokens, features] */
  matrix: tf.Tensor;
  /** [tokens] */
  bias?: tf.Tensor;
}

/** A decoder that reads a source, as the decoding core, the trainer and the checkpoint loader see it. */
export interface EncoderDecoder extends Decoder {
  /** Ids the encoder knows. */
  sourceVocabSize: number;
  /** Positions the encoder can address. */
  maxSource: number;
  /** int32 [batch, source] twice -> memory [batch, source, features], or what else `readMemory` reads */
  encode(p: Parameters, inputIds: tf.Tensor, attentionMask: tf.Tensor, dropout?: DropoutSource): tf.Tensor;
  /** Keys and values of every decoder layer's cross-attention. */
  readMemory(p: Parameters, memory: tf.Tensor): KeysAndValues[];
  decode(p: Parameters, inputs: DecoderInputs): { hidden: tf.Tensor; caches: KeysAndValues[] };
}

/** Whether a decoder reads a source beside its own text. */
export function readsSource(model: Decoder): model is EncoderDecoder {
  return 'encode' in model;
}
