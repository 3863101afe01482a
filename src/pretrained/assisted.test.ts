import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../node/install.js';
import type { GenerationOptions } from '../generation/options.js';
import { createBatcher } from './batcher.js';
import { loadEnsemble } from './loadEnsemble.js';
import { loadModel } from './loadModel.js';
import type { ModelOutput } from './modelOutput.js';

const load = (name: string, options = {}) => loadModel(`test/fixtures/models/${name}`, options);

const searches: GenerationOptions[] = [
  {},
  { repetitionPenalty: 1.5 },
  { noRepeatNgramSize: 2, minNewTokens: 10 },
  { encoderNoRepeatNgramSize: 2, encoderRepetitionPenalty: 1.4 },
  { suppressTokens: [7, 9], badWordsIds: [[5], [11, 12]], sequenceBias: [[[8, 6], 3]] },
  { forcedEosTokenId: 3, maxNewTokens: 9 },
  { exponentialDecayLengthPenalty: [4, 1.3], eosTokenId: [2, 3, 4] },
  { conventions: 'marian', repetitionPenalty: 1.2 },
  { conventions: 'ctranslate2' },
  { returnLogits: true, maxNewTokens: 6 },
];

/** Each with another of its vocabulary. */
const pairs = [
  ['marian', 'marian-sharded'],
  ['bart', 'pegasus'],
  ['mbart', 'm2m100'],
  ['t5', 'mt5'],
  ['t5-gated', 'marian-untied'],
  ['encoder-decoder', 'encoder-decoder-bert-generation'],
  ['gpt2', 'bert-generation-decoder'],
  ['bert-generation-decoder', 'gpt2'],
];

/** Ids must be the same, what is computed nearly so. */
function expectSame(found: ModelOutput, plain: ModelOutput): void {
  const [one, other] = [found.sequences[0], plain.sequences[0]];
  expect(one.ids).toEqual(other.ids);
  expect(Math.abs(one.score - other.score)).toBeLessThan(1e-5);
  one.tokenLogProbabilities.forEach((value, at) => {
    expect(Math.abs(value - other.tokenLogProbabilities[at])).toBeLessThan(1e-5);
  });
  one.logits?.forEach((row, step) => {
    const differences = row.map((value, id) => Math.abs(value - other.logits![step][id]));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  });
}

describe.each(pairs)('%s with drafts', (name, otherName) => {
  it('writes what it writes without', async () => {
    const [model, other] = [await load(name), await load(otherName)];
    const random = fc.sample(fc.array(fc.integer({ min: 4, max: 39 }), { minLength: 2, maxLength: 9 }), {
      numRuns: 6,
      seed: 5,
    });
    // Repetitions, for look-up to find.
    const inputs = [...random, [8, 9, 10, 8, 9, 10, 8, 9]].map((inputIds) => ({ inputIds }));
    const drafts: GenerationOptions[] = [
      { assistantModel: model, numAssistantTokens: 4, assistantConfidenceThreshold: 0 },
      { assistantModel: other, numAssistantTokens: 3, assistantConfidenceThreshold: 0 },
      { promptLookupNumTokens: 5 },
    ];
    const totals = drafts.map(() => ({ passes: 0, drafted: 0, accepted: 0, tokens: 0 }));
    // Each search compiles programs of its own: the two kinds of decoder see all of them.
    const wanted = ['marian', 'gpt2'].includes(name) ? searches : searches.slice(0, 3);
    for (const search of wanted) {
      const options = { maxNewTokens: 24, ...search };
      const plain = await model.generate(inputs, options);
      for (const [kind, own] of drafts.entries()) {
        const found = await model.generate(inputs, { ...options, ...own });
        found.forEach((output, at) => {
          expectSame(output, plain[at]);
          const [{ drafts: counts, tokenLogProbabilities }] = output.sequences;
          const total = totals[kind];
          total.passes += counts!.passes;
          total.drafted += counts!.drafted;
          total.accepted += counts!.accepted;
          total.tokens += tokenLogProbabilities.length;
        });
      }
    }
    // The model agrees with itself, but for what processors change.
    expect(totals[0].accepted).toBeGreaterThan(totals[0].drafted / 4);
    expect(totals[0].passes).toBeLessThan(totals[0].tokens / 1.5);
    for (const { drafted } of totals) expect(drafted).toBeGreaterThan(0);
    await model.dispose();
    await other.dispose();
  });
});

const input = { inputIds: [5, 6, 7, 5, 6] };

it('int4 weights can be drafted for; int8, ensembles and shared steps refuse by name', async () => {
  const int4 = await load('marian', { weightPrecision: 'int4' });
  const options = { maxNewTokens: 20, promptLookupNumTokens: 4 };
  expectSame(
    (await int4.generate([input], options))[0],
    (await int4.generate([input], { maxNewTokens: 20 }))[0],
  );
  const int8 = await load('marian', { weightPrecision: 'int8' });
  const ensemble = await loadEnsemble(['test/fixtures/models/marian', 'test/fixtures/models/marian']);
  const batcher = createBatcher(int4);
  for (const refused of [
    int8.generate([input], options),
    ensemble.generate([input], options),
    batcher.generate(input, options),
  ]) {
    await expect(refused).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining('promptLookupNumTokens'),
    });
  }
  // An ensemble may draft.
  const [found] = await int4.generate([input], { maxNewTokens: 20, assistantModel: ensemble });
  expectSame(found, (await int4.generate([input], { maxNewTokens: 20 }))[0]);
  await Promise.all([int4, int8, ensemble].map((one) => one.dispose()));
});

it('streams token by token, and refuses an encoder', async () => {
  const [model, encoder] = [await load('bart'), await load('bert-generation-encoder')];
  const ids: number[] = [];
  let last: ModelOutput | undefined;
  for await (const event of model.stream(input, { maxNewTokens: 12, promptLookupNumTokens: 3 })) {
    ids.push(...event.ids);
    last = event.output ?? last;
  }
  const [plain] = await model.generate([input], { maxNewTokens: 12 });
  expect(ids).toEqual(plain.sequences[0].ids);
  expectSame(last!, plain);
  await expect(model.generate([input], { assistantModel: encoder })).rejects.toMatchObject({
    code: 'MODEL_CANNOT_GENERATE',
  });
  await model.dispose();
  await encoder.dispose();
});
