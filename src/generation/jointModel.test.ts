import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeModel, hashAttention, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode } from '../../test/support/generation/run.js';
import type { GenerationInput } from './inputs.js';
import { createJointModel } from './jointModel.js';
import type { GenerationOptions } from './options.js';
import type { StepModel } from './stepModel.js';

const hashModel = () =>
  createFakeModel(
    14,
    hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: 1, seed: 3 }),
    undefined,
    hashAttention,
  );

const texts = async (outputs: number[][]) => {
  await new Promise((resolve) => setTimeout(resolve));
  return outputs.map((ids) => ids.join(' '));
};

const searches: GenerationOptions[] = [
  { maxNewTokens: 9 },
  { maxNewTokens: 4 },
  { maxNewTokens: 9, noRepeatNgramSize: 2, repetitionPenalty: 1.4 },
  { maxNewTokens: 70, minNewTokens: 66, noRepeatNgramSize: 2 },
  { maxNewTokens: 9, numBeams: 3, numReturnSequences: 3 },
  { maxNewTokens: 12, numBeams: 3, numReturnSequences: 2, earlyStopping: 'never' },
  { maxNewTokens: 9, numBeams: 3, noRepeatNgramSize: 2, minNewTokens: 3 },
  {
    maxNewTokens: 9,
    numBeams: 3,
    sequenceBias: [
      [[4], -1],
      [[5, 6], 2],
    ],
    badWordsIds: [[3], [7, 8]],
  },
  { maxNewTokens: 9, numBeams: 3, allowedSequences: [[2, 3, 4], [2, 5], [6], [7, 8, 9, 2, 3]] },
  {
    maxNewTokens: 9,
    numBeams: 3,
    forceWordsIds: [
      [4, 5],
      [[9], [8, 7]],
    ],
  },
  { maxNewTokens: 9, numBeams: 3, forceWordsIds: [[4], [[5], [6], [7]]] },
  { maxNewTokens: 9, numBeams: 4, numBeamGroups: 2, diversityPenalty: 1.3 },
  { maxNewTokens: 9, encoderRepetitionPenalty: 1.7, encoderNoRepeatNgramSize: 2 },
  { maxNewTokens: 9, doSample: true, seed: 5, numReturnSequences: 3, topK: 6, topP: 0.9 },
  { maxNewTokens: 9, doSample: true, seed: 6, topK: 0, repetitionPenalty: 1.2 },
  { maxNewTokens: 9, stopStrings: '3 4', decode: texts },
  { maxNewTokens: 9, numBeams: 3, returnAttention: true },
];

interface Request {
  inputs: GenerationInput[];
  options: GenerationOptions;
  /** Turns of the event loop to wait before. */
  after: number;
}

const ids = fc.array(fc.integer({ min: 2, max: 13 }), { minLength: 1, maxLength: 5 });
const requests: fc.Arbitrary<Request[]> = fc.array(
  fc.record({
    inputs: fc.array(
      fc.record({
        inputIds: ids,
        decoderInputIds: fc.option(fc.array(fc.integer({ min: 2, max: 13 }), { maxLength: 3 }), {
          nil: undefined,
        }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    options: fc.constantFrom(...searches),
    after: fc.integer({ min: 0, max: 8 }),
  }),
  { minLength: 1, maxLength: 9 },
);

async function later(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const many = (count: number, options: GenerationOptions): Request[] =>
  Array.from({ length: count }, (_, at) => ({ inputs: [{ inputIds: [2 + at] }], options, after: at }));

function all(model: StepModel, given: readonly Request[]) {
  return Promise.all(
    given.map(async ({ inputs, options, after }) => {
      await later(after);
      return decode(model, inputs, options);
    }),
  );
}

describe('a joint model', () => {
  it('gives each search what it gets alone, whoever else is there and whenever they come', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (given) => {
        const model = hashModel();
        const together = await all(createJointModel(model), given);
        for (const [at, { inputs, options }] of given.entries()) {
          expect(together[at]).toEqual(await decode(hashModel(), inputs, options));
        }
        expect(model.log.alive).toBe(0);
      }),
      { numRuns: 80 },
    );
  });

  it('shares steps between searches at different places in their outputs', async () => {
    const model = hashModel();
    await all(createJointModel(model), many(6, { maxNewTokens: 20, minNewTokens: 20 }));
    // 19 steps each, begun one turn after the other.
    expect(model.log.steps.length).toBeLessThan(30);
    expect(Math.max(...model.log.steps)).toBe(6);
  });

  it('passes over a search that is busy, which does not hold up the others', async () => {
    const model = hashModel();
    const joint = createJointModel(model);
    const slow = async (outputs: number[][]) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return outputs.map((one) => one.join(' '));
    };
    const order: string[] = [];
    const long = { maxNewTokens: 12, minNewTokens: 12 };
    const busy = decode(joint, [{ inputIds: [3] }], { ...long, stopStrings: 'x', decode: slow });
    const quick = decode(joint, [{ inputIds: [4] }], long);
    await Promise.all([busy.then(() => order.push('busy')), quick.then(() => order.push('quick'))]);
    expect(order).toEqual(['quick', 'busy']);
    expect(await busy).toEqual(await decode(hashModel(), [{ inputIds: [3] }], long));
  });

  it('frees what an aborted search had, and goes on with the others', async () => {
    const model = hashModel();
    const joint = createJointModel(model);
    const controller = new AbortController();
    const long: GenerationOptions = { numBeams: 2, maxNewTokens: 40, minNewTokens: 40 };
    const aborted = decode(joint, [{ inputIds: [3] }], { ...long, signal: controller.signal });
    const other = decode(joint, [{ inputIds: [4] }], long);
    await later(6);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    expect(model.log.alive).toBe(1);
    expect(await other).toEqual(await decode(hashModel(), [{ inputIds: [4] }], long));
    expect(model.log.alive).toBe(0);
    expect(Math.min(...model.log.steps)).toBe(2);
  });

  it('seats who comes while the last of the others leaves', async () => {
    const model = hashModel();
    const controller = new AbortController();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const whileLeaving: StepModel = {
      ...model,
      adopt: async (...given) => {
        controller.abort();
        release();
        await later(4);
        return model.adopt!(...given);
      },
    };
    const joint = createJointModel(whileLeaving);
    const held = async (outputs: number[][]) => {
      await released;
      return outputs.map((one) => one.join(' '));
    };
    const long: GenerationOptions = { maxNewTokens: 12, minNewTokens: 12 };
    const options = { ...long, stopStrings: 'x', decode: held, signal: controller.signal };
    const leaving = decode(joint, [{ inputIds: [3] }], options);
    // Both have one selection: the second is to be taken in by the group of the first.
    leaving.catch(() => {});
    await later(6);
    const coming = decode(joint, [{ inputIds: [4] }], long);
    await expect(leaving).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await coming).toEqual(await decode(hashModel(), [{ inputIds: [4] }], long));
    expect(model.log.alive).toBe(0);
  });

  it('tells all who step together what went wrong, frees the model, and serves the next', async () => {
    let broken = false;
    const model = createFakeModel(14, (source, history) => {
      if (broken && history.length > 3) throw new Error('out of memory');
      return hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: -9, seed: 3 })(source, history);
    });
    const joint = createJointModel(model);
    broken = true;
    const outcomes = await Promise.allSettled(
      [3, 4].map((id) => decode(joint, [{ inputIds: [id] }], { maxNewTokens: 9 })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(model.log.alive).toBe(0);
    broken = false;
    expect(await decode(joint, [{ inputIds: [5] }], { maxNewTokens: 9 })).toHaveLength(1);
  });

  it('lets nothing that one search does to the model become the failure of others', async () => {
    const own = hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: -1, seed: 3 });
    let failures = 0;
    // A source with token 13 cannot be started, or stepped from its second to fifth token on.
    const failing = () =>
      createFakeModel(14, (source, history) => {
        if (source.includes(13) && history.length >= source.length) {
          failures++;
          throw new Error(`no such token in ${source}`);
        }
        return own(source, history);
      });
    const outcome = (inputs: GenerationInput[], options: GenerationOptions, model: StepModel) =>
      decode(model, inputs, options).catch((error: Error) => error.message);
    const kinds: GenerationOptions[] = [
      { maxNewTokens: 9 },
      { maxNewTokens: 9, numBeams: 3 },
      { maxNewTokens: 9, numBeams: 3, badWordsIds: [[3], [7, 8]], repetitionPenalty: 1.2 },
    ];
    const some = fc.array(
      fc.record({ inputIds: ids, options: fc.constantFrom(...kinds), after: fc.integer({ min: 0, max: 6 }) }),
      { minLength: 2, maxLength: 11 },
    );
    await fc.assert(
      fc.asyncProperty(some, async (given) => {
        const model = failing();
        const joint = createJointModel(model);
        const together = await Promise.all(
          given.map(async ({ inputIds, options, after }) => {
            await later(after);
            return outcome([{ inputIds }], options, joint);
          }),
        );
        for (const [at, { inputIds, options }] of given.entries()) {
          expect(together[at]).toEqual(await outcome([{ inputIds }], options, failing()));
        }
        expect(model.log.alive).toBe(0);
      }),
      { numRuns: 40 },
    );
    expect(failures).toBeGreaterThan(50);
  });

  it('refuses a search that cannot be taken in, and goes on with the others', async () => {
    const model = hashModel();
    let calls = 0;
    const joint = createJointModel({
      ...model,
      adopt: async (...given) => {
        calls++;
        if (calls === 2) throw new RangeError('Array buffer allocation failed');
        return model.adopt!(...given);
      },
    });
    const long: GenerationOptions = { maxNewTokens: 20, minNewTokens: 20 };
    const outcomes = await Promise.allSettled(
      [3, 4, 5, 6].map(async (id, after) => {
        await later(3 * after);
        return decode(joint, [{ inputIds: [id] }], long);
      }),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(model.log.alive).toBe(0);
  });

  it('pads sources to the longest of those that are there, not of those that were', async () => {
    const model = hashModel();
    const cuts: (number | undefined)[] = [];
    const joint = createJointModel({
      ...model,
      keep: (state, sentences, source) => {
        cuts.push(source);
        return model.keep(state, sentences, source);
      },
    });
    const long = {
      inputs: [{ inputIds: [3, 4, 5, 6, 7, 8, 9, 3, 4] }],
      options: { maxNewTokens: 3 },
      after: 0,
    };
    const given = [long, ...many(3, { maxNewTokens: 30, minNewTokens: 30, returnAttention: true })];
    const together = await all(joint, given);
    expect(cuts).toContain(1);
    for (const [at, { inputs, options }] of given.entries()) {
      expect(together[at]).toEqual(await decode(hashModel(), inputs, options));
    }
  });

  it('needs memory by what searches have written, not by what they may write', async () => {
    const model = hashModel();
    const tables: number[] = [];
    const joint = createJointModel({
      ...model,
      step: (state, feed) => {
        tables.push(feed.ancestry.length);
        return model.step(state, feed);
      },
    });
    await all(joint, [...many(3, { maxNewTokens: 9 }), ...many(3, { maxNewTokens: 50_000 })]);
    expect(Math.max(...tables)).toBe(6 * 64);
  });

  it('is the model itself where that cannot take sentences in', () => {
    const { adopt: _, ...model } = hashModel();
    expect(createJointModel(model)).toBe(model);
  });
});
