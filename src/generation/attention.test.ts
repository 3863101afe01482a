import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashAttention, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules } from '../../test/support/generation/run.js';
import type { GenerationOptions } from './options.js';
import type { AttentionSpec } from './stepModel.js';

const vocabSize = 14;
const logits = (seed: number) => hashLogits({ vocabSize, eosTokenIds: [1], endBias: 1, seed });
const model = (seed = 3) => createFakeModel(vocabSize, logits(seed), undefined, hashAttention);

const searches = fc.constantFrom<GenerationOptions>(
  {},
  { forcedEosTokenId: 1, maxNewTokens: 4 },
  { forcedBosTokenId: 9, numBeams: 2 },
  { numBeams: 4, numReturnSequences: 4 },
  { numBeams: 4, numReturnSequences: 4, forcedEosTokenId: 1, maxNewTokens: 5 },
  { numBeams: 4, numReturnSequences: 3, numBeamGroups: 2, diversityPenalty: 1 },
  { numBeams: 4, numReturnSequences: 3, forceWordsIds: [[4, 5]] },
  { doSample: true, numReturnSequences: 3, seed: 5 },
  { doSample: true, numBeams: 3, numReturnSequences: 3, seed: 5 },
  { penaltyAlpha: 0.6, topK: 4 },
  { penaltyAlpha: 0.3, topK: 3, forcedBosTokenId: 9, forcedEosTokenId: 1, maxNewTokens: 5 },
  { conventions: 'marian' },
  { conventions: 'marian', numBeams: 4, numReturnSequences: 4, forcedEosTokenId: 1, maxNewTokens: 5 },
  { conventions: 'fairseq', numBeams: 3, numReturnSequences: 3, forcedBosTokenId: 9, maxNewTokens: 5 },
  { conventions: 'ctranslate2', numBeams: 4, numReturnSequences: 4, repetitionPenalty: 1.3 },
  { conventions: 'unilm', numBeams: 3, numReturnSequences: 3 },
);

/** What each token of an output is to read of its source, from the history before it. */
function expectOwnRows(
  attention: readonly Float32Array[] | undefined,
  source: readonly number[],
  ids: readonly number[],
  spec: AttentionSpec,
): void {
  expect(attention?.length).toBe(ids.length);
  ids.forEach((_, place) => {
    const wanted = hashAttention(source, [0, ...ids.slice(0, place)], spec);
    expect(attention![place]).toEqual(Float32Array.from(wanted));
  });
}

describe('returnAttention', () => {
  it('gives each token the row of its own history, whatever the search, the beams and the batch', async () => {
    const source = fc.array(fc.integer({ min: 2, max: 13 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(source, { minLength: 1, maxLength: 5 }),
        searches,
        fc.constantFrom<AttentionSpec>({}, { layer: 0 }, { layer: 1, heads: [3, 1] }),
        async (inputs, options, spec) => {
          const asked = {
            maxNewTokens: 8,
            ...options,
            returnAttention: true,
            alignmentLayer: spec.layer,
            alignmentHeads: spec.heads && [...spec.heads],
          };
          const results = await decode(model(), inputs, asked);
          const plain = await decode(model(), inputs, { maxNewTokens: 8, ...options });
          results.forEach(({ sequences }, index) => {
            expect(sequences.map(({ attention: _, ...rest }) => rest)).toEqual(plain[index].sequences);
            for (const { ids, attention } of sequences) expectOwnRows(attention, inputs[index], ids, spec);
          });
        },
      ),
      { numRuns: 120 },
    );
  });

  it.each<GenerationOptions>([
    { numBeams: 2 },
    { penaltyAlpha: 0.6, topK: 4 },
    { conventions: 'marian', numBeams: 2 },
    { conventions: 'fairseq', numBeams: 2 },
    { conventions: 'ctranslate2', numBeams: 2 },
    { conventions: 'unilm' },
  ])('has a row for each token of a given beginning, and none for an empty input: %j', async (options) => {
    const inputs = [
      { inputIds: [5, 6, 7], decoderInputIds: [4, 9] },
      { inputIds: [8, 3], decoderInputIds: [0, 2, 2] },
      { inputIds: [] },
    ];
    const results = await decode(model(), inputs, { ...options, returnAttention: true, maxNewTokens: 5 });
    results.slice(0, 2).forEach(({ sequences: [{ ids, attention }] }, index) => {
      expect(ids.length).toBeGreaterThan(2);
      expectOwnRows(attention, inputs[index].inputIds, ids, {});
    });
    expect(results[2].sequences[0].attention).toEqual([]);
  });

  it('asks the model for attention only where it is wanted', async () => {
    const asked = model();
    await decode(asked, [[3]], { numBeams: 2 });
    expect(asked.log.starts[0].attention).toBeUndefined();
    await decode(asked, [[3]], { numBeams: 2, returnAttention: true, alignmentLayer: 1 });
    expect(asked.log.starts[1].attention).toEqual({ layer: 1 });
  });

  it('takes no step more for a forced last token than attention needs', async () => {
    const rules = { ...fakeRules, forcedEosTokenIds: [1] };
    const steps = [];
    for (const returnAttention of [false, true]) {
      const asked = model();
      await decode(asked, [[3]], { maxNewTokens: 4, minNewTokens: 4, returnAttention }, {}, rules);
      steps.push(asked.log.steps.length);
    }
    expect(steps).toEqual([2, 3]);
  });

  it.each<[GenerationOptions, string, string]>([
    [
      { returnAttention: true, alignmentLayer: 3 },
      'OPTION_INVALID',
      "alignmentLayer cannot be 3: the decoder's are numbered 0 to 2",
    ],
    [{ returnAttention: true, alignmentHeads: [0, 4] }, 'OPTION_INVALID', 'alignmentHeads cannot be 4'],
    [{ alignmentLayer: 1 }, 'OPTION_CONFLICT', 'alignmentLayer 1 has no effect with returnAttention false'],
    [{ alignmentHeads: [] }, 'OPTION_INVALID', 'alignmentHeads cannot be []'],
  ])('refuses %j', async (options, code, message) => {
    const asked = model();
    const error = await decode(asked, [[3]], options).catch((reason) => reason);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(asked.log.starts).toEqual([]);
  });

  it('is refused by a model that has none', async () => {
    const blind = createFakeModel(vocabSize, logits(3));
    await expect(decode(blind, [[3]], { returnAttention: true })).rejects.toMatchObject({
      code: 'ATTENTION_MISSING',
    });
    expect(blind.log.starts).toEqual([]);
  });
});
