import { expect } from 'vitest';
import { generate } from '../../../src/generation/generate.js';
import type { Batching, GenerationInput } from '../../../src/generation/inputs.js';
import {
  type DecodingRules,
  type GenerationOptions,
  resolveGenerationOptions,
} from '../../../src/generation/options.js';
import type { StepModel } from '../../../src/generation/stepModel.js';

/** Rules of the fake models: 0 starts and pads, 1 ends. */
export const fakeRules: DecodingRules = { decoderStartTokenId: 0, eosTokenIds: [1], padTokenId: 0 };

/** Decodes lists of source ids (or whole inputs) with a fake model. */
export async function decode(
  model: StepModel,
  inputs: readonly (readonly number[] | GenerationInput)[],
  options: GenerationOptions = {},
  batching: Batching = {},
  rules: DecodingRules = fakeRules,
) {
  const full = inputs.map((input) =>
    Array.isArray(input) ? { inputIds: input } : (input as GenerationInput),
  );
  return generate(model, full, resolveGenerationOptions(options), rules, batching);
}

/** Ids of all sequences of all results. */
export function idsOf(results: Awaited<ReturnType<typeof decode>>): number[][][] {
  return results.map(({ sequences }) => sequences.map(({ ids }) => ids));
}

/** Holds n-best lists to those of another toolkit: ids exactly, scores to a tolerance. @param wanted [input][rank] */
export function expectNBest(
  results: readonly { sequences: readonly { ids: readonly number[]; score: number }[] }[],
  wanted: readonly (readonly (readonly [ids: readonly number[], score: number])[])[],
  tolerance: number,
): void {
  expect(results.map(({ sequences }) => sequences.map(({ ids }) => ids))).toEqual(
    wanted.map((outputs) => outputs.map(([ids]) => ids)),
  );
  wanted.forEach((outputs, input) => {
    outputs.forEach(([, score], rank) => {
      expect(Math.abs(results[input].sequences[rank].score - score)).toBeLessThan(tolerance);
    });
  });
}
