import { describe, expect, it } from 'vitest';
import { createFakeModel, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import type { GenerationOptions } from './options.js';
import type { StartFeed } from './stepModel.js';

const model = (maxPositions?: number) =>
  createFakeModel(14, hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: 1, seed: 5 }), maxPositions);

/** A model that remembers the batches it was given. */
function recording() {
  const feeds: Pick<StartFeed, 'source' | 'promptLength'>[] = [];
  const inner = model();
  const start: typeof inner.start = (feed) => {
    feeds.push({ source: feed.source, promptLength: feed.promptLength });
    return inner.start(feed);
  };
  return { feeds, model: { ...inner, start } };
}

describe('generate', () => {
  const inputs = [[3], [4, 5, 6, 7], [8, 9], [2, 3, 4], [5, 6, 7, 8, 9]];

  it('batches the longest first and returns results in the order of the inputs', async () => {
    const { feeds, model: watched } = recording();
    const results = await decode(watched, inputs, {}, { batchSize: 2 });
    expect(feeds.map(({ source }) => [source.batch, source.source])).toEqual([
      [2, 5],
      [2, 3],
      [1, 1],
    ]);
    expect([...feeds[0].source.inputIds]).toEqual([5, 6, 7, 8, 9, 4, 5, 6, 7, 0]);
    expect([...feeds[0].source.attentionMask]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
    for (let i = 0; i < inputs.length; i++)
      expect(results[i]).toEqual((await decode(model(), [inputs[i]]))[0]);
  });

  it('limits the padded tokens of a batch, and lets a longer sentence have its own', async () => {
    const { feeds, model: watched } = recording();
    await decode(watched, inputs, {}, { maxBatchTokens: 4 });
    expect(feeds.map(({ source }) => source.batch * source.source)).toEqual([5, 4, 3, 4]);
  });

  it('reports progress up to all inputs, blank ones included', async () => {
    const seen: number[][] = [];
    const onProgress = (done: number, total: number) => seen.push([done, total]);
    await decode(model(), [...inputs, []], {}, { batchSize: 2, onProgress });
    expect(seen).toEqual([
      [3, 6],
      [5, 6],
      [6, 6],
    ]);
  });

  it('answers empty and fully masked inputs with an empty output, without the model', async () => {
    const { feeds, model: watched } = recording();
    const masked = { inputIds: [4, 5], attentionMask: [0, 0] };
    const [empty, hidden, real] = await decode(watched, [[], masked, [3]], { numBeams: 2 });
    expect(empty).toEqual({ sequences: [{ ids: [], score: 0, tokenLogProbabilities: [] }] });
    expect(hidden).toEqual(empty);
    expect(real.sequences[0].ids.length).toBeGreaterThan(0);
    expect(feeds.map(({ source }) => source.batch)).toEqual([1]);
    expect(await decode(watched, [])).toEqual([]);
  });

  it('leaves out what the attention mask hides', async () => {
    const hidden = { inputIds: [7, 4, 5], attentionMask: [0, 1, 1] };
    expect(idsOf(await decode(model(), [hidden]))).toEqual(idsOf(await decode(model(), [[4, 5]])));
  });

  it('continues prompts, with or without the start token, and batches them by length', async () => {
    const { feeds, model: watched } = recording();
    const prompts = [[0, 6, 7], [6, 7], [], [9]].map((decoderInputIds) => ({
      inputIds: [3, 4],
      decoderInputIds,
    }));
    const results = await decode(watched, prompts, { numBeams: 2 });
    expect(feeds.map(({ promptLength, source }) => [promptLength, source.batch])).toEqual([
      [3, 2],
      [2, 1],
      [1, 1],
    ]);
    expect(results[0]).toEqual(results[1]);
    expect(results[0].sequences[0].ids.slice(0, 2)).toEqual([6, 7]);
    expect(results[0].sequences[0].tokenLogProbabilities.length).toBe(results[0].sequences[0].ids.length - 2);
    expect(results[2]).toEqual((await decode(model(), [[3, 4]], { numBeams: 2 }))[0]);
    expect(results[3].sequences[0].ids[0]).toBe(9);
  });

  it('ends at the length limit without an end token, and at any of several end tokens', async () => {
    const endless = createFakeModel(6, () => [0, -9, 0, 5, 0, 0]);
    expect(idsOf(await decode(endless, [[2]], { maxNewTokens: 3 }))).toEqual([[[3, 3, 3]]]);
    const rules = { ...fakeRules, eosTokenIds: [1, 3] };
    expect(idsOf(await decode(endless, [[2]], { maxNewTokens: 3 }, {}, rules))).toEqual([[[3]]]);
    const none = { ...fakeRules, eosTokenIds: [] };
    expect(idsOf(await decode(endless, [[2]], { maxNewTokens: 3, numBeams: 2 }, {}, none))[0][0]).toEqual([
      3, 3, 3,
    ]);
  });

  it('uses all positions of a model and refuses more before it is called', async () => {
    const small = model(6);
    const endlessRules = { ...fakeRules, eosTokenIds: [] };
    const [{ sequences }] = await decode(small, [[2]], { maxNewTokens: 6 }, {}, endlessRules);
    expect(sequences[0].ids).toHaveLength(6);
    await expect(decode(model(6), [[2]], { maxNewTokens: 7 })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    expect(model(6).log.starts).toEqual([]);
  });

  it.each([
    [{ inputIds: [2, -1] }, 'inputIds holds -1'],
    [{ inputIds: [2, 1.5] }, 'inputIds holds 1.5'],
    [{ inputIds: [2, 3], attentionMask: [1] }, 'attentionMask has 1 values for 2'],
    [{ inputIds: [2, 3], attentionMask: [1, 2] }, 'attentionMask holds 2'],
    [{ inputIds: [2], decoderInputIds: [14] }, 'decoderInputIds holds 14'],
  ])('refuses %j by the number of the input', async (input, message) => {
    const asked = model();
    const run = decode(asked, [[3], input]);
    await expect(run).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('Input 2: '),
    });
    await expect(decode(asked, [[3], input])).rejects.toThrow(message);
    expect(asked.log.starts).toEqual([]);
  });

  it('refuses batch sizes that are not positive integers', async () => {
    for (const batching of [{ batchSize: 0 }, { batchSize: 1.5 }, { maxBatchTokens: -1 }]) {
      await expect(decode(model(), [[3]], {}, batching)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });
});

describe('forced prefixes of different lengths', () => {
  it('give each input what it gets alone, and begin its outputs', async () => {
    const inputs = [
      { inputIds: [3, 4], decoderInputIds: [5, 6, 7] },
      { inputIds: [8] },
      { inputIds: [9, 2, 3], decoderInputIds: [4] },
      { inputIds: [5, 5], decoderInputIds: [0, 9, 8] },
      { inputIds: [6, 7, 8], decoderInputIds: [3, 3, 2] },
    ];
    for (const options of [{}, { numBeams: 3, numReturnSequences: 3, noRepeatNgramSize: 2 }]) {
      const together = await decode(model(), inputs, options);
      for (let i = 0; i < inputs.length; i++) {
        const [alone] = await decode(model(), [inputs[i]], options);
        expect(together[i]).toEqual(alone);
        const prefix = (inputs[i].decoderInputIds ?? []).filter((id) => id !== 0);
        for (const { ids } of together[i].sequences) expect(ids.slice(0, prefix.length)).toEqual(prefix);
      }
    }
  });

  it('return the best hypothesis where they begin it', async () => {
    for (let seed = 2; seed < 12; seed++) {
      const options = { maxNewTokens: 12 };
      const [free] = await decode(model(), [[seed]], options);
      const ids = free.sequences[0].ids;
      for (let length = 1; length < ids.length; length++) {
        const input = { inputIds: [seed], decoderInputIds: ids.slice(0, length) };
        const [forced] = await decode(model(), [input], { maxNewTokens: 12 - length });
        expect(forced.sequences[0].ids).toEqual(ids);
      }
    }
  });
});

it.each<GenerationOptions>([
  { numBeams: 1e9, maxNewTokens: 8 },
  { doSample: true, numReturnSequences: 1e9, maxNewTokens: 8 },
  { maxNewTokens: 1e12 },
  { numBeams: 2, maxNewTokens: 2 ** 27 + 1 },
])('refuses %j, which no memory holds', async (options) => {
  await expect(decode(model(), [[3]], options)).rejects.toMatchObject({
    code: 'OPTION_CONFLICT',
    message: expect.stringMatching(/needs room for \d+ tokens in a batch of 1, more than the 268435456 /),
  });
});

it('returns all alternatives where more are asked for than the vocabulary has', async () => {
  const options = { returnAlternatives: true, numReturnSequences: 1e9, maxNewTokens: 3 };
  const [[...ids]] = idsOf(await decode(model(), [[3]], options));
  expect(ids).toHaveLength(13);
});
