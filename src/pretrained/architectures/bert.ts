import { bertStack } from '../../decoder/prefixStacks.js';
import type { BertConfig } from '../../encoder/bert.js';
import { encodeBert, poolBert } from '../../encoder/bert.js';
import type { Tensors } from '../../engine/program.js';
import type { WeightStore } from '../../engine/weights.js';
import { bertConfigSchema, type RawConfig, readConfig } from '../config.js';
import { type Architecture, type ForwardDefinition, sourceSignature } from './definition.js';
import { definePrefixLm, readPrefixLm, similarityDefaults, stackLayout } from './prefixLm.js';

/** BERT's sizes from a config.json. `segments` false leaves out segment embeddings, as BertGeneration does. */
export function readBertConfig(raw: RawConfig, path: string, segments: boolean): BertConfig {
  const config = readConfig(bertConfigSchema, raw, path);
  return {
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    numHiddenLayers: config.num_hidden_layers,
    numAttentionHeads: config.num_attention_heads,
    intermediateSize: config.intermediate_size,
    maxPositionEmbeddings: config.max_position_embeddings,
    typeVocabSize: segments ? config.type_vocab_size : 0,
    hiddenAct: config.hidden_act,
    poolerActivation: config.pooler_activation,
    layerNormEps: config.layer_norm_eps,
    hiddenDropoutProb: config.hidden_dropout_prob,
    attentionProbsDropoutProb: config.attention_probs_dropout_prob,
    initializerRange: config.initializer_range,
  };
}

/** Whether a stack alone reads from left to right, as transformers' stacks with `is_decoder` do. */
export function isDecoder(raw: RawConfig, path: string): boolean {
  return readConfig(bertConfigSchema, raw, path).is_decoder;
}

/** Checkpoints of models with a head hold the encoder under `bert.`, plain ones at the top. */
export function bertScope(weights: Pick<WeightStore, 'get'>): string | undefined {
  return weights.get('bert.embeddings.word_embeddings.weight') ? 'bert' : undefined;
}

/** The weights of a BERT decoder's head that repeat its word embeddings and its bias. */
export function repeatedInHead(
  raw: RawConfig,
  head: 'lm_head' | 'cls.predictions',
  prefix: string,
): Record<string, string> {
  if (raw.tie_word_embeddings === false) return {};
  return {
    [`${prefix}${head}.decoder.weight`]: `${prefix}bert.embeddings.word_embeddings.weight`,
    [`${prefix}${head}.decoder.bias`]: `${prefix}${head}.bias`,
  };
}

/** BERT's encoder, with the pooler where the checkpoint has one; where config.json says so it writes, too (SimBERT). */
export const bert: Architecture = {
  modelType: 'bert',
  repeated: (raw) => repeatedInHead(raw, 'cls.predictions', ''),
  define: (raw, weights, path, ids) => {
    const config = readBertConfig(raw, path, true);
    const { typeVocabSize } = config;
    const forward = encoderForward(config, bertScope(weights), isDecoder(raw, path));
    const prefix = readPrefixLm(raw, config, similarityDefaults(config), ids, path);
    if (prefix) {
      const layout = stackLayout('bert', config);
      return definePrefixLm(raw, bertStack(config), prefix, ids, { forward, typeVocabSize, layout });
    }
    return {
      maxSource: config.maxPositionEmbeddings,
      idCounts: { inputIds: config.vocabSize, tokenTypeIds: typeVocabSize },
      forward,
    };
  },
};

function encoderForward(config: BertConfig, scope: string | undefined, causal: boolean): ForwardDefinition {
  return {
    signature: { ...sourceSignature, tokenTypeIds: sourceSignature.inputIds },
    run: (p, { inputIds, attentionMask, tokenTypeIds }): Tensors => {
      const at = scope ? p.scope(scope) : p;
      const hidden = encodeBert(at, config, inputIds, attentionMask, { tokenTypeIds, causal });
      if (!at.has('pooler.dense.weight')) return { lastHiddenState: hidden };
      return { lastHiddenState: hidden, poolerOutput: poolBert(at, config, hidden) };
    },
  };
}
