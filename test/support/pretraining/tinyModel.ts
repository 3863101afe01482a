import { transformer } from '../../../src/decoder/transformer.js';
import type { TransformerConfig } from '../../../src/encoder/transformer.js';
import type { VocabularyFacts } from '../../../src/pretraining/vocabularyFacts.js';

/** Ids of the tiny vocabulary: padding, end, unknown, mask, then ordinary tokens. */
export const tiny = { pad: 0, eos: 1, unk: 2, mask: 3, firstOrdinary: 4, vocabSize: 40 } as const;

/** What objectives know of it: every fourth token ends a sentence, odd tokens go on with a word. */
export const tinyFacts: VocabularyFacts & { decoderStartTokenId: number } = {
  vocabSize: tiny.vocabSize,
  padTokenId: tiny.pad,
  maskTokenId: tiny.mask,
  prefix: [],
  suffix: [tiny.eos],
  startsWord: Uint8Array.from({ length: tiny.vocabSize }, (_, id) => (id % 2 === 0 || id < 4 ? 1 : 0)),
  endsSentence: Uint8Array.from({ length: tiny.vocabSize }, (_, id) => (id >= 4 && id % 4 === 3 ? 1 : 0)),
  ordinary: Int32Array.from({ length: tiny.vocabSize - 4 }, (_, at) => at + 4),
  decoderStartTokenId: tiny.pad,
};

const config: TransformerConfig = {
  vocabSize: tiny.vocabSize,
  decoderVocabSize: tiny.vocabSize,
  dModel: 8,
  encoderLayers: 1,
  encoderAttentionHeads: 2,
  encoderFfnDim: 16,
  decoderLayers: 1,
  decoderAttentionHeads: 2,
  decoderFfnDim: 16,
  maxPositionEmbeddings: 64,
  activationFunction: 'swish',
  scaleEmbedding: true,
  shareEncoderDecoderEmbeddings: true,
  tieWordEmbeddings: true,
  dropout: 0,
  attentionDropout: 0,
  activationDropout: 0,
  initStd: 0.3,
};

/** A Transformer of two layers for that vocabulary. */
export const tinyTransformer = () => transformer(config);
