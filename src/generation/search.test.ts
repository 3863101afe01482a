import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashAttention, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import type { assistedOptionFields } from './assistedOptions.js';
import { createBackPointers } from './backPointers.js';
import { createBeamSelector } from './beam.js';
import { advancePosition, createFrontier } from './frontier.js';
import { type GenerationOptions, type generationOptionsSchema, resolveGenerationOptions } from './options.js';
import { suppressedToken, tokenClasses } from './processors/suppressedTokens.js';
import { searchBatch } from './search.js';

const hashModel = (seed: number, endBias = 1) =>
  createFakeModel(
    14,
    hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias, seed }),
    undefined,
    hashAttention,
  );

const source = fc.array(fc.integer({ min: 2, max: 13 }), { minLength: 1, maxLength: 6 });
const sources = fc.array(source, { minLength: 1, maxLength: 7 });

const searches: fc.Arbitrary<GenerationOptions> = fc.constantFrom<GenerationOptions>(
  { maxNewTokens: 9 },
  { maxNewTokens: 9, noRepeatNgramSize: 2, repetitionPenalty: 1.4 },
  { maxNewTokens: 9, numBeams: 3, numReturnSequences: 3 },
  { maxNewTokens: 9, numBeams: 3, numReturnSequences: 3, returnAttention: true, returnLogits: true },
  {
    maxNewTokens: 9,
    doSample: true,
    seed: 3,
    numReturnSequences: 2,
    returnAttention: true,
    alignmentHeads: [1],
  },
  { maxNewTokens: 12, numBeams: 4, numReturnSequences: 2, noRepeatNgramSize: 2, earlyStopping: 'never' },
  { maxNewTokens: 9, numBeams: 2, repetitionPenalty: 1.3, minNewTokens: 4, earlyStopping: true },
  {
    maxNewTokens: 9,
    numBeams: 3,
    sequenceBias: [
      [[4], -1],
      [[5, 6], 2],
    ],
    badWordsIds: [[3], [7, 8]],
  },
  { maxNewTokens: 9, numBeams: 3, numReturnSequences: 3, patience: 2, wordReward: 0.5, earlyStopping: true },
  { maxNewTokens: 9, numBeams: 3, numReturnSequences: 3, gnmtLengthPenalty: 1, coveragePenalty: 0.4 },
  { maxNewTokens: 9, numBeams: 4, numBeamGroups: 2, diversityPenalty: 1, coveragePenalty: 0.4 },
  { maxNewTokens: 9, numBeams: 3, forceWordsIds: [[4, 5]], coveragePenalty: 0.4 },
  { maxNewTokens: 9, numBeams: 3, gnmtLengthPenalty: 1.5, patience: 0.4, earlyStopping: 'never' },
  { maxNewTokens: 9, numBeams: 3, allowedSequences: [[2, 3, 4], [2, 5], [6], [7, 8, 9, 2, 3]] },
  { maxNewTokens: 9, prefixAllowedTokens: (input, ids) => [1, 2 + ((input + ids.length) % 3), 9] },
  { maxNewTokens: 9, doSample: true, seed: 4, topK: 0, allowedSequences: [[2, 3, 4], [2, 5], [6]] },
  { maxNewTokens: 9, numBeams: 4, numReturnSequences: 4, numBeamGroups: 2, diversityPenalty: 1.3 },
  {
    maxNewTokens: 12,
    numBeams: 6,
    numBeamGroups: 3,
    diversityPenalty: 0.5,
    noRepeatNgramSize: 2,
    minNewTokens: 3,
  },
  { maxNewTokens: 9, numBeams: 4, numReturnSequences: 4, siblingPenalty: 0.7 },
  {
    maxNewTokens: 9,
    numBeams: 4,
    numReturnSequences: 4,
    forceWordsIds: [
      [4, 5],
      [[9], [8, 7]],
    ],
  },
  { maxNewTokens: 9, sequenceBias: [[[4], 2]], encoderRepetitionPenalty: 1.7, encoderNoRepeatNgramSize: 2 },
  {
    maxNewTokens: 9,
    numBeams: 2,
    exponentialDecayLengthPenalty: [3, 1.4],
    encoderRepetitionPenalty: 0.6,
    beginSuppressTokens: [2, 5],
    suppressTokens: [9],
    encoderNoRepeatNgramSize: 1,
  },
  { maxNewTokens: 9, doSample: true, seed: 7, numBeams: 3, numReturnSequences: 3, topK: 6, temperature: 1.2 },
  {
    maxNewTokens: 9,
    doSample: true,
    seed: 8,
    numBeams: 4,
    topK: 0,
    topP: 0.7,
    minNewTokens: 3,
    noRepeatNgramSize: 2,
  },
  { maxNewTokens: 9, penaltyAlpha: 0.6, topK: 4, noRepeatNgramSize: 2 },
  { maxNewTokens: 9, doSample: true, seed: 5, numReturnSequences: 3, topK: 6, topP: 0.9, temperature: 1.3 },
  {
    maxNewTokens: 9,
    doSample: true,
    seed: 6,
    topK: 0,
    topP: 0.8,
    repetitionPenalty: 1.2,
    noRepeatNgramSize: 1,
  },
);

describe('the search loop', () => {
  it('gives each sentence the same result whatever shares its batch, in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        sources,
        searches,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 30 }),
        async (inputs, options, batchSize, maxBatchTokens) => {
          const together = await decode(hashModel(3), inputs, options, { batchSize, maxBatchTokens });
          for (let i = 0; i < inputs.length; i++) {
            const alone = await decode(hashModel(3), [inputs[i]], options, { firstIndex: i });
            expect(together[i]).toEqual(alone[0]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives the same result whenever finished sentences leave the batch', async () => {
    let left = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(source, { minLength: 3, maxLength: 9 }),
        searches,
        async (inputs, options) => {
          const width = Math.max(...inputs.map((ids) => ids.length));
          const padded = inputs.map((ids) => [...ids, ...new Array(width - ids.length).fill(0)]);
          const outcomes = [];
          for (const pruneAt of [0, 1 / 8, 1 / 2, 1]) {
            const model = hashModel(9);
            outcomes.push(
              await searchBatch(model, {
                source: {
                  inputIds: Int32Array.from(padded.flat()),
                  attentionMask: Int32Array.from(padded.flat(), (id) => Number(id !== 0)),
                  batch: inputs.length,
                  source: width,
                },
                prompt: new Int32Array(inputs.length),
                promptLength: 1,
                options: resolveGenerationOptions(options),
                limits: {
                  minNewTokens: options.minNewTokens ?? 0,
                  maxNewTokens: options.maxNewTokens as number,
                },
                rules: fakeRules,
                sentenceIds: inputs.map((_, i) => i),
                pruneAt,
              }),
            );
            expect(model.log.alive).toBe(0);
            if (pruneAt === 1) expect(model.log.keeps).toEqual([]);
            else left += model.log.keeps.length;
          }
          for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
        },
      ),
      { numRuns: 40 },
    );
    expect(left).toBeGreaterThan(20);
  });

  it('takes finished sentences out of the model batch', async () => {
    const model = hashModel(3);
    await decode(model, [[2, 3], [4], [5, 6, 7], [8]], { numBeams: 3, maxNewTokens: 20 });
    expect(model.log.keeps.length).toBeGreaterThan(0);
    expect(model.log.steps[0]).toBe(12);
    expect(model.log.steps.at(-1)).toBeLessThan(12);
  });

  it('returns n-best lists sorted and distinct', async () => {
    await fc.assert(
      fc.asyncProperty(
        source,
        fc.integer({ min: 2, max: 6 }),
        fc.integer(),
        async (input, numBeams, seed) => {
          const [{ sequences }] = await decode(hashModel(seed), [input], {
            numBeams,
            numReturnSequences: numBeams,
          });
          expect(sequences).toHaveLength(numBeams);
          expect(new Set(sequences.map(({ ids }) => ids.join(' '))).size).toBe(numBeams);
          for (let i = 1; i < numBeams; i++)
            expect(sequences[i].score).toBeLessThanOrEqual(sequences[i - 1].score);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('draws the same samples for the same seed, and others for another', async () => {
    const options = { doSample: true, seed: 21, numReturnSequences: 4, maxNewTokens: 8 };
    const first = await decode(hashModel(3), [[2, 3], [4]], options);
    expect(await decode(hashModel(3), [[2, 3], [4]], options)).toEqual(first);
    expect(idsOf(await decode(hashModel(3), [[2, 3], [4]], { ...options, seed: 22 }))).not.toEqual(
      idsOf(first),
    );
    const [samples] = idsOf(first);
    expect(new Set(samples.map(String)).size).toBeGreaterThan(1);
  });

  it('keeps earlier samples when more are asked for', async () => {
    const options = { doSample: true, seed: 21, maxNewTokens: 8 };
    const [few] = idsOf(await decode(hashModel(3), [[2, 3]], { ...options, numReturnSequences: 2 }));
    const [many] = idsOf(await decode(hashModel(3), [[2, 3]], { ...options, numReturnSequences: 5 }));
    expect(many.slice(0, 2)).toEqual(few);
  });

  // A new option must be added here, with a value that shows in the result.
  const decodeAll = (outputs: number[][]) => outputs.map((ids) => ids.map((id) => ` ${id}`).join(''));
  // The signal refuses a result, see abort.test.ts; others add something, see attention.test.ts, or are about prefixes.
  // Drafts change no result, see assisted.test.ts.
  type Untold =
    | 'signal'
    | 'prefixBiasBeta'
    | 'returnLogits'
    | 'returnAttention'
    | 'alignmentLayer'
    | 'alignmentHeads'
    | keyof typeof assistedOptionFields;
  const telling: Record<Exclude<keyof typeof generationOptionsSchema.shape, Untold>, GenerationOptions[]> = {
    stopStrings: [
      { stopStrings: 'none', decode: decodeAll },
      { stopStrings: [' 4', ' 5', ' 6'], decode: decodeAll },
    ],
    decode: [
      { stopStrings: ' 7', decode: decodeAll },
      { stopStrings: ' 7', decode: (outputs) => outputs.map((ids) => ids.map(() => ' 7').join('')) },
    ],
    numBeams: [{}, { numBeams: 4 }],
    maxNewTokens: [{}, { maxNewTokens: 2 }],
    minNewTokens: [{}, { minNewTokens: 12 }],
    lengthPenalty: [{ numBeams: 4 }, { numBeams: 4, lengthPenalty: 0 }],
    numBeamGroups: [
      { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 },
      { numBeams: 4, numBeamGroups: 4, diversityPenalty: 1 },
    ],
    diversityPenalty: [
      { numBeams: 4, numReturnSequences: 4, numBeamGroups: 2, diversityPenalty: 0.1 },
      { numBeams: 4, numReturnSequences: 4, numBeamGroups: 2, diversityPenalty: 3 },
    ],
    siblingPenalty: [
      { numBeams: 4, numReturnSequences: 4 },
      { numBeams: 4, numReturnSequences: 4, siblingPenalty: 1 },
    ],
    conventions: [{ numBeams: 4 }, { numBeams: 4, conventions: 'marian' }],
    noRepeatNgramIgnore: [
      { minNewTokens: 12, noRepeatNgramSize: 1 },
      { minNewTokens: 12, noRepeatNgramSize: 1, noRepeatNgramIgnore: [2, 3, 4, 5, 6] },
    ],
    gnmtLengthPenalty: [{ numBeams: 4 }, { numBeams: 4, gnmtLengthPenalty: 6 }],
    wordReward: [{ numBeams: 4 }, { numBeams: 4, wordReward: 3 }],
    coveragePenalty: [
      { numBeams: 4, numReturnSequences: 4, maxNewTokens: 2 },
      { numBeams: 4, numReturnSequences: 4, maxNewTokens: 2, coveragePenalty: 5 },
    ],
    patience: [
      { numBeams: 4, earlyStopping: true, lengthPenalty: 2 },
      { numBeams: 4, earlyStopping: true, lengthPenalty: 2, patience: 3 },
    ],
    maxTime: [{ minNewTokens: 12 }, { minNewTokens: 12, maxTime: 1e-9 }],
    earlyStopping: [
      { numBeams: 4, lengthPenalty: 2 },
      { numBeams: 4, lengthPenalty: 2, earlyStopping: true },
    ],
    numReturnSequences: [{ numBeams: 4 }, { numBeams: 4, numReturnSequences: 3 }],
    noRepeatNgramSize: [{ minNewTokens: 12 }, { minNewTokens: 12, noRepeatNgramSize: 2 }],
    repetitionPenalty: [{ minNewTokens: 12 }, { minNewTokens: 12, repetitionPenalty: 1.5 }],
    encoderNoRepeatNgramSize: [{ minNewTokens: 12 }, { minNewTokens: 12, encoderNoRepeatNgramSize: 1 }],
    encoderRepetitionPenalty: [{}, { encoderRepetitionPenalty: 4 }],
    doSample: [{}, { doSample: true, seed: 1 }],
    temperature: [
      { doSample: true, seed: 1 },
      { doSample: true, seed: 1, temperature: 0.2 },
    ],
    penaltyAlpha: [
      { penaltyAlpha: 0.1, topK: 4 },
      { penaltyAlpha: 0.9, topK: 4 },
    ],
    topK: [
      { doSample: true, seed: 1 },
      { doSample: true, seed: 1, topK: 2 },
    ],
    topP: [
      { doSample: true, seed: 1 },
      { doSample: true, seed: 1, topP: 0.3 },
    ],
    suppressTokens: [{}, { suppressTokens: [1] }],
    beginSuppressTokens: [{}, { beginSuppressTokens: [2, 3, 4, 5, 6, 7, 8] }],
    badWordsIds: [{}, { badWordsIds: [[2], [3], [4, 5], [6, 6]] }],
    sequenceBias: [{}, { sequenceBias: [[[4], 3]] }],
    eosTokenId: [{}, { eosTokenId: [2, 3, 4] }],
    forcedBosTokenId: [{}, { forcedBosTokenId: 9 }],
    forcedEosTokenId: [{ maxNewTokens: 3 }, { maxNewTokens: 3, forcedEosTokenId: 1 }],
    exponentialDecayLengthPenalty: [
      { minNewTokens: 2 },
      { minNewTokens: 2, exponentialDecayLengthPenalty: [0, 3] },
    ],
    forceWordsIds: [{ numBeams: 4 }, { numBeams: 4, forceWordsIds: [[9, 9]] }],
    orderedConstraints: [
      { numBeams: 4, forceWordsIds: [[9], [8], [5]] },
      { numBeams: 4, forceWordsIds: [[9], [8], [5]], orderedConstraints: true },
    ],
    prefixAllowedTokens: [{}, { prefixAllowedTokens: (_, ids) => [1, 13 - (ids.at(-1) as number)] }],
    returnAlternatives: [
      { numBeams: 3, numReturnSequences: 3 },
      { numBeams: 3, numReturnSequences: 3, returnAlternatives: true },
    ],
    minAlternativeExpansionProb: [
      { numReturnSequences: 5, returnAlternatives: true },
      { numReturnSequences: 5, returnAlternatives: true, minAlternativeExpansionProb: 0.1 },
    ],
    shortlist: [
      {},
      {
        shortlist: {
          offsets: Int32Array.of(0, 0, 2),
          targets: Int32Array.of(5, 6),
          always: Int32Array.of(7),
        },
      },
    ],
    allowedSequences: [{}, { allowedSequences: [[2, 3, 4], [2, 5], [6]] }],
    minP: [
      { doSample: true, seed: 1 },
      { doSample: true, seed: 1, minP: 0.4 },
    ],
    typicalP: [
      { doSample: true, seed: 1 },
      { doSample: true, seed: 1, typicalP: 0.3 },
    ],
    epsilonCutoff: [
      { doSample: true, seed: 1 },
      { doSample: true, seed: 1, epsilonCutoff: 0.2 },
    ],
    etaCutoff: [
      { doSample: true, seed: 1 },
      { doSample: true, seed: 1, etaCutoff: 0.4 },
    ],
    seed: [
      { doSample: true, seed: 1 },
      { doSample: true, seed: 2 },
    ],
  };

  it.each(Object.keys(telling))('lets %s change a result', async (name) => {
    const inputs = Array.from({ length: 8 }, (_, i) => [i + 2, i + 3]);
    const [one, other] = telling[name as keyof typeof telling];
    expect(idsOf(await decode(hashModel(3), inputs, one))).not.toEqual(
      idsOf(await decode(hashModel(3), inputs, other)),
    );
  });

  it('gives greedy results from beam search with one beam that stops at its first hypothesis', async () => {
    const limits = { minNewTokens: 0, maxNewTokens: 10 };
    const options = { ...resolveGenerationOptions({ maxNewTokens: 10 }), earlyStopping: true };
    for (let seed = 0; seed < 20; seed++) {
      const model = hashModel(seed);
      const frontier = createFrontier(1, 1, Int32Array.of(0), 1, 10, false);
      const pointers = createBackPointers(4);
      const classes = tokenClasses(model.vocabSize, fakeRules);
      const inputs = {
        inputIds: Int32Array.of(5, 6),
        attentionMask: Int32Array.of(1, 1),
        batch: 1,
        source: 2,
      };
      const selector = createBeamSelector({
        source: inputs,
        prompt: Int32Array.of(0),
        frontier,
        pointers,
        options,
        limits,
        rules: fakeRules,
        classes,
        batch: 1,
        sentenceIds: [0],
      });
      const selection = {
        candidates: selector.candidates,
        edits: 'none' as const,
        repetitionPenalty: 1,
        penaltySpace: 'logits' as const,
        renormalize: false,
        rescale: false,
        allowed: false,
        ownLogits: false,
      };
      const prompt = Int32Array.of(0);
      const started = await model.start({
        source: inputs,
        prompt,
        promptLength: 1,
        beams: 1,
        maxLength: 10,
        selection,
      });
      let { candidates } = started;
      for (
        let count = 1;
        !selector.advance(0, candidates, 0, 1, count, suppressedToken, count === 10);
        count++
      ) {
        advancePosition(frontier);
        candidates = await model.step(started.state, frontier);
      }
      const [{ node, score }] = selector.outputs(0);
      const ids: number[] = [];
      for (let at = node; at >= 0; at = pointers.parent[at]) ids.unshift(pointers.token[at]);
      const [greedy] = await decode(hashModel(seed), [[5, 6]], { maxNewTokens: 10 });
      expect(greedy.sequences[0].ids).toEqual(ids);
      expect(greedy.sequences[0].score).toBeCloseTo(score, 5);
    }
  });

  it('refuses NaN by name and still frees the state', async () => {
    const model = createFakeModel(5, (_, history) =>
      history.length < 3 ? [0, 0, 50, 0, 0] : new Array(5).fill(Number.NaN),
    );
    for (const options of [{}, { numBeams: 2 }, { doSample: true }]) {
      await expect(decode(model, [[2]], options)).rejects.toMatchObject({ code: 'LOGITS_INVALID' });
    }
    expect(model.log.alive).toBe(0);
  });
});
