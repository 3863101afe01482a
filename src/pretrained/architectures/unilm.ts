import { prefixLm } from '../../decoder/prefixLm.js';
import { bertStack } from '../../decoder/prefixStacks.js';
import { readConfig, unilmConfigSchema } from '../config.js';
import { readBertConfig, repeatedInHead } from './bert.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';
import { definePrefixLm, readPrefixLm, stackLayout } from './prefixLm.js';

/** UniLM (Dong et al. 2019): BERT that also writes, by a [MASK] behind the text. Checkpoints of unilm v1 and s2s-ft. */
export const unilm: Architecture = {
  modelType: 'unilm',
  repeated: (raw) => repeatedInHead(raw, 'cls.predictions', ''),
  define: (raw, _weights, path, ids) => {
    const own = readConfig(unilmConfigSchema, raw, path);
    const config = readBertConfig(own, path, true);
    // Six segments are those of unilm v1, which tells its objectives by them.
    const [source, target] = config.typeVocabSize >= 6 ? [4, 5] : [0, config.typeVocabSize > 1 ? 1 : 0];
    const defaults = {
      nextToken: 'mask',
      sourceTypeId: own.source_type_id ?? source,
      targetTypeId: own.target_type_id ?? target,
    } as const;
    const prefix = readPrefixLm(raw, config, defaults, ids, path, true)!;
    const stack = bertStack(config);
    const layout = stackLayout('bert', config);
    const { forward } = defineEncoderDecoder(prefixLm(stack, prefix), layout);
    return definePrefixLm(raw, stack, prefix, ids, { forward, layout, typeVocabSize: config.typeVocabSize });
  },
};
