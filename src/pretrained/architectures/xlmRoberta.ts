import { poolBert } from '../../encoder/bert.js';
import { encodeXlmRoberta, type XlmRobertaConfig, xlmRobertaLogits } from '../../encoder/xlmRoberta.js';
import type { Tensors } from '../../engine/program.js';
import type { WeightStore } from '../../engine/weights.js';
import { type RawConfig, readConfig, xlmRobertaConfigSchema } from '../config.js';
import { readBertConfig } from './bert.js';
import { type Architecture, type ForwardDefinition, sourceSignature } from './definition.js';

/** XLM-RoBERTa: an encoder, with its pooler and the head of its masked language model where the checkpoint has them. */
export const xlmRoberta: Architecture = {
  modelType: 'xlm-roberta',
  repeated: (raw): Record<string, string> =>
    raw.tie_word_embeddings === false
      ? {}
      : {
          'lm_head.decoder.weight': 'roberta.embeddings.word_embeddings.weight',
          'lm_head.decoder.bias': 'lm_head.bias',
        },
  define: (raw, weights, path) => {
    const config = readXlmRobertaConfig(raw, path);
    return {
      // The first positions stand for padding and for what fairseq leaves free.
      maxSource: config.maxPositionEmbeddings - config.padTokenId - 1,
      idCounts: { inputIds: config.vocabSize, tokenTypeIds: config.typeVocabSize },
      forward: encoderForward(config, weights),
    };
  },
};

/** XLM-RoBERTa's sizes from a config.json. */
export function readXlmRobertaConfig(raw: RawConfig, path: string): XlmRobertaConfig {
  const own = readConfig(xlmRobertaConfigSchema, raw, path);
  return {
    ...readBertConfig(raw, path, true),
    padTokenId: own.pad_token_id,
    tieWordEmbeddings: own.tie_word_embeddings,
  };
}

function encoderForward(config: XlmRobertaConfig, weights: Pick<WeightStore, 'get'>): ForwardDefinition {
  const inner = weights.get('roberta.embeddings.word_embeddings.weight') !== undefined;
  const hasHead = weights.get('lm_head.bias') !== undefined;
  return {
    signature: { ...sourceSignature, tokenTypeIds: sourceSignature.inputIds },
    run: (p, { inputIds, attentionMask, tokenTypeIds }): Tensors => {
      const at = inner ? p.scope('roberta') : p;
      const hidden = encodeXlmRoberta(at, config, inputIds, attentionMask, tokenTypeIds);
      return {
        lastHiddenState: hidden,
        ...(at.has('pooler.dense.weight') && { poolerOutput: poolBert(at, config, hidden) }),
        ...(hasHead && { logits: xlmRobertaLogits(p, at, config, hidden) }),
      };
    },
  };
}
