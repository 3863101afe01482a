import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { loadEnsemble } from './loadEnsemble.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';

/*
 * Models that continue texts. What they generate is compared with transformers in transformers.test.ts, whose batches
 * are padded on the left; here is what they do beside that.
 */

const root = 'test/fixtures/models';
const expected = JSON.parse(readFileSync(`${root}/gpt2/expected.json`, 'utf8'));
const texts: number[][] = expected.inputs.input_ids.map((row: number[], at: number) =>
  row.filter((_, column) => expected.inputs.attention_mask[at][column] === 1),
);
const inputs = texts.map((inputIds) => ({ inputIds }));

let model: Model;
beforeAll(async () => {
  model = await loadModel(`${root}/gpt2`);
});
afterAll(() => model.dispose());

test('texts of several lengths get what each gets alone, blank lines stay blank', async () => {
  for (const options of [{ maxNewTokens: 8 }, { maxNewTokens: 8, numBeams: 3, numReturnSequences: 3 }]) {
    const mixed = [inputs[1], { inputIds: [] }, inputs[2], inputs[0], inputs[1], inputs[3]];
    const together = await model.generate(mixed, options);
    for (const [at, input] of mixed.entries()) {
      const [alone] = await model.generate([input], options);
      expect(together[at].sequences.map(({ ids }) => ids)).toEqual(alone.sequences.map(({ ids }) => ids));
      for (const [rank, { score }] of alone.sequences.entries()) {
        expect(together[at].sequences[rank].score).toBeCloseTo(score, 5);
      }
    }
    expect(together[1].sequences).toEqual([
      { ids: [], score: 0, tokenLogProbabilities: [], text: undefined },
    ]);
  }
});

test('the text comes first in its output, and the log-probabilities are those of what follows', async () => {
  const outputs = await model.generate(inputs, { maxNewTokens: 6 });
  for (const [at, { sequences }] of outputs.entries()) {
    const [{ ids, tokenLogProbabilities }] = sequences;
    expect(ids.slice(0, texts[at].length)).toEqual(texts[at]);
    expect(ids.length - texts[at].length).toBe(tokenLogProbabilities.length);
    const target = ids.slice(texts[at].length);
    const [scored] = await model.score([{ source: inputs[at], target }], { lengthPenalty: 0 });
    for (const [place, value] of scored.tokenLogProbabilities.entries()) {
      expect(value).toBeCloseTo(tokenLogProbabilities[place], 4);
    }
  }
});

test('what the attention mask hides is no part of the text', async () => {
  const hidden = { inputIds: [0, 0, ...texts[0], 7], attentionMask: [0, 0, ...texts[0].map(() => 1), 0] };
  const [masked, bare] = await model.generate([hidden, inputs[0]], { maxNewTokens: 6, numBeams: 2 });
  expect(masked.sequences).toEqual(bare.sequences);
});

test('to the options against the source, the text is the source', async () => {
  const options = { maxNewTokens: 12, minNewTokens: 12 };
  const plain = await model.generate(inputs, options);
  const others = await model.generate(inputs, { ...options, encoderNoRepeatNgramSize: 1 });
  const copies = (outputs: typeof plain) =>
    outputs.flatMap(({ sequences: [{ ids }] }, at) =>
      ids.slice(texts[at].length).filter((id) => texts[at].includes(id)),
    ).length;
  expect(copies(plain)).toBeGreaterThan(3);
  expect(copies(others)).toBe(0);
});

test('a text may fill the positions but for one new token, and no more', async () => {
  const long = Array.from({ length: 40 }, (_, at) => 4 + ((at * 7) % 60));
  const [{ sequences }] = await model.generate([{ inputIds: long }], { maxNewTokens: 1 });
  expect(sequences[0].ids.slice(0, 40)).toEqual(long);
  await expect(model.generate([{ inputIds: long }], { maxNewTokens: 2 })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining('leave room for 1'),
  });
  await expect(model.score([{ source: { inputIds: long }, target: [5, 6] }])).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining('the model can write 1'),
  });
});

test("samples come from transformers' distribution", async () => {
  const draws = 4000;
  const options = { doSample: true, seed: 3, maxNewTokens: 1, temperature: 1.5, topK: 8 };
  const at = 2;
  const [{ sequences }] = await model.generate([inputs[at]], { ...options, numReturnSequences: draws });
  const logits: number[] = expected.forward.logits[at][texts[at].length - 1];
  const best = [...logits.keys()].sort((a, b) => logits[b] - logits[a]).slice(0, 8);
  const weights = best.map((id) => Math.exp(logits[id] / 1.5));
  const sum = weights.reduce((a, b) => a + b);
  const counts = best.map((id) => sequences.filter(({ ids }) => ids.at(-1) === id).length);
  expect(counts.reduce((a, b) => a + b)).toBe(draws);
  const statistic = counts.reduce((total, count, i) => {
    const wanted = (draws * weights[i]) / sum;
    return total + (count - wanted) ** 2 / wanted;
  }, 0);
  // Seven degrees of freedom: beyond 24.3 once in a thousand times.
  expect(statistic).toBeLessThan(24.3);
});

describe('refusals', () => {
  test.each([
    [{ inputIds: [5, 6], decoderInputIds: [7] }, 'append them to inputIds'],
    [{ inputIds: [5, 64] }, 'inputIds holds 64'],
  ])('%j', async (input, message) => {
    await expect(model.generate([input])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('a translation', async () => {
    await expect(model.translate(['a'])).rejects.toMatchObject({
      code: 'MODEL_CANNOT_GENERATE',
      message: expect.stringContaining('continues texts'),
    });
  });

  test('an ensemble with a model that reads a source; two that continue texts are one', async () => {
    await expect(loadEnsemble([`${root}/bart`, `${root}/gpt2`])).rejects.toMatchObject({
      code: 'ENSEMBLE_MISMATCH',
      message: `${root}/gpt2 continues texts and ${root}/bart reads a source; take models of one kind.`,
    });
    const twice = await loadEnsemble([`${root}/gpt2`, `${root}/gpt2`]);
    const ids = async (one: Pick<Model, 'generate'>) =>
      (await one.generate(inputs, { numBeams: 2, maxNewTokens: 6 })).map(({ sequences }) => sequences[0].ids);
    expect(await ids(twice)).toEqual(await ids(model));
    await twice.dispose();
  });
});

test('a decoder of BertGeneration alone continues texts, as its logits say', async () => {
  const decoder = await loadModel(`${root}/bert-generation-decoder`);
  const given = [5, 9, 30, 11];
  const [{ sequences }] = await decoder.generate([{ inputIds: given }], { maxNewTokens: 5 });
  const { ids } = sequences[0];
  expect(ids.slice(0, 4)).toEqual(given);
  const { logits } = await decoder.forward({ inputIds: ids });
  const best = logits!.slice(3, -1).map((row) => row.indexOf(Math.max(...row)));
  expect(best).toEqual(ids.slice(4));
  await decoder.dispose();
});
