import '../node/install.js';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashAttention, hashLogits } from '../../test/support/generation/fakeModel.js';
import { generate } from '../generation/generate.js';
import { type GenerationOptions, resolveGenerationOptions } from '../generation/options.js';
import { stepModelContract } from '../generation/stepModel.contract.js';
import type { StepModel } from '../generation/stepModel.js';
import { createEnsemble, type EnsembleOptions } from './ensemble.js';

const vocabSize = 20;
const member = (seed: number) => hashLogits({ vocabSize, eosTokenIds: [1], endBias: 1, seed });
const fake = (seed: number) => createFakeModel(vocabSize, member(seed), undefined, hashAttention);

for (const combine of ['linear', 'logLinear'] as const) {
  stepModelContract(`an ensemble, ${combine}`, async () => ({
    model: createEnsemble([fake(3), fake(4), fake(5)], { combine, weights: [1, 2, 0.5] }),
    sources: [[4, 5, 6], [7, 8, 9, 10, 11], [12]],
    padTokenId: 0,
    decoderStartTokenId: 0,
  }));
}

const inputs = [[4, 5, 6], [7, 8, 9, 10, 11], [12]].map((inputIds) => ({ inputIds }));

async function outputs(model: StepModel, options: GenerationOptions = { numBeams: 3, maxNewTokens: 8 }) {
  const rules = { decoderStartTokenId: 0, eosTokenIds: [1], padTokenId: 0 };
  const results = await generate(model, inputs, resolveGenerationOptions(options), rules);
  return results.map(({ sequences }) => sequences[0]);
}

/** Log-softmax. */
function logs(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  const sum = Math.log(values.reduce((total, value) => total + Math.exp(value - largest), 0)) + largest;
  return values.map((value) => value - sum);
}

/** One model that computes what the ensemble should, by the definition. */
function combined({ combine, weights }: Required<EnsembleOptions>, seeds: readonly number[]): StepModel {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return createFakeModel(vocabSize, (source, history) => {
    const all = seeds.map((seed) => logs(member(seed)(source, history)));
    return Array.from({ length: vocabSize }, (_, token) => {
      const parts = all.map((one, index) => [one[token], weights[index] / total]);
      if (combine === 'logLinear') return parts.reduce((sum, [log, weight]) => sum + weight * log, 0);
      return Math.log(parts.reduce((sum, [log, weight]) => sum + weight * Math.exp(log), 0));
    });
  });
}

describe('createEnsemble', () => {
  it.each(['linear', 'logLinear'] as const)('searches the %s mean of its members', async (combine) => {
    const seeds = [3, 4, 5];
    const options = { combine, weights: [1, 2, 0.5] };
    const found = await outputs(createEnsemble(seeds.map(fake), options));
    const wanted = await outputs(combined(options, seeds));
    expect(found.map(({ ids }) => ids)).toEqual(wanted.map(({ ids }) => ids));
    found.forEach(({ score }, index) => {
      expect(score).toBeCloseTo(wanted[index].score, 4);
    });
    const alone = await outputs(fake(3));
    expect(found.map(({ ids }) => ids)).not.toEqual(alone.map(({ ids }) => ids));
  });

  it('of one member, or of one many times, is that member', async () => {
    const alone = await outputs(fake(3));
    for (const members of [[fake(3)], [fake(3), fake(3)]]) {
      for (const combine of ['linear', 'logLinear'] as const) {
        const found = await outputs(createEnsemble(members, { combine }));
        expect(found.map(({ ids }) => ids)).toEqual(alone.map(({ ids }) => ids));
      }
    }
  });

  it('refuses members and weights that do not fit', () => {
    const other = createFakeModel(7, hashLogits({ vocabSize: 7, eosTokenIds: [1], endBias: 0, seed: 1 }));
    for (const [members, options, message] of [
      [[], {}, 'no members'],
      [[fake(3), other], {}, 'know 20, 7 tokens'],
      [[fake(3)], { weights: [1, 2] }, 'weights cannot be [1, 2]'],
      [[fake(3)], { weights: [0] }, 'weights cannot be [0]'],
      [[fake(3)], { combine: 'mean' }, 'combine cannot be "mean"'],
    ] as [StepModel[], EnsembleOptions, string][]) {
      expect(() => createEnsemble(members, options)).toThrow(message);
    }
  });
});
