import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFakeModel,
  hashLogits,
  logSumExp,
  type Script,
  scriptedLogits,
} from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import type { GenerationOptions } from './options.js';

const log = Math.log;

describe('beam search on a table of probabilities', () => {
  // Greedy takes 2 (0.5) and ends badly; the best output goes through 3.
  const script: Script = {
    '': { 2: 0.5, 3: 0.4, 1: 0.1 },
    '2': { 2: 0.4, 3: 0.35, 1: 0.25 },
    '3': { 1: 0.9, 2: 0.1 },
    '2 2': { 1: 1 },
    '2 3': { 1: 0.6, 4: 0.4 },
    '3 2': { 1: 1 },
  };
  const model = () => createFakeModel(6, scriptedLogits(6, script));

  it('finds the n best by hand: 3 1 (0.36), 2 2 1 (0.20), 2 1 (0.125), 2 3 1 (0.105)', async () => {
    const [{ sequences }] = await decode(model(), [[9]], {
      numBeams: 4,
      numReturnSequences: 4,
      lengthPenalty: 0,
      earlyStopping: 'never',
    });
    expect(sequences.map(({ ids }) => ids)).toEqual([
      [3, 1],
      [2, 2, 1],
      [2, 1],
      [2, 3, 1],
    ]);
    const probabilities = [0.36, 0.2, 0.125, 0.105];
    sequences.forEach(({ score }, i) => {
      expect(score).toBeCloseTo(log(probabilities[i]), 5);
    });
    expect(sequences[1].tokenLogProbabilities.map(Math.exp)).toEqual([
      expect.closeTo(0.5, 5),
      expect.closeTo(0.4, 5),
      expect.closeTo(1, 5),
    ]);
  });

  it('divides by length^lengthPenalty, the end token counted', async () => {
    for (const lengthPenalty of [0.6, 1, 2, -1]) {
      const [{ sequences }] = await decode(model(), [[9]], {
        numBeams: 4,
        numReturnSequences: 4,
        lengthPenalty,
      });
      const scores = new Map(sequences.map(({ ids, score }) => [ids.join(' '), score]));
      expect(scores.get('3 1')).toBeCloseTo(log(0.36) / 2 ** lengthPenalty, 5);
      expect(scores.get('2 2 1')).toBeCloseTo(log(0.2) / 3 ** lengthPenalty, 5);
    }
  });

  it('scores by the GNMT penalty, or by a word reward', async () => {
    const options = { numBeams: 4, numReturnSequences: 4 };
    const scored = async (more: GenerationOptions) => {
      const [{ sequences }] = await decode(model(), [[9]], { ...options, ...more });
      return new Map(sequences.map(({ ids, score }) => [ids.join(' '), score]));
    };
    const gnmt = await scored({ gnmtLengthPenalty: 0.8 });
    expect(gnmt.get('3 1')).toBeCloseTo(log(0.36) / (7 / 6) ** 0.8, 5);
    expect(gnmt.get('2 2 1')).toBeCloseTo(log(0.2) / (8 / 6) ** 0.8, 5);
    const reward = await scored({ wordReward: 0.7 });
    expect(reward.get('3 1')).toBeCloseTo(log(0.36) + 1.4, 5);
    expect(reward.get('2 2 1')).toBeCloseTo(log(0.2) + 2.1, 5);
    expect([...reward.keys()][0]).toBe('2 2 1');
  });

  it.each<GenerationOptions>([
    { numBeams: 4 },
    { numBeams: 4, earlyStopping: true },
    { numBeams: 4, numBeamGroups: 2, diversityPenalty: 0.5 },
    { numBeams: 4, forceWordsIds: [[7, 3]] },
    { numBeams: 3, conventions: 'ctranslate2' },
  ])('waits for all there can be with any patience beyond that: %j', async (search) => {
    for (let seed = 0; seed < 5; seed++) {
      const asked = createFakeModel(
        16,
        hashLogits({ vocabSize: 16, eosTokenIds: [1, 2, 3], endBias: 1.5, seed }),
      );
      // Of 4 beams at most 4 end in each of 6 steps, and 4 are open in the last one.
      const options = { ...search, numReturnSequences: search.numBeams, maxNewTokens: 6, eosTokenId: [1, 2] };
      const enough = await decode(asked, [[4], [5, 6]], { ...options, patience: 7 });
      for (const patience of [1e4, 1e9, 1e15]) {
        expect(await decode(asked, [[4], [5, 6]], { ...options, patience })).toEqual(enough);
      }
    }
  });

  it('waits for round(patience numBeams) hypotheses, and keeps as many', async () => {
    const steps: number[] = [];
    for (const patience of [0.25, 1, 2]) {
      const asked = createFakeModel(
        16,
        hashLogits({ vocabSize: 16, eosTokenIds: [1], endBias: 1.5, seed: 4 }),
      );
      const inputs = Array.from({ length: 12 }, (_, i) => [i + 2]);
      const options = { numBeams: 4, maxNewTokens: 30, earlyStopping: true, patience };
      await decode(asked, inputs, options, { batchSize: 1 });
      steps.push(asked.log.steps.length);
    }
    expect(steps[0]).toBeLessThan(steps[1]);
    expect(steps[1]).toBeLessThan(steps[2]);
    // First come, first served: with patience 1 the search ends before the longest is finished.
    const options: GenerationOptions = {
      numBeams: 2,
      numReturnSequences: 2,
      lengthPenalty: 3,
      earlyStopping: true,
    };
    const [hasty] = idsOf(await decode(model(), [[9]], options));
    const [patient] = idsOf(await decode(model(), [[9]], { ...options, patience: 2 }));
    // Scores log-probability / length^3: 2 2 1 -0.060, 2 3 1 -0.083, 3 1 -0.128; only who waits finds 2 3 4 1, -0.042.
    expect(hasty).toEqual([
      [2, 2, 1],
      [2, 3, 1],
    ]);
    expect(patient).toEqual([
      [2, 3, 4, 1],
      [2, 2, 1],
    ]);
  });

  it('stops at the first numBeams hypotheses with earlyStopping true, and later without', async () => {
    const steps: Record<string, number> = {};
    for (const earlyStopping of [true, false, 'never'] as const) {
      const asked = createFakeModel(
        16,
        hashLogits({ vocabSize: 16, eosTokenIds: [1], endBias: 1.5, seed: 4 }),
      );
      const inputs = Array.from({ length: 12 }, (_, i) => [i + 2]);
      await decode(asked, inputs, { numBeams: 3, maxNewTokens: 30, earlyStopping }, { batchSize: 1 });
      steps[String(earlyStopping)] = asked.log.steps.length;
    }
    expect(steps.true).toBeLessThan(steps.false);
    expect(steps.false).toBeLessThan(steps.never);
  });

  it('returns what there is where fewer hypotheses exist than asked for', async () => {
    const tiny = createFakeModel(3, scriptedLogits(3, { '': { 1: 0.25, 2: 0.75 } }));
    const [{ sequences }] = await decode(tiny, [[9]], { numBeams: 4, numReturnSequences: 4 });
    expect(sequences.map(({ ids }) => ids)).toEqual(expect.arrayContaining([[1], [2, 1]]));
    expect(sequences).toHaveLength(2);
  });

  it('ends where bans leave no continuation', async () => {
    const loop = createFakeModel(3, () => [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]);
    const [{ sequences }] = await decode(loop, [[9]], { numBeams: 2, noRepeatNgramSize: 2 });
    expect(sequences.map(({ ids }) => ids)).toEqual([[2, 2]]);
    const [greedy] = await decode(loop, [[9]], { noRepeatNgramSize: 2 });
    expect(greedy.sequences.map(({ ids }) => ids)).toEqual([[2, 2]]);
  });

  it('asks for no more candidates than decide: beams and end tokens', async () => {
    const asked = createFakeModel(20, hashLogits({ vocabSize: 20, eosTokenIds: [1], endBias: 1, seed: 1 }));
    await decode(asked, [[3]], { numBeams: 4 });
    expect(asked.log.starts).toEqual([
      {
        candidates: 5,
        edits: 'none',
        repetitionPenalty: 1,
        penaltySpace: 'logProbabilities',
        renormalize: false,
        rescale: false,
        allowed: false,
        lookup: false,
        ownLogits: false,
      },
    ]);
  });
});

describe('tokens that are never produced', () => {
  it('are passed over even where they take all the best places', async () => {
    const model = createFakeModel(12, () => [9, 1.5, 9, 9, 9, 9, 2, 1, 0, 0, 0, 0]);
    const rules = { ...fakeRules, suppressedTokenIds: [0, 2, 3, 4, 5, 999] };
    for (const options of [
      { numBeams: 2 },
      {},
      { doSample: true, topK: 1 },
      { doSample: true, topK: 0, topP: 0 },
    ]) {
      const [{ sequences }] = await decode(model, [[7]], { ...options, maxNewTokens: 3 }, {}, rules);
      expect(sequences[0].ids).toEqual([6, 6, 6]);
    }
    const early = { maxNewTokens: 3, minNewTokens: 2, numBeams: 2, numReturnSequences: 2, lengthPenalty: 0 };
    const [{ sequences }] = await decode(model, [[7]], early, {}, rules);
    expect(sequences.map(({ ids }) => ids)).toEqual([
      [6, 6, 6],
      [6, 6, 1],
    ]);
  });
});

/** Every output of at most `longest` tokens with its score, best first. */
function enumerate(
  logits: (history: readonly number[]) => ArrayLike<number>,
  vocabSize: number,
  longest: number,
  scoreOf: (total: number, length: number) => number,
): { ids: number[]; score: number }[] {
  const found: { ids: number[]; score: number }[] = [];
  const extend = (ids: number[], total: number) => {
    const row = logits([0, ...ids]);
    const sum = logSumExp(row);
    for (let token = 0; token < vocabSize; token++) {
      const next = [...ids, token];
      const score = total + row[token] - sum;
      if (token === 1 || next.length === longest)
        found.push({ ids: next, score: scoreOf(score, next.length) });
      else extend(next, score);
    }
  };
  extend([], 0);
  return found.sort((a, b) => b.score - a.score);
}

describe('beam search against enumeration', () => {
  it('returns the true n best when the beam is wide enough to drop nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e6 }),
        fc.constantFrom<[GenerationOptions, (total: number, length: number) => number]>(
          ...[0, 0.6, 1, 2, -0.5].map((p): [GenerationOptions, (total: number, length: number) => number] => [
            { lengthPenalty: p },
            (total, length) => total / length ** p,
          ]),
          [{ gnmtLengthPenalty: 0.6 }, (total, length) => total / ((5 + length) / 6) ** 0.6],
          [{ wordReward: 0.9 }, (total, length) => total + 0.9 * length],
          [{ wordReward: -0.4, patience: 2 }, (total, length) => total - 0.4 * length],
        ),
        fc.constantFrom(false, 'never' as const),
        async (seed, [scoring, scoreOf], earlyStopping) => {
          const logits = hashLogits({ vocabSize: 4, eosTokenIds: [1], endBias: 0.5, seed });
          const all = enumerate((history) => logits([7], history), 4, 4, scoreOf);
          const [{ sequences }] = await decode(createFakeModel(4, logits), [[7]], {
            numBeams: 128,
            numReturnSequences: 12,
            maxNewTokens: 4,
            ...scoring,
            earlyStopping,
          });
          expect(sequences.map(({ ids }) => ids)).toEqual(all.slice(0, 12).map(({ ids }) => ids));
          sequences.forEach(({ score }, i) => {
            expect(score).toBeCloseTo(all[i].score, 4);
          });
          const [narrow] = await decode(createFakeModel(4, logits), [[7]], {
            numBeams: 2,
            maxNewTokens: 4,
            ...scoring,
          });
          expect(narrow.sequences[0].score).toBeLessThanOrEqual(all[0].score + 1e-5);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('scores every hypothesis as the model does, token by token', async () => {
    const logits = hashLogits({ vocabSize: 12, eosTokenIds: [1], endBias: 0.5, seed: 11 });
    const results = await decode(createFakeModel(12, logits), [[5, 6], [7]], {
      numBeams: 4,
      numReturnSequences: 4,
    });
    results.forEach(({ sequences }, input) => {
      for (const { ids, score, tokenLogProbabilities } of sequences) {
        const wanted = ids.map((id, i) => {
          const row = logits([[5, 6], [7]][input], [0, ...ids.slice(0, i)]);
          return row[id] - logSumExp(row);
        });
        wanted.forEach((value, i) => {
          expect(tokenLogProbabilities[i]).toBeCloseTo(value, 4);
        });
        expect(score).toBeCloseTo(wanted.reduce((a, b) => a + b) / ids.length, 4);
      }
    });
    expect(idsOf(results).flat()).toHaveLength(8);
  });
});
