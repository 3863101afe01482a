import type { GenerationOptions } from '../../src/node.js';

/** One recorded search. A model that does not support its options is recorded with the code of its refusal. */
export interface OutputCase {
  name: string;
  options: GenerationOptions;
}

const short = { maxNewTokens: 24 } as const;

/** Every strategy, and every option that changes what a strategy chooses. Ids are in the vocabulary of every fixture. */
export const outputCases: readonly OutputCase[] = [
  { name: 'greedy', options: short },
  ...[2, 4, 8].map((numBeams) => ({
    name: `beam ${numBeams}`,
    options: { ...short, numBeams, numReturnSequences: numBeams },
  })),
  ...(['never', true, false] as const).map((earlyStopping) => ({
    name: `early stopping ${earlyStopping}`,
    options: { ...short, numBeams: 4, earlyStopping },
  })),
  ...[-1, 0, 0.6, 2].map((lengthPenalty) => ({
    name: `length penalty ${lengthPenalty}`,
    options: { ...short, numBeams: 4, lengthPenalty },
  })),
  { name: 'GNMT', options: { ...short, numBeams: 4, gnmtLengthPenalty: 0.6, coveragePenalty: 0.2 } },
  { name: 'word reward', options: { ...short, numBeams: 4, wordReward: 0.2 } },
  { name: 'patience', options: { ...short, numBeams: 4, patience: 2 } },
  { name: 'sibling penalty', options: { ...short, numBeams: 4, siblingPenalty: 0.5 } },
  ...(['ctranslate2', 'marian', 'fairseq', 'unilm'] as const).map((conventions) => ({
    name: conventions,
    options: { ...short, numBeams: 4, numReturnSequences: 4, conventions },
  })),
  {
    name: 'groups',
    options: { ...short, numBeams: 6, numBeamGroups: 3, diversityPenalty: 0.7, numReturnSequences: 6 },
  },
  { name: 'sampling', options: { ...short, doSample: true, topK: 0, seed: 7, numReturnSequences: 3 } },
  { name: 'top-k', options: { ...short, doSample: true, topK: 5, temperature: 0.7, seed: 7 } },
  { name: 'top-p', options: { ...short, doSample: true, topK: 0, topP: 0.8, seed: 7 } },
  { name: 'min-p', options: { ...short, doSample: true, topK: 0, minP: 0.1, seed: 7 } },
  { name: 'typical-p', options: { ...short, doSample: true, topK: 0, typicalP: 0.7, seed: 7 } },
  { name: 'epsilon', options: { ...short, doSample: true, topK: 0, epsilonCutoff: 0.02, seed: 7 } },
  { name: 'eta', options: { ...short, doSample: true, topK: 0, etaCutoff: 0.05, seed: 7 } },
  {
    name: 'beam sampling',
    options: { ...short, doSample: true, numBeams: 4, topK: 8, seed: 7, numReturnSequences: 4 },
  },
  { name: 'contrastive', options: { ...short, penaltyAlpha: 0.6, topK: 4 } },
  { name: 'no repeated bigram', options: { ...short, numBeams: 4, noRepeatNgramSize: 2 } },
  { name: 'repetition penalty', options: { ...short, numBeams: 4, repetitionPenalty: 1.4 } },
  {
    name: 'source penalties',
    options: { ...short, numBeams: 4, encoderNoRepeatNgramSize: 2, encoderRepetitionPenalty: 1.3 },
  },
  { name: 'bad words', options: { ...short, numBeams: 4, badWordsIds: [[7], [9, 11], [20]] } },
  {
    name: 'bias',
    options: {
      ...short,
      numBeams: 4,
      sequenceBias: [
        [[8], 2],
        [[12, 13], -3],
      ],
    },
  },
  {
    name: 'suppressed',
    options: { ...short, numBeams: 4, suppressTokens: [10, 14], beginSuppressTokens: [8] },
  },
  {
    name: 'length',
    options: { numBeams: 4, minNewTokens: 6, maxNewTokens: 12, exponentialDecayLengthPenalty: [4, 1.2] },
  },
  {
    name: 'constraints',
    options: {
      ...short,
      numBeams: 6,
      forceWordsIds: [
        [16, 17],
        [[20], [21, 22]],
      ],
    },
  },
  {
    name: 'ordered constraints',
    options: { ...short, numBeams: 6, forceWordsIds: [[16, 17], [20]], orderedConstraints: true },
  },
  { name: 'prompt look-up', options: { ...short, promptLookupNumTokens: 4 } },
];
