import { describe, expect, it } from 'vitest';
import { createFakeModel, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode } from '../../test/support/generation/run.js';
import type { GenerationOptions } from './options.js';

const vocabSize = 14;
const logits = hashLogits({ vocabSize, eosTokenIds: [1], endBias: 1, seed: 3 });
const inputs = [
  { inputIds: [5, 6, 7], decoderInputIds: [0, 4] },
  { inputIds: [8, 3] },
  { inputIds: [9, 9, 2, 4] },
];

describe('returnLogits', () => {
  it.each<GenerationOptions>([
    { noRepeatNgramSize: 1, sequenceBias: [[[5], 2]] },
    { numBeams: 3, numReturnSequences: 3, repetitionPenalty: 1.5 },
    { numBeams: 4, numReturnSequences: 4, numBeamGroups: 2, diversityPenalty: 1 },
    { numBeams: 4, numReturnSequences: 2, forceWordsIds: [[4, 5]] },
    { forcedBosTokenId: 9, forcedEosTokenId: 1, numBeams: 2 },
    { doSample: true, numReturnSequences: 3, seed: 4, topK: 5 },
    { doSample: true, numBeams: 3, numReturnSequences: 3, seed: 4 },
  ])('gives what each new token was chosen from, as the model computed it: %j', async (options) => {
    const model = createFakeModel(vocabSize, logits);
    const given = { maxNewTokens: 6, ...options };
    const results = await decode(model, inputs, { ...given, returnLogits: true });
    const plain = await decode(createFakeModel(vocabSize, logits), inputs, given);
    results.forEach(({ sequences }, index) => {
      expect(sequences.map(({ logits: _, ...rest }) => rest)).toEqual(plain[index].sequences);
      for (const { ids, logits: found, tokenLogProbabilities } of sequences) {
        const start = ids.length - tokenLogProbabilities.length;
        expect(found).toHaveLength(tokenLogProbabilities.length);
        found!.forEach((row, step) => {
          const history = [0, ...ids.slice(0, start + step)];
          expect(row).toEqual(Float32Array.from(logits(inputs[index].inputIds, history)));
        });
      }
    });
  });

  it('asks the model for them only where they are wanted, and has none of an empty input', async () => {
    const model = createFakeModel(vocabSize, logits);
    await decode(model, [[3]]);
    expect(model.log.starts[0].rawLogits).toBeUndefined();
    const [{ sequences }] = await decode(model, [[]], { returnLogits: true });
    expect(sequences[0].logits).toEqual([]);
  });
});
