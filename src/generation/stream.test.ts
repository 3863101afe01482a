import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFakeModel,
  hashLogits,
  type Script,
  scriptedLogits,
} from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules } from '../../test/support/generation/run.js';
import type { Batching, GenerationInput } from './inputs.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';
import type { OutputProgress } from './progress.js';
import type { StepModel } from './stepModel.js';
import { streamGeneration } from './stream.js';

const hashModel = (endBias = 1) =>
  createFakeModel(14, hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias, seed: 3 }));

function streamed(
  model: StepModel,
  inputs: readonly GenerationInput[],
  options: GenerationOptions,
  batching: Batching = {},
) {
  return streamGeneration(model, inputs, resolveGenerationOptions(options), fakeRules, batching);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const inputs = fc.array(
  fc.record({
    inputIds: fc.array(fc.integer({ min: 2, max: 13 }), { maxLength: 5 }),
    decoderInputIds: fc.option(fc.array(fc.integer({ min: 2, max: 13 }), { maxLength: 2 }), {
      nil: undefined,
    }),
  }),
  { minLength: 1, maxLength: 5 },
);

const texts = (outputs: number[][]) => outputs.map((ids) => ids.join(' '));
const searches = fc.constantFrom<GenerationOptions>(
  {},
  { noRepeatNgramSize: 2, minNewTokens: 3 },
  { stopStrings: '3 4', decode: texts },
  { doSample: true, seed: 5, numReturnSequences: 3, topK: 6 },
  { doSample: true, seed: 5, numReturnSequences: 2, stopStrings: ['5', '9 2'], decode: texts },
  { numBeams: 4, numReturnSequences: 3 },
  { numBeams: 3, lengthPenalty: 3, earlyStopping: 'never' },
  { numBeams: 3, wordReward: 1, earlyStopping: true, patience: 2 },
  { numBeams: 2, stopStrings: '4', decode: texts },
  { numBeams: 3, siblingPenalty: 1, noRepeatNgramSize: 2 },
  { numBeams: 6, numBeamGroups: 3, diversityPenalty: 0.5, numReturnSequences: 2 },
  {
    numBeams: 5,
    forceWordsIds: [
      [4, 5],
      [[9], [8, 7]],
    ],
  },
  { numBeams: 3, allowedSequences: [[2, 3, 4], [2, 5], [6]] },
);

describe('a stream of progress', () => {
  it('ends with what generate returns, and never takes a settled token back', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, searches, fc.integer({ min: 1, max: 4 }), async (given, search, batchSize) => {
        const options = { maxNewTokens: 9, ...search };
        const results = await decode(hashModel(), given, options, { batchSize });
        const settled = new Map<string, number[]>();
        const ended = new Map<number, unknown>();
        for await (const event of streamed(hashModel(), given, options, { batchSize })) {
          const { index, sequence, ids, tentativeIds, sequences } = event;
          expect(ended.has(index)).toBe(false);
          const key = `${index} ${sequence}`;
          const whole = [...(settled.get(key) ?? []), ...ids];
          settled.set(key, whole);
          expect(results[index].sequences[sequence].ids.slice(0, whole.length)).toEqual(whole);
          if (sequences) {
            ended.set(index, { sequences });
            expect(tentativeIds).toEqual([]);
          }
        }
        results.forEach((result, index) => {
          expect(ended.get(index)).toEqual(result);
          const followed = search.doSample ? result.sequences : result.sequences.slice(0, 1);
          followed.forEach(({ ids }, sequence) => {
            expect(settled.get(`${index} ${sequence}`)).toEqual(ids);
          });
        });
      }),
      { numRuns: 120 },
    );
  });

  it('is also told with the indices of a caller who comes in portions', async () => {
    const given = [{ inputIds: [2] }, { inputIds: [] }];
    const events = await collect(streamed(hashModel(), given, { maxNewTokens: 3 }, { firstIndex: 7 }));
    expect(new Set(events.map(({ index }) => index))).toEqual(new Set([7, 8]));
  });

  it('tells each token at once where rows choose for themselves', async () => {
    const model = createFakeModel(6, () => [0, -9, 1, 2, 1, 0]);
    const events = await collect(streamed(model, [{ inputIds: [2] }], { maxNewTokens: 3 }));
    expect(events.map(({ ids, sequences }) => [ids, sequences !== undefined])).toEqual([
      [[3], false],
      [[3], false],
      [[3], true],
    ]);
  });
});

describe('beams', () => {
  // Two beginnings that stay close: 2 leads first, then 3; both end after 4.
  const script: Script = {
    '': { 2: 0.5, 3: 0.45, 4: 0.05 },
    '2': { 4: 0.5, 5: 0.5 },
    '3': { 4: 0.9, 5: 0.1 },
    '3 4': { 5: 0.8, 2: 0.2 },
    '2 4': { 0: 0.2, 2: 0.2, 3: 0.2, 4: 0.2, 5: 0.2 },
    '3 4 5': { 1: 0.9, 2: 0.1 },
    '3 4 2': { 1: 0.6, 2: 0.4 },
  };

  it('show what all have in common, and the best continuation so far', async () => {
    const model = createFakeModel(6, scriptedLogits(6, script));
    const stream = streamed(model, [{ inputIds: [2] }], { numBeams: 2, maxNewTokens: 6 });
    const told = (await collect(stream)).map(({ ids, tentativeIds }: OutputProgress) => ({
      ids,
      tentativeIds,
    }));
    expect(told.slice(0, 3)).toEqual([
      // 2 and 3 are open.
      { ids: [], tentativeIds: [2] },
      // 3 4 (0.405) and 2 4 (0.25).
      { ids: [], tentativeIds: [3, 4] },
      // 3 4 5 (0.324) and 3 4 2 (0.081) have pushed the other out.
      { ids: [3, 4], tentativeIds: [5] },
    ]);
    expect(told.flatMap(({ ids }) => ids)).toEqual([3, 4, 5, 1]);
  });

  it('settle nothing that an ended hypothesis, the best so far, contradicts', async () => {
    // 2 ends at once with probability 0.5; what is open begins with 3.
    const model = createFakeModel(
      6,
      scriptedLogits(6, {
        '': { 2: 0.5, 3: 0.4 },
        '2': { 1: 1 },
        '3': { 4: 0.5, 5: 0.5 },
        '3 4': { 1: 1 },
        '3 5': { 1: 1 },
      }),
    );
    const events = await collect(streamed(model, [{ inputIds: [2] }], { numBeams: 2, maxNewTokens: 6 }));
    expect(events[1]).toMatchObject({ ids: [], tentativeIds: [2, 1] });
    expect(events.flatMap(({ ids }) => ids)).toEqual([2, 1]);
  });
});

describe('a search that is watched', () => {
  const endless = (limit = Number.POSITIVE_INFINITY) => {
    let calls = 0;
    return createFakeModel(6, () => {
      if (++calls > limit) throw new Error('out of memory');
      return [0, -9, 1, 2, 1, 0];
    });
  };
  const options: GenerationOptions[] = [
    { maxNewTokens: 5000 },
    { maxNewTokens: 5000, numBeams: 2 },
    { maxNewTokens: 5000, doSample: true, seed: 1, numReturnSequences: 2 },
  ];
  const two = [{ inputIds: [2] }, { inputIds: [3, 4] }];

  it.each(options)('ends with the loop, and frees the model, with %j', async (search) => {
    const model = endless();
    let events = 0;
    for await (const _ of streamed(model, two, search)) if (++events === 7) break;
    expect(model.log.alive).toBe(0);
    expect(model.log.steps.length).toBeLessThan(7);
  });

  it.each(options)('ends with the Web stream, and frees the model, with %j', async (search) => {
    const model = endless();
    const reader = streamed(model, two, search).toReadableStream().getReader();
    for (let events = 0; events < 5; events++) await reader.read();
    await reader.cancel('enough');
    expect(model.log.alive).toBe(0);
    expect(model.log.steps.length).toBeLessThan(5);
  });

  it('passes on what goes wrong, and frees the model', async () => {
    const model = endless(20);
    await expect(collect(streamed(model, two, { maxNewTokens: 50 }))).rejects.toThrow('out of memory');
    expect(model.log.alive).toBe(0);
    const controller = new AbortController();
    const aborted = streamed(endless(), two, { maxNewTokens: 50, signal: controller.signal });
    const iterator = aborted[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort();
    await iterator.next();
    await expect(iterator.next()).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('gets no further than its watcher', async () => {
    const model = endless();
    const iterator = streamed(model, [{ inputIds: [2] }], { maxNewTokens: 50 })[Symbol.asyncIterator]();
    for (let step = 0; step < 4; step++) {
      await iterator.next();
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(model.log.steps.length).toBe(step);
    }
    await iterator.return?.();
  });
});
