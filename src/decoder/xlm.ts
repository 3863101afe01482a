import * as tf from '@tensorflow/tfjs-core';
import {
  type XlmConfig,
  xlmAttentionShape,
  xlmEmbeddings,
  xlmLanguageTable,
  xlmLayers,
  xlmOutput,
} from '../encoder/xlm.js';
import { splitHeads } from '../engine/ops/attention.js';
import type { DropoutSource } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import { type Parameters, sharedParameters } from '../engine/parameters.js';
import { type KeysAndValues, keysAndValues } from '../nn/attention.js';
import type { DecoderInputs, EncoderDecoder } from './encoderDecoder.js';

/** Two stacks of XLM that translate between any of their languages (Conneau and Lample 2019, section 4.2). */
export interface XlmTranslatorConfig extends XlmConfig {
  /** Layers of the decoder; `nLayers` are the encoder's. */
  decoderLayers: number;
  /** Whether both stacks share the tables (tokens, positions, languages), under the encoder's names. */
  shareEmbeddings: boolean;
  /** Id of the first language's token; the others follow it, `nLangs` in all. */
  firstLanguageId: number;
}

/** The tokens before a source: those of the target's and of the source's language. */
export const languageColumns = 2;

/**
 * An encoder and a decoder of XLM's layers, the second with cross-attention (`encoder_attn.N`, `layer_norm15.N`: the paper's own
 * names). Sources begin with two language tokens, the target's first. The memory keeps the positions of both: the first holds
 * the embedding of the target's language, as layer 0's value, which `decode` adds to its embeddings. So
 * a sentence's memory includes its language. Attention masks both positions.
 */
export function xlmTranslator(config: XlmTranslatorConfig): EncoderDecoder {
  const ofDecoder = { ...config, nLayers: config.decoderLayers };
  const decoderOf = (p: Parameters) => decoderScope(p, config);
  return {
    vocabSize: config.vocabSize,
    sourceVocabSize: config.vocabSize,
    decoderLayers: config.decoderLayers,
    decoderHeads: config.nHeads,
    headSize: config.embDim / config.nHeads,
    maxSource: config.maxPositionEmbeddings + languageColumns,
    maxTarget: config.maxPositionEmbeddings,
    encode: (p, inputIds, attentionMask, dropout) => encode(p, config, inputIds, attentionMask, dropout),
    readMemory: (p, memory) => readMemory(decoderOf(p), ofDecoder, memory),
    decode: (p, inputs) => decode(decoderOf(p), ofDecoder, inputs),
    output: (p) => xlmOutput(p.scope('decoder'), decoderOf(p), ofDecoder),
    logits: (p, hidden, output = xlmOutput(p.scope('decoder'), decoderOf(p), ofDecoder)) =>
      linear(hidden, output.matrix, output.bias),
  };
}

/** The embedding tables of a stack of XLM. */
export const xlmTables = ['embeddings.', 'position_embeddings.', 'lang_embeddings.'] as const;

/** The decoder's weights; the tables may be the encoder's. */
function decoderScope(p: Parameters, { shareEmbeddings }: XlmTranslatorConfig): Parameters {
  const own = p.scope('decoder');
  if (!shareEmbeddings) return own;
  const encoder = p.scope('encoder');
  return sharedParameters(own, (name) =>
    xlmTables.some((table) => name.startsWith(table)) ? [encoder, name] : undefined,
  );
}

/** [batch, 2 + length, embDim]: the target language's embedding, zeros, and the hidden states of the text. */
function encode(
  p: Parameters,
  config: XlmTranslatorConfig,
  inputIds: tf.Tensor,
  attentionMask: tf.Tensor,
  dropout?: DropoutSource,
): tf.Tensor {
  const own = p.scope('encoder');
  const embedded = xlmEmbeddings(own, config, {
    inputIds: withoutLanguages(inputIds),
    languages: languageIn(inputIds, 1, config),
    dropout,
  });
  const { hidden } = xlmLayers(own, config, embedded, {
    self: { kind: 'sequence', visibility: { keyMask: withoutLanguages(attentionMask) } },
    dropout,
  });
  const table = xlmLanguageTable(decoderScope(p, config), config);
  const target = tf.gather(table, languageIn(inputIds, 0, config) as tf.Tensor1D);
  return tf.concat([target, tf.zerosLike(target), hidden], 1);
}

/** Languages in a column of the source. int32 [batch, 1], 0 to nLangs - 1 */
function languageIn(inputIds: tf.Tensor, column: number, { firstLanguageId }: XlmTranslatorConfig) {
  const ids = tf.slice(inputIds, [0, column], [inputIds.shape[0]!, 1]);
  return tf.sub(ids, tf.scalar(firstLanguageId, 'int32'));
}

/** @param ids [batch, 2 + length] @returns [batch, length] */
function withoutLanguages(ids: tf.Tensor): tf.Tensor {
  const [batch, length] = ids.shape as [number, number];
  return tf.slice(ids, [0, languageColumns], [batch, length - languageColumns]);
}

function readMemory(p: Parameters, config: XlmConfig, memory: tf.Tensor): KeysAndValues[] {
  const shape = xlmAttentionShape(config);
  const [batch, source, features] = memory.shape as [number, number, number];
  return Array.from({ length: config.nLayers }, (_, layer) => {
    const { key, value } = keysAndValues(p.scope(`encoder_attn.${layer}`), memory, shape);
    if (layer > 0) return { key, value };
    const language = splitHeads(tf.slice(memory, [0, 0, 0], [batch, 1, features]), config.nHeads);
    const [, heads, , size] = value.shape as number[];
    const rest = tf.slice(value, [0, 0, 1, 0], [batch, heads, source - 1, size]);
    return { key, value: tf.concat([language, rest], 2) };
  });
}

function decode(p: Parameters, config: XlmConfig, inputs: DecoderInputs) {
  const { inputIds, memory, memoryMask, self, observe, dropout } = inputs;
  const embedded = xlmEmbeddings(p, config, {
    ...(memory ? perSentence(inputs, memory[0], config) : inputs),
    dropout,
  });
  // One token of each row has no axis of its own.
  const x = inputIds.rank === 1 ? tf.reshape(embedded, [inputIds.shape[0]!, config.embDim]) : embedded;
  return xlmLayers(p, config, x, {
    self,
    memory,
    memoryMask: memoryMask && hideLanguages(memoryMask),
    observe,
    dropout,
  });
}

/** Tokens by sentence, with the beams of a step as columns, and the language of each sentence. */
function perSentence(
  { inputIds, positions }: DecoderInputs,
  { value }: KeysAndValues,
  { embDim }: XlmConfig,
): { inputIds: tf.Tensor; positions: tf.Tensor; languageStates: tf.Tensor } {
  const [batch, heads, , size] = value.shape as number[];
  const languageStates = tf.reshape(tf.slice(value, [0, 0, 0, 0], [batch, heads, 1, size]), [
    batch,
    1,
    embDim,
  ]);
  if (inputIds.rank === 2) return { inputIds, positions, languageStates };
  const [rows] = inputIds.shape;
  const columns = (ids: tf.Tensor) => tf.reshape(ids, [batch, rows / batch]);
  const own = positions.shape[0] === rows ? columns(positions) : positions;
  return { inputIds: columns(inputIds), positions: own, languageStates };
}

/** @param mask int32 [batch, source] @returns the same, 0 in the columns of languages */
function hideLanguages(mask: tf.Tensor): tf.Tensor {
  const hidden = tf.zerosLike(tf.slice(mask, [0, 0], [mask.shape[0]!, languageColumns]));
  return tf.concat([hidden, withoutLanguages(mask)], 1);
}
