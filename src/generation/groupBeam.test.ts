import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashLogits, scriptedLogits } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import { generate } from './generate.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';

interface Case {
  options: GenerationOptions;
  outputs: [number[], number][][];
}

// Made by tools/makeGroupBeamFixtures.py with transformers 4.51.3, for the first model and the inputs of transformers.json.
const path = new URL('../../test/fixtures/generation/groupBeam.json', import.meta.url);
const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[];
const inputs = [
  [5, 6, 7, 8],
  [9, 3],
  [4, 4, 4, 11, 12],
];
const spec = { vocabSize: 16, eosTokenIds: [1], endBias: 1.5, seed: 7 };

describe('diverse beam search', () => {
  it.each(cases.map((one) => [JSON.stringify(one.options), one] as const))(
    'equals transformers 4.51: %s',
    async (_, { options, outputs }) => {
      const results = await decode(createFakeModel(spec.vocabSize, hashLogits(spec)), inputs, {
        ...options,
        numReturnSequences: options.numBeams,
        badWordsIds: [[0]],
      });
      expect(idsOf(results)).toEqual(outputs.map((output) => output.map(([ids]) => ids)));
      outputs.forEach((output, input) => {
        output.forEach(([, score], rank) => {
          expect(Math.abs(results[input].sequences[rank].score - score)).toBeLessThan(1e-4);
        });
      });
    },
  );

  it('is greedy search with one beam, whatever groups a model has by default', async () => {
    const model = () => createFakeModel(spec.vocabSize, hashLogits(spec));
    const defaults = { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 };
    const options = resolveGenerationOptions({ numBeams: 1 }, defaults);
    const full = inputs.map((inputIds) => ({ inputIds }));
    expect(await generate(model(), full, options, fakeRules)).toEqual(await decode(model(), inputs));
  });

  it('takes by hand what the penalty leaves best', async () => {
    const script = { '': { 2: 0.5, 3: 0.3, 4: 0.2 }, '2': { 1: 1 }, '3': { 1: 1 }, '4': { 1: 1 } };
    const scripted = () => createFakeModel(6, scriptedLogits(6, script));
    const first = async (diversityPenalty: number) => {
      const options = {
        numBeams: 2,
        numBeamGroups: 2,
        numReturnSequences: 2,
        lengthPenalty: 0,
        diversityPenalty,
      };
      const [{ sequences }] = await decode(scripted(), [[5]], { ...options, maxNewTokens: 2 });
      return sequences.map(({ ids, score }) => [ids, score]);
    };
    // 0.5 e^-0.4 is above 0.3, 0.5 e^-0.6 below. Both groups have found 2 1, which counts once, at its better score.
    expect(await first(0.4)).toEqual([[[2, 1], expect.closeTo(Math.log(0.5), 5)]]);
    expect(await first(0.6)).toEqual([
      [[2, 1], expect.closeTo(Math.log(0.5), 5)],
      [[3, 1], expect.closeTo(Math.log(0.3), 5)],
    ]);
  });

  it('gives its first group what a beam search of that size gives, and sorted, distinct outputs', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.constantFrom(2, 3),
        fc.constantFrom(0.2, 1, 5),
        async (seed, size, penalty) => {
          const model = () =>
            createFakeModel(14, hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: 0.5, seed }));
          const [{ sequences }] = await decode(model(), [[3, 4]], {
            numBeams: 3 * size,
            numReturnSequences: 3 * size,
            numBeamGroups: 3,
            diversityPenalty: penalty,
            earlyStopping: true,
          });
          const ids = sequences.map((one) => one.ids.join(' '));
          expect(new Set(ids).size).toBe(ids.length);
          for (let i = 1; i < ids.length; i++) {
            expect(sequences[i].score).toBeLessThanOrEqual(sequences[i - 1].score);
          }
          const [plain] = await decode(model(), [[3, 4]], {
            numBeams: size,
            numReturnSequences: size,
            earlyStopping: true,
          });
          // The two treat hypotheses that the length limit cuts differently, each as its transformers did.
          if (plain.sequences.some((one) => one.ids.length === 20)) return;
          for (const one of plain.sequences) expect(ids).toContain(one.ids.join(' '));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('makes outputs differ more, the larger the penalty', async () => {
    const different = async (options: GenerationOptions) => {
      const model = createFakeModel(14, hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: 0, seed: 3 }));
      const sources = Array.from({ length: 10 }, (_, i) => [i + 2]);
      const results = await decode(model, sources, { ...options, numReturnSequences: 4, maxNewTokens: 10 });
      const firsts = results.map(({ sequences }) => new Set(sequences.map(({ ids }) => ids[0])).size);
      return firsts.reduce((a, b) => a + b);
    };
    const plain = await different({ numBeams: 4 });
    expect(await different({ numBeams: 4, numBeamGroups: 4, diversityPenalty: 5 })).toBe(40);
    expect(plain).toBeLessThan(30);
  });
});

describe('sibling penalty', () => {
  const script = {
    '': { 2: 0.6, 3: 0.4 },
    '2': { 4: 0.5, 5: 0.5 },
    '3': { 4: 0.7, 5: 0.3 },
    '2 4': { 1: 1 },
    '2 5': { 1: 1 },
    '3 4': { 1: 1 },
    '3 5': { 1: 1 },
  };
  const search = async (siblingPenalty: number) => {
    const scripted = createFakeModel(7, scriptedLogits(7, script));
    const options = { numBeams: 2, numReturnSequences: 2, lengthPenalty: 0, siblingPenalty };
    const [{ sequences }] = await decode(scripted, [[5]], options);
    return sequences;
  };

  it('holds the second child of one parent behind the first of another, by hand', async () => {
    expect((await search(0)).map(({ ids }) => ids)).toEqual([
      [2, 4, 1],
      [2, 5, 1],
    ]);
    const diverse = await search(0.5);
    expect(diverse.map(({ ids }) => ids)).toEqual([
      [2, 4, 1],
      [3, 4, 1],
    ]);
    // Second and third tokens are first children: each loses 0.5 once; the first token nothing.
    expect(diverse[0].score).toBeCloseTo(Math.log(0.3) - 1, 5);
    expect(diverse[1].score).toBeCloseTo(Math.log(0.28) - 1, 5);
    expect(diverse[0].tokenLogProbabilities.map((value) => +value.toFixed(4))).toEqual([
      +Math.log(0.6).toFixed(4),
      +(Math.log(0.5) - 0.5).toFixed(4),
      -0.5,
    ]);
  });
});
