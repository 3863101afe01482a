import type * as tf from '@tensorflow/tfjs-core';
import type { DropoutSource } from '../engine/ops/dropout.js';
import type { Parameters } from '../engine/parameters.js';
import type { AttentionObserver, DecodingMode, KeysAndValues } from '../nn/attention.js';

/** Inputs of a decoder without cross-attention. */
export interface OwnInputs {
  /** int32 [rows, length]; [rows] for one token of each row with a cache; hidden states then have no length axis either. */
  inputIds: tf.Tensor;
  /**
   * int32 [length], positions of the columns of `inputIds`; [rows] for one token a row, each at its own position;
   * [rows, length] if each row of a sequence has its own.
   */
  positions: tf.Tensor;
  self: DecodingMode;
  dropout?: DropoutSource;
}

/** Inputs of the decoder of an encoder-decoder. */
export interface DecoderInputs extends OwnInputs {
  /** Keys and values of each layer's cross-attention; without them the decoder is a language model. */
  memory?: readonly KeysAndValues[];
  /** int32 [batch, source]; goes with `memory`. */
  memoryMask?: tf.Tensor;
  /** Receives cross-attention's weights; called once for each layer. */
  observe?: AttentionObserver;
}

/**
 * A decoder for the decoding core: functions of weights and tensors, and the sizes they need. Without an encoder it is a
 * left-to-right language model; with one it is an `EncoderDecoder`. An architecture provides one of
 * these; no other code depends on the architecture.
 */
export interface Decoder {
  vocabSize: number;
  decoderLayers: number;
  decoderHeads: number;
  /** Features of one decoder head. */
  headSize: number;
  /** Positions the decoder can address. */
  maxTarget: number;
  /**
   * Hidden states [rows, length, features], or [rows, features] as above, and the keys and values that the
   * self-attention mode keeps.
   */
  decode(p: Parameters, inputs: OwnInputs): { hidden: tf.Tensor; caches: KeysAndValues[] };
  /** Rows of the output projection, one for each token. */
  output(p: Parameters): OutputProjection;
  /**
   * [..., features] -> [..., vocabSize]
   * @param output some rows of the projection, for the logits of their tokens; default all
   */
  logits(p: Parameters, hidden: tf.Tensor, output?: OutputProjection): tf.Tensor;
}

/** The output projection of a decoder. */
export interface OutputProjection {
  /** [tokens, features] */
  matrix: tf.Tensor;
  /** [tokens] */
  bias?: tf.Tensor;
}

/** An encoder-decoder, for the decoding core, the trainer and the checkpoint loader. */
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

/** Whether a decoder also reads a source. */
export function readsSource(model: Decoder): model is EncoderDecoder {
  return 'encode' in model;
}
