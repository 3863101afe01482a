import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashLogits } from '../../test/support/generation/fakeModel.js';
import { generate } from './generate.js';
import { readGenerationConfig } from './generationConfig.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';

interface Case {
  model: string;
  options: GenerationOptions;
  rules?: Record<string, unknown>;
  prompt?: number[];
  /** Whether `allowedTokens` constrains. */
  allowed?: boolean;
  /** Per input: [ids, score], best first. */
  outputs: [number[], number][][];
}

interface Fixture {
  models: Record<string, { vocab_size: number; eos: number[]; end_bias: number; seed: number }>;
  inputs: number[][];
  cases: Case[];
}

// Made by tools/makeGenerationFixtures.py with transformers 5.23.
const path = new URL('../../test/fixtures/generation/transformers.json', import.meta.url);
const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;

/** The same in tools/makeGenerationFixtures.py. */
function allowedTokens(sentence: number, ids: readonly number[]): number[] {
  const last = ids[ids.length - 1];
  const others = Array.from({ length: 14 }, (_, i) => i + 2);
  return [1, ...others.filter((token) => (token + 2 * sentence + ids.length + last) % 3 === 0)];
}

async function run({ model: name, options, rules, prompt, allowed }: Case) {
  const spec = fixture.models[name];
  const logits = hashLogits({
    vocabSize: spec.vocab_size,
    eosTokenIds: spec.eos,
    endBias: spec.end_bias,
    seed: spec.seed,
  });
  const model = createFakeModel(spec.vocab_size, logits);
  const config = readGenerationConfig({
    eos_token_id: spec.eos,
    pad_token_id: 0,
    decoder_start_token_id: 0,
    ...rules,
  });
  const resolved = resolveGenerationOptions(
    {
      ...options,
      numReturnSequences: options.numBeams ?? 1,
      ...(allowed && { prefixAllowedTokens: allowedTokens }),
    },
    config.defaults,
  );
  const inputs = fixture.inputs.map((inputIds) => ({ inputIds, decoderInputIds: prompt }));
  return { model, results: await generate(model, inputs, resolved, config.rules) };
}

describe('search equals transformers 5.23', () => {
  for (const one of fixture.cases) {
    const { model, options, rules, prompt, allowed } = one;
    it(`${model} ${JSON.stringify({ ...options, ...rules, prompt, allowed })}`, async () => {
      const { results, model: asked } = await run(one);
      expect(results.map(({ sequences }) => sequences.map(({ ids }) => ids))).toEqual(
        one.outputs.map((outputs) => outputs.map(([ids]) => ids)),
      );
      one.outputs.forEach((outputs, input) => {
        outputs.forEach(([, score], rank) => {
          expect(Math.abs(results[input].sequences[rank].score - score)).toBeLessThan(1e-4);
        });
      });
      expect(asked.log.alive).toBe(0);
    });
  }

  it.each([
    'suppressTokens',
    'beginSuppressTokens',
    'badWordsIds',
    'sequenceBias',
    'eosTokenId',
    'forcedBosTokenId',
    'forcedEosTokenId',
    'exponentialDecayLengthPenalty',
    'encoderNoRepeatNgramSize',
    'encoderRepetitionPenalty',
  ] as const)('%s decides the outcome of some case of the fixture', async (name) => {
    const telling = [];
    for (const one of fixture.cases.filter(({ options }) => options[name] !== undefined)) {
      const { results } = await run({ ...one, options: { ...one.options, [name]: undefined } });
      const ids = results.map(({ sequences }) => sequences.map((sequence) => sequence.ids));
      telling.push(JSON.stringify(ids) !== JSON.stringify(one.outputs.map((o) => o.map(([own]) => own))));
    }
    expect(telling.filter(Boolean).length).toBeGreaterThan(1);
  });

  // A fixture in which an option never mattered would not show that it works.
  it.each([
    'lengthPenalty',
    'earlyStopping',
    'noRepeatNgramSize',
    'repetitionPenalty',
    'minNewTokens',
  ] as const)('%s decides some outcome in the fixture', (name) => {
    const key = ({ model, options, rules, prompt }: Case) =>
      JSON.stringify([model, rules, prompt, { ...options, [name]: undefined }]);
    const seen = new Map<string, Set<string>>();
    for (const one of fixture.cases) {
      const outcomes = seen.get(key(one)) ?? new Set();
      seen.set(key(one), outcomes.add(JSON.stringify(one.outputs.map((o) => o.map(([ids]) => ids)))));
    }
    expect([...seen.values()].filter((outcomes) => outcomes.size > 1).length).toBeGreaterThan(1);
  });
});
