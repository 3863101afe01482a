import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFakeModel,
  hashLogits,
  logSumExp,
  scriptedLogits,
} from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import type { ForcedWords } from './constraints.js';
import type { GenerationOptions } from './options.js';
import { createTracker } from './processors/lexicalConstraints.js';

const logits = (seed: number, vocabSize: number) =>
  hashLogits({ vocabSize, eosTokenIds: [1], endBias: 0.5, seed });
const model = (seed: number, vocabSize = 12) => createFakeModel(vocabSize, logits(seed, vocabSize));

const contains = (ids: readonly number[], phrase: readonly number[], from = 0) => {
  for (let at = from; at + phrase.length <= ids.length; at++) {
    if (phrase.every((id, i) => ids[at + i] === id)) return at + phrase.length;
  }
  return -1;
};
const alternatives = (item: ForcedWords[number]) =>
  (typeof item[0] === 'number' ? [item] : item) as readonly (readonly number[])[];
const meets = (ids: readonly number[], item: ForcedWords[number]) =>
  alternatives(item).some((phrase) => contains(ids, phrase) >= 0);
/** Ends of each constraint, taken one after the other as early as can be; undefined where that fails. */
const inOrder = (ids: readonly number[], items: ForcedWords) => {
  let from = 0;
  for (const item of items) {
    const ends = alternatives(item)
      .map((phrase) => contains(ids, phrase, from))
      .filter((end) => end >= 0);
    if (ends.length === 0) return false;
    from = Math.min(...ends);
  }
  return true;
};

const phraseOf = (most: number, vocabSize: number) =>
  fc.array(fc.integer({ min: 2, max: vocabSize - 1 }), { minLength: 1, maxLength: most });
const wordsOf = (count: number, most: number, vocabSize: number): fc.Arbitrary<number[][] | number[][][]> =>
  fc.array(
    fc.oneof(phraseOf(most, vocabSize), fc.array(phraseOf(most, vocabSize), { minLength: 2, maxLength: 3 })),
    { minLength: 1, maxLength: count },
  ) as fc.Arbitrary<number[][] | number[][][]>;

describe('positive constraints', () => {
  it('are met by every output, whatever the model thinks of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        wordsOf(3, 3, 12),
        fc.integer({ min: 2, max: 7 }),
        fc.integer(),
        fc.constantFrom<GenerationOptions>(
          {},
          { earlyStopping: true },
          { earlyStopping: 'never', patience: 2 },
        ),
        async (forceWordsIds, numBeams, seed, options) => {
          const results = await decode(model(seed), [[3, 4], [5]], {
            ...options,
            numBeams,
            numReturnSequences: numBeams,
            forceWordsIds,
          });
          for (const { sequences } of results) {
            expect(new Set(sequences.map(({ ids }) => ids.join(' '))).size).toBe(sequences.length);
            sequences.forEach(({ ids, score, unmetConstraints }, i) => {
              for (const item of forceWordsIds) expect(meets(ids, item)).toBe(true);
              expect(unmetConstraints).toEqual([]);
              if (i > 0) expect(score).toBeLessThanOrEqual(sequences[i - 1].score);
            });
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it('come in their order where that is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(wordsOf(3, 2, 12), fc.integer(), async (forceWordsIds, seed) => {
        const options = { numBeams: 4, forceWordsIds, orderedConstraints: true };
        const [{ sequences }] = await decode(model(seed), [[3, 4]], options);
        for (const { ids } of sequences) expect(inOrder(ids, forceWordsIds)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('take as little as the length allows', async () => {
    const forceWordsIds = [[4, 5], [6], [7, 8, 9]];
    const [{ sequences }] = await decode(model(1), [[3]], { numBeams: 3, maxNewTokens: 6, forceWordsIds });
    for (const item of forceWordsIds) expect(meets(sequences[0].ids, item)).toBe(true);
  });

  it('give the best of all outputs that meet them, where the beam is wide enough to drop nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        wordsOf(2, 2, 4),
        fc.integer({ min: 1, max: 1e6 }),
        fc.boolean(),
        async (forceWordsIds, seed, orderedConstraints) => {
          const all: { ids: number[]; score: number }[] = [];
          const extend = (ids: number[], total: number) => {
            const row = logits(seed, 4)([7], [0, ...ids]);
            for (let token = 0; token < 4; token++) {
              const next = [...ids, token];
              const score = total + row[token] - logSumExp(row);
              if (token !== 1 && next.length < 4) extend(next, score);
              else if (
                orderedConstraints
                  ? inOrder(next, forceWordsIds)
                  : forceWordsIds.every((item) => meets(next, item))
              ) {
                all.push({ ids: next, score: score / next.length });
              }
            }
          };
          extend([], 0);
          all.sort((a, b) => b.score - a.score);
          const [{ sequences }] = await decode(model(seed, 4), [[7]], {
            numBeams: 200,
            numReturnSequences: 8,
            maxNewTokens: 4,
            earlyStopping: 'never',
            forceWordsIds,
            orderedConstraints,
          });
          if (all.length === 0) expect(sequences[0].unmetConstraints).not.toEqual([]);
          else {
            expect(sequences.map(({ ids }) => ids)).toEqual(all.slice(0, 8).map(({ ids }) => ids));
            expect(sequences[0].score).toBeCloseTo(all[0].score, 4);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leave sentences without any as beam search has them, bit for bit', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const options = { numBeams: 4, numReturnSequences: 4, noRepeatNgramSize: 2, maxNewTokens: 12 };
      const mixed = [{ inputIds: [3, 4] }, { inputIds: [5, 6], forceWordsIds: [[9, 8]] }, { inputIds: [7] }];
      const results = await decode(model(seed), mixed, options);
      const plain = await decode(model(seed), [[3, 4], [7]], options);
      for (const [at, input] of [0, 2].entries()) {
        const bare = results[input].sequences.map(({ unmetConstraints, ...rest }) => rest);
        expect(bare).toEqual(plain[at].sequences);
      }
      for (const { ids } of results[1].sequences) expect(contains(ids, [9, 8])).toBeGreaterThan(0);
    }
  });

  it('of the options and of the input count together', async () => {
    const input = { inputIds: [3], forceWordsIds: [[5, 6]] };
    const options = { numBeams: 3, forceWordsIds: [[[8], [9, 9]]], maxNewTokens: 12 };
    const [{ sequences }] = await decode(model(4), [input], options);
    expect(meets(sequences[0].ids, [[8], [9, 9]])).toBe(true);
    expect(contains(sequences[0].ids, [5, 6])).toBeGreaterThan(0);
  });

  it('that cannot be met are named, and the others are met', async () => {
    const options = {
      numBeams: 3,
      forceWordsIds: [[4], [5, 6], [7]],
      badWordsIds: [[5, 6]],
      maxNewTokens: 8,
    };
    const [{ sequences }] = await decode(model(2), [[3]], options);
    expect(sequences[0].unmetConstraints).toEqual([1]);
    expect(sequences[0].ids).toContain(4);
    expect(sequences[0].ids).toContain(7);
  });

  it('that cannot be met leave a forced end in its place, and outputs that meet most', async () => {
    const rules = { ...fakeRules, forcedEosTokenIds: [1] };
    const options = {
      numReturnSequences: 4,
      maxNewTokens: 8,
      forceWordsIds: [[4], [5, 6]],
      badWordsIds: [[6]],
    };
    for (let seed = 0; seed < 20; seed++) {
      const [{ sequences }] = await decode(model(seed), [[3]], { ...options, numBeams: 4 }, {}, rules);
      for (const { ids, unmetConstraints, tokenLogProbabilities } of sequences) {
        expect(ids).toHaveLength(8);
        expect(ids.at(-1)).toBe(1);
        expect(tokenLogProbabilities.at(-1)).toBe(0);
        expect(ids).toContain(4);
        expect(unmetConstraints).toEqual([1]);
      }
    }
  });

  it('that are partly met count less than one that is met, also where no row can go on', async () => {
    // 3 meets a constraint; 4 begins one that 5, which is forbidden, would meet. After either nothing is possible.
    const script = { '': { 3: 0.2, 4: 0.8 }, '3': { 5: 1 }, '4': { 5: 1 } };
    const scripted = createFakeModel(6, scriptedLogits(6, script));
    const constraints = { forceWordsIds: [[3], [4, 5]], suppressTokens: [5, 1], maxNewTokens: 3 };
    const [{ sequences }] = await decode(scripted, [[2]], {
      numBeams: 2,
      numReturnSequences: 2,
      ...constraints,
    });
    expect(sequences.map(({ ids, unmetConstraints }) => [ids, unmetConstraints])).toEqual([[[3], [1]]]);
  });

  it('need places for a forced first token and a forced end', async () => {
    const needs = async (places: number, rules: object, forceWordsIds: number[][]) => {
      const options = { numBeams: 4, forceWordsIds };
      const all = { ...fakeRules, ...rules };
      const short = decode(model(3), [[3]], { ...options, maxNewTokens: places - 1 }, {}, all);
      await expect(short).rejects.toMatchObject({ code: 'OPTION_CONFLICT' });
      const [{ sequences }] = await decode(model(3), [[3]], { ...options, maxNewTokens: places }, {}, all);
      expect(sequences[0].unmetConstraints).toEqual([]);
    };
    await needs(2, {}, [[6, 4]]);
    await needs(3, { forcedBosTokenId: 2 }, [[6, 4]]);
    await needs(3, { forcedEosTokenIds: [1] }, [[6, 4]]);
    await needs(5, { forcedBosTokenId: 2, forcedEosTokenIds: [1] }, [[6, 4], [7]]);
    // The forced token begins the phrase.
    await needs(2, { forcedBosTokenId: 6 }, [[6, 4]]);
  });

  it.each<[GenerationOptions, number[]]>([
    [{ badWordsIds: [[5]] }, [4, 5, 6]],
    [{ suppressTokens: [6] }, [4, 5, 6]],
    [{ badWordsIds: [[5, 6]] }, [4, 5, 6]],
    [{ encoderNoRepeatNgramSize: 2 }, [4, 3, 2]],
    [{ noRepeatNgramSize: 2 }, [4, 5, 4, 5]],
  ])('are met by the alternative that can be: %j forbids %j', async (options, impossible) => {
    const forceWordsIds = [[impossible, [7, 8, 9, 10, 11, 7]]];
    for (let seed = 0; seed < 10; seed++) {
      const all = { numBeams: 4, maxNewTokens: 14, forceWordsIds, ...options };
      const [{ sequences }] = await decode(model(seed), [[3, 2]], all);
      expect(sequences[0].unmetConstraints).toEqual([]);
      expect(contains(sequences[0].ids, [7, 8, 9, 10, 11, 7])).toBeGreaterThan(0);
    }
    const shorter = { ...options, numBeams: 4, maxNewTokens: 5, forceWordsIds };
    await expect(decode(model(1), [[3, 2]], shorter)).rejects.toMatchObject({ code: 'OPTION_CONFLICT' });
  });

  it('are named where time runs out before they are met', async () => {
    const options = { numBeams: 2, forceWordsIds: [[4, 5, 6]], maxTime: 1e-9 };
    const [{ sequences }] = await decode(model(2), [[3]], options);
    expect(sequences[0].unmetConstraints).toEqual([0]);
  });

  it('share the beams by hand: a bank each, and the fullest bank what is left over', async () => {
    // 2 is likely and 3 is wanted; with two beams each bank has one.
    const script = {
      '': { 2: 0.9, 3: 0.1 },
      '2': { 2: 0.5, 1: 0.4, 3: 0.1 },
      '3': { 1: 1 },
      '2 3': { 1: 1 },
    };
    const scripted = createFakeModel(5, scriptedLogits(5, script));
    const results = await decode(scripted, [[4]], {
      numBeams: 2,
      numReturnSequences: 2,
      lengthPenalty: 0,
      forceWordsIds: [[3]],
    });
    expect(idsOf(results)).toEqual([
      [
        [3, 1],
        [2, 3, 1],
      ],
    ]);
    expect(results[0].sequences[1].score).toBeCloseTo(Math.log(0.09), 5);
  });

  it.each<[GenerationOptions, ForcedWords | undefined, string]>([
    [{ numBeams: 2, forceWordsIds: [[3, 12]] }, undefined, 'OPTION_INVALID'],
    [{ numBeams: 2, forceWordsIds: [[3, 1]] }, undefined, 'OPTION_INVALID'],
    [{ numBeams: 2, forceWordsIds: [[3, 4], [5]], maxNewTokens: 2 }, undefined, 'OPTION_CONFLICT'],
    [{ numBeams: 2 }, [[99]], 'INPUT_INVALID'],
    [{ numBeams: 2 }, [[]], 'INPUT_INVALID'],
    [{}, [[3]], 'OPTION_CONFLICT'],
    [{ numBeams: 2, siblingPenalty: 1 }, [[3]], 'OPTION_CONFLICT'],
    [{ numBeams: 2, orderedConstraints: true }, undefined, 'OPTION_CONFLICT'],
  ])('refuses %j with an input of %j', async (options, forceWordsIds, code) => {
    const running = decode(model(1), [{ inputIds: [3], forceWordsIds }], options);
    await expect(running).rejects.toMatchObject({ code });
  });
});

describe('the tracker', () => {
  it('says what looking through the whole output says, and always knows a way on', () => {
    const token = fc.integer({ min: 0, max: 3 });
    const phrase = fc.array(token, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(fc.array(phrase, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 }),
        fc.array(token, { maxLength: 25 }),
        (constraints, ids) => {
          const { start, follow, unmet, total } = createTracker(constraints, false);
          const state = ids.reduce(follow, start);
          expect(unmet(state)).toEqual([...constraints.keys()].filter((i) => !meets(ids, constraints[i])));
          expect(state.whole).toBe(unmet(state).length === 0);
          expect(state.bank === total).toBe(unmet(state).length === 0);
          const further = state.needed.map((next) => follow(state, next).bank);
          if (unmet(state).length > 0) expect(Math.max(...further)).toBeGreaterThan(state.bank);
          const ordered = createTracker(constraints, true);
          const done = ordered.unmet(ids.reduce(ordered.follow, ordered.start)).length === 0;
          expect(done).toBe(inOrder(ids, constraints));
        },
      ),
      { numRuns: 500 },
    );
  });
});
