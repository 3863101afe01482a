import { bertLogits, bertOutput, decodeBert } from '../../decoder/bertGeneration.js';
import { encodeBert } from '../../encoder/bert.js';
import type { Parameters } from '../../engine/parameters.js';
import { bertConfigSchema, readConfig } from '../config.js';
import { bertScope, isDecoder, readBertConfig, repeatedInHead } from './bert.js';
import { defineDecoder } from './decoderForward.js';
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
    const hasHead = weights.get('lm_head.bias') !== undefined;
    const causal = isDecoder(raw, path);
    const scope = bertScope(weights);
    const scoped = (p: Parameters) => (scope ? p.scope(scope) : p);
    if (hasHead) {
      const head = { ...config, head: 'lm_head' as const, tieWordEmbeddings };
      return defineDecoder({
        vocabSize: config.vocabSize,
        decoderLayers: config.numHiddenLayers,
        decoderHeads: config.numAttentionHeads,
        headSize: config.hiddenSize / config.numAttentionHeads,
        maxTarget: config.maxPositionEmbeddings,
        decode: (p, inputs) => decodeBert(scoped(p), config, inputs),
        output: (p) => bertOutput(p, head),
        logits: (p, hidden, output) => bertLogits(p, head, hidden, output),
      });
    }
    return {
      maxSource: config.maxPositionEmbeddings,
      idCounts: { inputIds: config.vocabSize },
      forward: {
        signature: sourceSignature,
        run: (p, { inputIds, attentionMask }) => ({
          lastHiddenState: encodeBert(scoped(p), config, inputIds, attentionMask, { causal }),
        }),
      },
    };
  },
};
