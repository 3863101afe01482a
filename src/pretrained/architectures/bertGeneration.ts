import { bertLogits, decodeBert } from '../../decoder/bertGeneration.js';
import { encodeBert } from '../../encoder/bert.js';
import { rangeTo } from '../../engine/ops/sizes.js';
import type { Tensors } from '../../engine/program.js';
import { bertConfigSchema, readConfig } from '../config.js';
import { bertScope, readBertConfig, repeatedInHead } from './bert.js';
import { type Architecture, sourceSignature } from './definition.js';

/**
 * BertGeneration (Rothe et al. 2020): BERT without segments. Alone it is an encoder, or with `lm_head` a left-to-right
 * language model; two of them make an `encoder-decoder`.
 */
export const bertGeneration: Architecture = {
  modelType: 'bert-generation',
  repeated: (raw) => repeatedInHead(raw, 'lm_head', ''),
  define: (raw, weights, path) => {
    const config = readBertConfig(raw, path, false);
    const { tie_word_embeddings: tieWordEmbeddings } = readConfig(bertConfigSchema, raw, path);
    const isDecoder = weights.get('lm_head.bias') !== undefined;
    const scope = bertScope(weights);
    return {
      maxSource: config.maxPositionEmbeddings,
      idCounts: { inputIds: config.vocabSize },
      forward: {
        signature: sourceSignature,
        run: (p, { inputIds, attentionMask }): Tensors => {
          const at = scope ? p.scope(scope) : p;
          if (!isDecoder) return { lastHiddenState: encodeBert(at, config, inputIds, attentionMask) };
          const { hidden } = decodeBert(at, config, {
            inputIds,
            positions: rangeTo(inputIds.shape[1]!),
            self: { kind: 'sequence', visibility: { causal: true, keyMask: attentionMask } },
          });
          return { logits: bertLogits(p, { ...config, head: 'lm_head', tieWordEmbeddings }, hidden) };
        },
      },
    };
  },
};
