import { roformerStack } from '../../decoder/prefixStacks.js';
import { poolBert } from '../../encoder/bert.js';
import { encodeRoformer, type RoformerConfig } from '../../encoder/roformer.js';
import type { Tensors } from '../../engine/program.js';
import type { WeightStore } from '../../engine/weights.js';
import { type RawConfig, readConfig, roformerConfigSchema } from '../config.js';
import { readBertConfig } from './bert.js';
import { type Architecture, type ForwardDefinition, sourceSignature } from './definition.js';
import { definePrefixLm, readPrefixLm, similarityDefaults, stackLayout } from './prefixLm.js';

/** RoFormer and RoFormerV2: an encoder, and where config.json says so a prefix language model (RoFormer-Sim). */
export const roformer: Architecture = {
  modelType: 'roformer',
  repeated: () => ({
    'cls.predictions.decoder.weight': 'roformer.embeddings.word_embeddings.weight',
    'cls.predictions.decoder.bias': 'cls.predictions.bias',
  }),
  define: (raw, weights, path, ids) => {
    const config = readRoformerConfig(raw, path);
    const forward = encoderForward(config, weights);
    const { typeVocabSize } = config;
    const prefix = readPrefixLm(raw, config, similarityDefaults(config), ids, path);
    if (prefix) {
      const layout = { ...stackLayout('roformer', config), constants: ['roformer.encoder.embed_positions.'] };
      return definePrefixLm(raw, roformerStack(config), prefix, ids, { forward, typeVocabSize, layout });
    }
    return {
      maxSource: config.maxPositionEmbeddings,
      idCounts: { inputIds: config.vocabSize, tokenTypeIds: typeVocabSize },
      forward,
    };
  },
};

/** RoFormer's sizes from a config.json. */
export function readRoformerConfig(raw: RawConfig, path: string): RoformerConfig {
  const own = readConfig(roformerConfigSchema, raw, path);
  return {
    ...readBertConfig({ ...raw, max_position_embeddings: own.max_position_embeddings }, path, true),
    embeddingSize: own.embedding_size ?? own.hidden_size,
    rotaryValue: own.rotary_value,
    useBias: own.use_bias,
    normType: own.norm_type,
  };
}

function encoderForward(config: RoformerConfig, weights: Pick<WeightStore, 'get'>): ForwardDefinition {
  const inner = weights.get('roformer.embeddings.word_embeddings.weight') !== undefined;
  return {
    signature: { ...sourceSignature, tokenTypeIds: sourceSignature.inputIds },
    run: (p, { inputIds, attentionMask, tokenTypeIds }): Tensors => {
      const at = inner ? p.scope('roformer') : p;
      const hidden = encodeRoformer(at, config, inputIds, attentionMask, { tokenTypeIds });
      if (!at.has('pooler.dense.weight')) return { lastHiddenState: hidden };
      return { lastHiddenState: hidden, poolerOutput: poolBert(at, config, hidden) };
    },
  };
}
