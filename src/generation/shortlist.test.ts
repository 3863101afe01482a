import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';
import { isShortlist, type Shortlist } from './shortlist.js';
import { shortlistVocabulary } from './shortlistVocabulary.js';

const vocabSize = 14;
const logits = hashLogits({ vocabSize, eosTokenIds: [1], endBias: 1, seed: 3 });
const whole = () => createFakeModel(vocabSize, logits);

/** From lists of the targets of each source token. */
function shortlist(targets: readonly (readonly number[])[], always: readonly number[] = []): Shortlist {
  const offsets = [0];
  for (const list of targets) offsets.push(offsets[offsets.length - 1] + list.length);
  return {
    offsets: Int32Array.from(offsets),
    targets: Int32Array.from(targets.flat()),
    always: Int32Array.from(always),
  };
}

const all = Array.from({ length: vocabSize }, (_, id) => id);
const full = shortlist([], all);

const searches: GenerationOptions[] = [
  { maxNewTokens: 9 },
  { maxNewTokens: 9, noRepeatNgramSize: 2, repetitionPenalty: 1.4, encoderRepetitionPenalty: 1.2 },
  { maxNewTokens: 9, numBeams: 3, numReturnSequences: 3, encoderNoRepeatNgramSize: 1 },
  { maxNewTokens: 9, numBeams: 2, repetitionPenalty: 1.3, minNewTokens: 4, earlyStopping: true },
  { maxNewTokens: 9, numBeams: 4, numReturnSequences: 4, numBeamGroups: 2, diversityPenalty: 1.3 },
  { maxNewTokens: 9, doSample: true, seed: 5, numReturnSequences: 3, topK: 6, topP: 0.9 },
  { maxNewTokens: 9, doSample: true, seed: 6, topK: 0, repetitionPenalty: 1.2 },
  { maxNewTokens: 9, numBeams: 3, suppressTokens: [3, 9], exponentialDecayLengthPenalty: [2, 1.3] },
];

const sources = fc.array(fc.array(fc.integer({ min: 2, max: 13 }), { minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 5,
});

describe('a shortlist', () => {
  it('of every token changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(sources, fc.constantFrom(...searches), async (inputs, options) => {
        const without = await decode(whole(), inputs, options);
        expect(await decode(whole(), inputs, { ...options, shortlist: full })).toEqual(without);
      }),
      { numRuns: 40 },
    );
  });

  it('is as if no other token had any probability', async () => {
    const token = fc.integer({ min: 0, max: 13 });
    const lists = fc.array(fc.uniqueArray(token, { maxLength: 4 }), { minLength: 14, maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(sources, lists, fc.constantFrom(...searches), async (inputs, targets, options) => {
        const list = shortlist(targets, [1, 4]);
        const offered = new Set([0, 1, 4, ...inputs.flat().flatMap((id) => targets[id])]);
        const masked = createFakeModel(vocabSize, (source, history) =>
          Array.from(logits(source, history), (logit, id) =>
            offered.has(id) ? logit : Number.NEGATIVE_INFINITY,
          ),
        );
        const wanted = await decode(masked, inputs, options);
        expect(await decode(whole(), inputs, { ...options, shortlist: list })).toEqual(wanted);
      }),
      { numRuns: 80 },
    );
  });

  it('always offers what other options name', async () => {
    const none = shortlist([], []);
    const outputs = async (options: GenerationOptions, model = whole()) =>
      idsOf(await decode(model, [[5, 6]], { ...options, shortlist: none }));
    expect(await outputs({ maxNewTokens: 3, forcedBosTokenId: 9, forcedEosTokenId: 8 })).toEqual([
      [expect.arrayContaining([9])],
    ]);
    const forced = { numBeams: 4, maxNewTokens: 6, forceWordsIds: [[7, 3]] };
    expect((await outputs(forced))[0][0].join()).toContain('7,3');
    expect(await outputs({ allowedSequences: [[11, 12]] })).toEqual([[[11, 12, 1]]]);
    expect((await outputs({ maxNewTokens: 4, sequenceBias: [[[10], 50]] }))[0][0]).toContain(10);
    const begun = await decode(whole(), [{ inputIds: [5], decoderInputIds: [6, 2] }], {
      maxNewTokens: 4,
      numBeams: 2,
      shortlist: none,
    });
    expect(begun[0].sequences[0].ids.slice(0, 2)).toEqual([6, 2]);
    for (const id of begun[0].sequences[0].ids) expect([0, 1, 2, 6]).toContain(id);
  });

  it('is the union over the sentences of a batch, without their padding', () => {
    const request = {
      source: {
        inputIds: Int32Array.of(2, 3, 4, 5, 0, 0),
        attentionMask: Int32Array.of(1, 1, 1, 1, 0, 0),
        batch: 2,
        source: 3,
      },
      prompt: Int32Array.of(0, 0),
      options: resolveGenerationOptions({}),
      rules: { ...fakeRules, forcedBosTokenId: 13 },
    };
    // Token 5 is beyond the table; the targets of 0, the padding, are not wanted.
    const list = shortlist([[12], [], [9, 6], [], [6, 2]], [3]);
    expect([...shortlistVocabulary(list, request, vocabSize)]).toEqual([0, 1, 2, 3, 6, 9, 13]);
  });

  it('is refused where it does not fit', async () => {
    const foreign = { shortlist: shortlist([[2]], [14]) };
    await expect(decode(whole(), [[2]], foreign)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    const { takesVocabulary: _, ...unable } = whole();
    await expect(decode(unable, [[2]], { shortlist: full })).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
    });
    expect(() => resolveGenerationOptions({ shortlist: full, prefixAllowedTokens: () => [1] })).toThrow(
      expect.objectContaining({ code: 'OPTION_CONFLICT', message: expect.stringContaining('shortlist') }),
    );
    expect(() => resolveGenerationOptions({ shortlist: { offsets: [0] } })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  it('has lists in order and ids from 0', () => {
    expect(isShortlist(shortlist([[1], [], [2, 3]], [4]))).toBe(true);
    const { targets, always } = full;
    expect(isShortlist({ offsets: Int32Array.of(0, 2, 1), targets: Int32Array.of(5), always })).toBe(false);
    expect(isShortlist({ offsets: Int32Array.of(0, 2), targets, always })).toBe(false);
    expect(isShortlist({ offsets: new Int32Array(0), targets, always })).toBe(false);
    expect(isShortlist({ offsets: Int32Array.of(0), targets, always: Int32Array.of(-1) })).toBe(false);
    expect(isShortlist(undefined)).toBe(false);
  });
});
