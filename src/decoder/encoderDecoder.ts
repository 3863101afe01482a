import type * as tf from '@tensorflow/tfjs';
import type { DropoutSource } from '../engine/ops/dropout.js';
import type { Parameters } from '../engine/parameters.js';
import type { KeysAndValues, SelfAttentionMode } from '../nn/attention.js';

/** What the decoder of any architecture is given. */
export interface DecoderInputs {
  /** int32 [rows, length] */
  inputIds: tf.Tensor;
  /** int32 [length], positions of the columns of `inputIds`. */
  positions: tf.Tensor;
  /** The source as each layer's cross-attention reads it. */
  memory: readonly KeysAndValues[];
  /** int32 [batch, source] */
  memoryMask: tf.Tensor;
  self: SelfAttentionMode;
  dropout?: DropoutSource;
}

/**
 * An encoder-decoder as the decoding core, the trainer and the checkpoint loader see it: functions of weights and
 * tensors, and the sizes they need. An architecture provides one of these; nothing else asks which it is.
 */
export interface EncoderDecoder {
  vocabSize: number;
  /** Ids the encoder knows. */
  sourceVocabSize: number;
  decoderLayers: number;
  decoderHeads: number;
  /** Features of one decoder head. */
  headSize: number;
  /** Positions the encoder can address. */
  maxSource: number;
  /** Positions the decoder can address. */
  maxTarget: number;
  /** int32 [batch, source] twice -> memory [batch, source, features] */
  encode(p: Parameters, inputIds: tf.Tensor, attentionMask: tf.Tensor, dropout?: DropoutSource): tf.Tensor;
  /** Keys and values of every decoder layer's cross-attention. */
  readMemory(p: Parameters, memory: tf.Tensor): KeysAndValues[];
  /** Hidden states [rows, length, features], and what the self-attention mode keeps. */
  decode(p: Parameters, inputs: DecoderInputs): { hidden: tf.Tensor; caches: KeysAndValues[] };
  /** [..., features] -> [..., vocabSize] */
  logits(p: Parameters, hidden: tf.Tensor): tf.Tensor;
}
