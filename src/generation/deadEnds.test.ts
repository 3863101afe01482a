import { expect, it } from 'vitest';
import { createFakeModel, hashAttention, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules } from '../../test/support/generation/run.js';
import type { GenerationOptions } from './options.js';
import type { Candidates, StartFeed, StepModel } from './stepModel.js';

const hashModel = (seed: number) =>
  createFakeModel(
    14,
    hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: 0, seed }),
    undefined,
    hashAttention,
  );

// Models sum exp(-Infinity - -Infinity) there: NaN. After token 4 only 6 is allowed, which is forbidden.
it.each<[GenerationOptions, boolean | undefined]>([
  [{ conventions: 'ctranslate2' }, undefined],
  [{ conventions: 'ctranslate2', numBeams: 3 }, undefined],
  [{ numBeams: 3 }, true],
  [{ numBeams: 3, doSample: true, seed: 1 }, true],
  [{ numBeams: 4, numBeamGroups: 2, diversityPenalty: 0.5 }, true],
  [{ penaltyAlpha: 0.6, topK: 3 }, undefined],
])('takes a row in which nothing is allowed for a dead end: %j', async (options, renormalize) => {
  const sums = (model: StepModel): StepModel => {
    const edit = (candidates: Candidates): Candidates => ({
      ...candidates,
      logSumExp: candidates.logSumExp.map((sum) => (sum === Number.NEGATIVE_INFINITY ? Number.NaN : sum)),
    });
    const start = async (feed: StartFeed) => {
      const { state, candidates } = await model.start(feed);
      return { state, candidates: edit(candidates) };
    };
    return { ...model, start, step: async (state, feed) => edit(await model.step(state, feed)) };
  };
  const all = { ...options, maxNewTokens: 5, allowedSequences: [[5], [4, 6]], badWordsIds: [[6]] };
  const rules = { ...fakeRules, renormalize };
  for (const seed of [1, 2, 3, 4]) {
    const [{ sequences }] = await decode(sums(hashModel(seed)), [[3, 7]], all, {}, rules);
    const greedy = (options.numBeams ?? 1) === 1;
    // One hypothesis may take 4 and stay there; several always have the other output.
    if (!greedy || sequences[0].ids[0] === 5) expect(sequences[0].ids).toEqual([5, 1]);
    else expect(sequences[0].ids).toEqual([4]);
    expect(sequences[0].score).toBeLessThanOrEqual(0);
    expect(sequences[0].score).toBeGreaterThan(-50);
  }
});
