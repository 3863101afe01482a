import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFakeModel,
  hashLogits,
  type LogitsFunction,
} from '../../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../../test/support/generation/run.js';
import type { GenerationOptions } from '../options.js';

const hashModel = (seed: number, vocabSize = 8) =>
  createFakeModel(vocabSize, hashLogits({ vocabSize, eosTokenIds: [1], endBias: 1, seed }));

/** All outputs of at most `length` tokens over tokens from 1, with the score that the definition gives them. */
function enumerate(
  logits: LogitsFunction,
  source: readonly number[],
  prefix: readonly number[],
  beta: number,
  length: number,
) {
  const found: { ids: number[]; score: number }[] = [];
  const walk = (ids: number[], sum: number) => {
    const row = Array.from(logits(source, [0, ...ids]));
    const total = row.reduce((all, value) => all + Math.exp(value), 0);
    const agrees = ids.length < prefix.length && ids.every((id, at) => id === prefix[at]);
    row.forEach((value, token) => {
      let p = Math.exp(value) / total;
      if (agrees) p = (1 - beta) * p + (token === prefix[ids.length] ? beta : 0);
      const next = [...ids, token];
      const score = sum + Math.log(p);
      if (token === 1 || next.length === length) found.push({ ids: next, score: score / next.length });
      else walk(next, score);
    });
  };
  walk([], 0);
  return found.sort((a, b) => b.score - a.score);
}

describe('prefixBiasBeta', () => {
  it('mixes the probability with that of the prefix, until a hypothesis leaves it', async () => {
    const probabilities = [0, 0.3, 0.5, 0.2];
    const model = createFakeModel(4, () => probabilities.map(Math.log));
    const options = { prefixBiasBeta: 0.4, maxNewTokens: 3, minNewTokens: 3 };
    // 3 has 0.6 x 0.2 + 0.4 against 0.6 x 0.5 while the prefix lasts; ending is forbidden, so the rest is out of 0.7.
    const [[drawn]] = (await decode(model, [{ inputIds: [2], prefix: [3, 3] }], options)).map(
      ({ sequences }) => sequences,
    );
    expect(drawn.ids).toEqual([3, 3, 2]);
    const biased = Math.log(0.6 * (0.2 / 0.7) + 0.4);
    expect(drawn.tokenLogProbabilities[0]).toBeCloseTo(biased, 6);
    expect(drawn.tokenLogProbabilities[1]).toBeCloseTo(biased, 6);
    expect(drawn.tokenLogProbabilities[2]).toBeCloseTo(Math.log(0.5 / 0.7), 6);
    const weak = { ...options, prefixBiasBeta: 0.1 };
    expect(idsOf(await decode(model, [{ inputIds: [2], prefix: [3, 3] }], weak))).toEqual([[[2, 2, 2]]]);
  });

  it('finds with a wide beam what the definition says of all outputs', async () => {
    let raised = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 1, maxLength: 3 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        async (seed, prefix, prefixBiasBeta) => {
          const logits = hashLogits({ vocabSize: 5, eosTokenIds: [1], endBias: 1, seed });
          const all = enumerate(logits, [2, 3], prefix, prefixBiasBeta, 3);
          const [{ sequences }] = await decode(createFakeModel(5, logits), [{ inputIds: [2, 3], prefix }], {
            numBeams: 80,
            numReturnSequences: 10,
            maxNewTokens: 3,
            earlyStopping: 'never',
            prefixBiasBeta,
          });
          for (const [rank, { score }] of sequences.entries()) expect(score).toBeCloseTo(all[rank].score, 4);
          expect(sequences[0].ids).toEqual(all[0].ids);
          const [free] = enumerate(logits, [2, 3], [], 0, 3);
          if (String(free.ids) !== String(all[0].ids)) raised++;
        },
      ),
      { numRuns: 40 },
    );
    expect(raised).toBeGreaterThan(5);
  });

  it('gives a sentence the same whatever shares its batch, prefixes of any length, or none', async () => {
    const sentence = fc.record({
      inputIds: fc.array(fc.integer({ min: 2, max: 7 }), { minLength: 1, maxLength: 4 }),
      prefix: fc.array(fc.integer({ min: 2, max: 7 }), { maxLength: 5 }),
    });
    const searches = fc.constantFrom<GenerationOptions>(
      {},
      { numBeams: 3, numReturnSequences: 3 },
      { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 },
      { conventions: 'ctranslate2' },
      { repetitionPenalty: 1.5, noRepeatNgramSize: 2 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(sentence, { minLength: 2, maxLength: 6 }), searches, async (inputs, more) => {
        const options = { maxNewTokens: 8, prefixBiasBeta: 0.6, ...more };
        const together = await decode(hashModel(4), inputs, options);
        for (const [at, input] of inputs.entries()) {
          expect((await decode(hashModel(4), [input], options))[0]).toEqual(together[at]);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('holds outputs to the prefix at 0, and all but does so close to 1', async () => {
    const inputs = [{ inputIds: [2, 3], prefix: [7, 6, 7] }];
    const options = { numBeams: 2, maxNewTokens: 8 };
    const prompted = [{ inputIds: [2, 3], decoderInputIds: [7, 6, 7] }];
    const forced = await decode(hashModel(4), inputs, { ...options, prefixBiasBeta: 0 });
    expect(forced).toEqual(await decode(hashModel(4), prompted, options));
    const drawn = await decode(hashModel(4), inputs, { ...options, prefixBiasBeta: 1 - 1e-6 });
    expect(drawn[0].sequences[0].ids.slice(0, 3)).toEqual([7, 6, 7]);
    expect(drawn[0].sequences[0].tokenLogProbabilities.slice(0, 3).every((value) => value > -1e-5)).toBe(
      true,
    );
  });

  it('follows a forced first token, and leaves forbidden tokens forbidden', async () => {
    const rules = { ...fakeRules, forcedBosTokenId: 5 };
    const inputs = [{ inputIds: [2, 3], prefix: [7, 6] }];
    const options = { maxNewTokens: 5, minNewTokens: 5, prefixBiasBeta: 0.99 };
    const [[forced]] = idsOf(await decode(hashModel(4), inputs, options, {}, rules));
    expect(forced.slice(0, 3)).toEqual([5, 7, 6]);
    for (const more of [{}, { numBeams: 3 }]) {
      const banned = { ...options, ...more, badWordsIds: [[7]] };
      const [[without]] = idsOf(await decode(hashModel(4), inputs, banned));
      expect(without).not.toContain(7);
    }
  });

  it.each<[GenerationOptions, number[]]>([
    [{ suppressTokens: [7] }, [7, 6]],
    [{ badWordsIds: [[7]] }, [7, 6]],
    [{ beginSuppressTokens: [7] }, [7, 6]],
    [{ minNewTokens: 3 }, [1, 6]],
  ])(
    'changes no score of several beams where %j keeps the prefix %j from being written',
    async (options, prefix) => {
      for (const numBeams of [2, 4]) {
        const all = { ...options, numBeams, numReturnSequences: numBeams, maxNewTokens: 5 };
        const drawn = await decode(hashModel(4), [{ inputIds: [2, 3], prefix }], {
          ...all,
          prefixBiasBeta: 0.5,
        });
        expect(drawn).toEqual(await decode(hashModel(4), [[2, 3]], all));
      }
    },
  );

  it('finds its tokens beyond a shortlist', async () => {
    const shortlist = {
      offsets: Int32Array.of(0, 0),
      targets: new Int32Array(0),
      always: Int32Array.of(1, 2, 3, 4),
    };
    const inputs = [{ inputIds: [2, 3], prefix: [7, 6] }];
    const [[ids]] = idsOf(
      await decode(hashModel(4), inputs, { shortlist, prefixBiasBeta: 0.99, maxNewTokens: 4 }),
    );
    expect(ids.slice(0, 2)).toEqual([7, 6]);
  });

  it.each<[GenerationOptions, string]>([
    [{ doSample: true }, 'doSample true'],
    [{ penaltyAlpha: 0.5, topK: 4 }, 'penaltyAlpha 0.5'],
    [{ numBeams: 2, forceWordsIds: [[2]] }, 'forceWordsIds'],
    [{ allowedSequences: [[2]] }, 'allowedSequences'],
    [{ prefixAllowedTokens: () => [2] }, 'prefixAllowedTokens'],
    [{ conventions: 'marian' }, 'conventions marian'],
  ])('is refused beside %j', async (other, name) => {
    const given = { prefixBiasBeta: 0.5, ...other };
    await expect(decode(hashModel(4), [{ inputIds: [2], prefix: [3] }], given)).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining(`prefixBiasBeta 0.5 does not go with ${name}`),
    });
  });

  it('is refused beside constraints of one input', async () => {
    const inputs = [{ inputIds: [2], prefix: [3], forceWordsIds: [[2]] }];
    await expect(decode(hashModel(4), inputs, { prefixBiasBeta: 0.5, numBeams: 2 })).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining('prefixBiasBeta'),
    });
  });

  it('is refused without a prefix, and outside of 0 to 1', async () => {
    await expect(decode(hashModel(4), [[2, 3]], { prefixBiasBeta: 0.5 })).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining('prefixBiasBeta 0.5 has no effect without a prefix'),
    });
    for (const prefixBiasBeta of [1, -0.1]) {
      await expect(decode(hashModel(4), [[2, 3]], { prefixBiasBeta })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      });
    }
  });
});
