import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeModel, fakeHidden, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import { readGenerationConfig } from './generationConfig.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';

const vocabSize = 14;
const hash = (seed: number) => hashLogits({ vocabSize, eosTokenIds: [1], endBias: 1, seed });
const model = (seed: number, positions?: number) => createFakeModel(vocabSize, hash(seed), positions);

const norm = (a: readonly number[]) => Math.sqrt(a.reduce((sum, x) => sum + x * x, 0));
const cosine = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * b[i], 0) / norm(a) / norm(b);

/** The paper's equation 5, one token after the other. */
function naive(seed: number, source: readonly number[], options: GenerationOptions): number[] {
  const { penaltyAlpha = 0, topK = 50, maxNewTokens = 20, minNewTokens = 0 } = options;
  const history = [0];
  for (let count = 1; count <= maxNewTokens; count++) {
    const logits = Array.from(hash(seed)(source, history));
    if (count <= minNewTokens) logits[1] = Number.NEGATIVE_INFINITY;
    const sum = logits.reduce((total, value) => total + Math.exp(value), 0);
    const top = [...logits.keys()].sort((a, b) => logits[b] - logits[a]).slice(0, topK);
    const past = history.map((_, at) => fakeHidden(history.slice(0, at + 1)));
    const value = (token: number) => {
      const own = fakeHidden([...history, token]);
      const likeness = Math.max(...past.map((one) => cosine(one, own)));
      return (1 - penaltyAlpha) * (Math.exp(logits[token]) / sum) - penaltyAlpha * likeness;
    };
    history.push(top.reduce((best, token) => (value(token) > value(best) ? token : best)));
    if (history.at(-1) === 1) break;
  }
  return history.slice(1);
}

describe('contrastive search', () => {
  it('is what equation 5 says, whatever the batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1000 }),
        fc.array(fc.array(fc.integer({ min: 2, max: 13 }), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.constantFrom<GenerationOptions>(
          { penaltyAlpha: 0.6, topK: 4, maxNewTokens: 9 },
          { penaltyAlpha: 0.2, topK: 3, maxNewTokens: 6, minNewTokens: 5 },
          { penaltyAlpha: 1, topK: 14, maxNewTokens: 5 },
          { penaltyAlpha: 0.4, topK: 50, maxNewTokens: 1 },
        ),
        async (seed, inputs, options) => {
          const found = idsOf(await decode(model(seed), inputs, options, { batchSize: 3 }));
          expect(found).toEqual(inputs.map((source) => [naive(seed, source, options)]));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is greedy search where the penalty next to vanishes', async () => {
    const inputs = [[3], [4, 5], [6, 7, 8]];
    for (let seed = 0; seed < 10; seed++) {
      const options = { maxNewTokens: 8, noRepeatNgramSize: 2 };
      const contrastive = await decode(model(seed), inputs, { ...options, penaltyAlpha: 1e-9, topK: 4 });
      expect(idsOf(contrastive)).toEqual(idsOf(await decode(model(seed), inputs, options)));
    }
  });

  it('scores by the probabilities it chose by, those of what the processors allow', async () => {
    const options = { penaltyAlpha: 0.6, topK: 4, maxNewTokens: 6, suppressTokens: [5, 6, 7] };
    const [{ sequences }] = await decode(model(3), [[4, 5]], options);
    const [{ ids, score, tokenLogProbabilities }] = sequences;
    ids.forEach((id, at) => {
      const logits = Array.from(hash(3)([4, 5], [0, ...ids.slice(0, at)]));
      const allowed = logits.filter((_, token) => ![5, 6, 7].includes(token));
      const sum = Math.log(allowed.reduce((total, value) => total + Math.exp(value), 0));
      expect(tokenLogProbabilities[at]).toBeCloseTo(logits[id] - sum, 5);
    });
    expect(score).toBeCloseTo(tokenLogProbabilities.reduce((a, b) => a + b) / ids.length, 6);
  });

  it('goes with forced tokens, allowed outputs, stop strings and prompts', async () => {
    const options = { penaltyAlpha: 0.5, topK: 4, maxNewTokens: 7 };
    const inputs = [[3], [4, 5], [6, 7, 8]];
    const rules = { ...fakeRules, forcedBosTokenId: 9, forcedEosTokenIds: [1] };
    for (const [ids] of idsOf(await decode(model(2), inputs, options, {}, rules))) {
      expect(ids[0]).toBe(9);
      expect(ids.at(-1)).toBe(1);
    }
    const allowed = [[2, 3, 4], [2, 5], [6]];
    const limited = await decode(model(2), inputs, { ...options, allowedSequences: allowed });
    for (const [ids] of idsOf(limited)) expect(allowed).toContainEqual(ids.slice(0, -1));
    const decoder = (outputs: number[][]) => outputs.map((ids) => ids.map((id) => ` ${id}`).join(''));
    const stopStrings = [' 4', ' 8', ' 11'];
    const many = Array.from({ length: 8 }, (_, i) => [i + 2]);
    const stopped = idsOf(await decode(model(2), many, { ...options, stopStrings, decode: decoder })).flat();
    const stops = (id: number | undefined) => id === 4 || id === 8 || id === 11;
    expect(stopped.filter((ids) => stops(ids.at(-1))).length).toBeGreaterThan(1);
    for (const ids of stopped) expect(ids.slice(0, -1).some(stops)).toBe(false);
    const [free] = idsOf(await decode(model(2), [[3]], options));
    const begun = { inputIds: [3], decoderInputIds: free[0].slice(0, 2) };
    expect(idsOf(await decode(model(2), [begun], { ...options, maxNewTokens: 5 }))).toEqual([free]);
  });

  it('needs a position for its last token, too', async () => {
    const options = { penaltyAlpha: 0.6, topK: 3 };
    const endless = { ...fakeRules, eosTokenIds: [] };
    const [{ sequences }] = await decode(model(1, 6), [[3]], { ...options, maxNewTokens: 5 }, {}, endless);
    expect(sequences[0].ids).toHaveLength(5);
    await expect(decode(model(1, 6), [[3]], { ...options, maxNewTokens: 6 })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
  });

  it('is what a model may ask for, and gives way to beams and sampling', () => {
    const { defaults } = readGenerationConfig({ decoder_start_token_id: 0, penalty_alpha: 0.6, top_k: 4 });
    expect(resolveGenerationOptions({}, defaults)).toMatchObject({ penaltyAlpha: 0.6, topK: 4 });
    for (const options of [{ numBeams: 2 }, { doSample: true }, { topK: 1, doSample: true }]) {
      expect(resolveGenerationOptions(options, defaults).penaltyAlpha).toBe(0);
    }
  });

  it('refuses models without hidden states, and what it has no place for', async () => {
    const lacking = { ...model(1), givesHidden: false };
    await expect(decode(lacking, [[3]], { penaltyAlpha: 0.6, topK: 4 })).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining('penaltyAlpha 0.6 needs'),
    });
    for (const [options, message] of [
      [{ numBeams: 2 }, 'numBeams 2'],
      [{ doSample: true }, 'doSample true'],
      [{ returnLogits: true }, 'returnLogits true'],
      [{ topK: 1 }, 'topK is 1'],
      [{ temperature: 0.5 }, 'temperature 0.5 has no effect'],
    ] as const) {
      expect(() => resolveGenerationOptions({ penaltyAlpha: 0.6, ...options })).toThrow(message);
    }
  });
});
