import type { PrefixLmConfig, PrefixParts } from '../../../src/decoder/prefixLm.js';
import { bertStack, roformerStack } from '../../../src/decoder/prefixStacks.js';
import type { BertConfig } from '../../../src/encoder/bert.js';
import type { VocabularyFacts } from '../../../src/pretraining/vocabularyFacts.js';
import { tiny, tinyFacts } from './tinyModel.js';

const bert: BertConfig = {
  vocabSize: tiny.vocabSize,
  hiddenSize: 8,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 16,
  maxPositionEmbeddings: 64,
  typeVocabSize: 6,
  hiddenAct: 'gelu',
  layerNormEps: 1e-5,
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
  initializerRange: 0.4,
};

/** Facts of the tiny vocabulary with a token before each text, as [CLS], and one behind it, as [SEP]. */
export const stackFacts: VocabularyFacts & { decoderStartTokenId: number } = {
  ...tinyFacts,
  prefix: [tiny.unk],
  suffix: [tiny.eos],
  decoderStartTokenId: tiny.eos,
};

/** A BERT of two layers that reads and writes, as UniLM where the next token is read at a mask, else as SimBERT. */
export function tinyStack(nextToken: PrefixLmConfig['nextToken'] = 'mask'): PrefixParts {
  const typeVocabSize = nextToken === 'mask' ? 6 : 2;
  const [sourceTypeId, targetTypeId] = nextToken === 'mask' ? [4, 5] : [0, 1];
  const config = { nextToken, maskTokenId: tiny.mask, sourceTypeId, targetTypeId, maxTarget: 24 };
  return { stack: bertStack({ ...bert, typeVocabSize }), config, typeVocabSize };
}

/** The same as RoFormer. */
export function tinyRoformer(): PrefixParts {
  const parts = tinyStack('last');
  const stack = roformerStack({ ...bert, typeVocabSize: 2, embeddingSize: 8, rotaryValue: false });
  return { ...parts, stack };
}
