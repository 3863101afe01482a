import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFakeModel,
  hashLogits,
  type Script,
  scriptedLogits,
} from '../../test/support/generation/fakeModel.js';
import { decode } from '../../test/support/generation/run.js';
import { assistance, createLookUpDrafter, createModelDrafter } from './assistant.js';
import { type GenerationOptions, resolveGenerationOptions } from './options.js';
import type { StepModel } from './stepModel.js';

const vocabSize = 14;
const hash = (seed: number) => hashLogits({ vocabSize, eosTokenIds: [1], endBias: 0.5, seed });
const assistantOf = (steps: StepModel, more = {}) => ({
  [assistance]: {
    steps,
    maxSource: Number.POSITIVE_INFINITY,
    sourceVocabSize: vocabSize,
    continues: false,
    ...more,
  },
});

/** Probabilities of outputs that are one text alone: 0.9 each, and 0.1 for token 2. */
function certain(...ids: number[]): Script {
  return Object.fromEntries(ids.map((id, at) => [ids.slice(0, at).join(' '), { [id]: 0.9, 2: 0.1 }]));
}

const spelled = (outputs: number[][]) => outputs.map((ids) => ids.map((id) => ` ${id}`).join(''));

const greedy: GenerationOptions[] = [
  {},
  { repetitionPenalty: 1.6 },
  { noRepeatNgramSize: 2, minNewTokens: 6 },
  { encoderNoRepeatNgramSize: 1, encoderRepetitionPenalty: 1.7, minNewTokens: 5 },
  { forcedBosTokenId: 9, forcedEosTokenId: 1, maxNewTokens: 5 },
  { minNewTokens: 11, suppressTokens: [4], beginSuppressTokens: [2, 5] },
  { exponentialDecayLengthPenalty: [2, 1.5], badWordsIds: [[3], [5, 6]], sequenceBias: [[[7, 8], 2]] },
  { stopStrings: [' 4', ' 7 7'], decode: spelled },
  { prefixAllowedTokens: (input, ids) => [1, 2 + ((input + ids.length) % 3), 9] },
  {
    allowedSequences: [
      [2, 3, 4],
      [2, 5],
      [6, 6, 6, 6],
    ],
  },
  { conventions: 'ctranslate2', repetitionPenalty: 1.3 },
  { conventions: 'marian', noRepeatNgramSize: 3 },
  { conventions: 'fairseq', maxNewTokens: 6 },
  { prefixBiasBeta: 0.4 },
  { returnLogits: true, maxNewTokens: 1 },
  { returnLogits: true, noRepeatNgramSize: 1 },
];

describe('assisted decoding', () => {
  it('gives what greedy search gives, whatever the drafts and the processors', async () => {
    const sources = fc.array(fc.array(fc.integer({ min: 2, max: 13 }), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 3,
    });
    let [accepted, drafted] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        sources,
        fc.constantFrom(...greedy),
        fc.integer({ min: 0, max: 99 }),
        // 0: the model itself drafts; otherwise every so many histories are those of another.
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('constant', 'heuristic', 'lookup'),
        async (inputs, options, seed, wrong, most, kind) => {
          const [own, other] = [hash(seed), hash(seed + 100)];
          const target = createFakeModel(vocabSize, own, 40);
          const assistant = createFakeModel(
            vocabSize,
            (source, history) => (history.length % 5 < wrong ? other : own)(source, history),
            // Its positions end before those of the model.
            9,
          );
          const drafts: GenerationOptions =
            kind === 'lookup'
              ? { promptLookupNumTokens: most, maxMatchingNgramSize: 1 + (most % 3) }
              : {
                  assistantModel: assistantOf(assistant),
                  numAssistantTokens: most,
                  numAssistantTokensSchedule: kind as 'constant' | 'heuristic',
                  assistantConfidenceThreshold: most % 2 ? 0 : 0.25,
                };
          const all = { maxNewTokens: 12, ...options };
          const given = inputs.map((inputIds, at) =>
            at === 1
              ? { inputIds, decoderInputIds: [0, 5, 6] }
              : { inputIds, ...(options.prefixBiasBeta && { prefix: [4, 7, 5] }) },
          );
          const plain = await decode(createFakeModel(vocabSize, own, 40), given, all);
          const found = await decode(target, given, { ...all, ...drafts });
          found.forEach(({ sequences: [{ drafts: counts, ...sequence }] }, index) => {
            expect(sequence).toEqual(plain[index].sequences[0]);
            accepted += counts!.accepted;
            drafted += counts!.drafted;
            expect(counts!.accepted).toBeLessThanOrEqual(counts!.drafted);
          });
          expect([target.log.alive, assistant.log.alive]).toEqual([0, 0]);
        },
      ),
      { numRuns: 400 },
    );
    // Both kinds of draft were seen.
    expect(accepted).toBeGreaterThan(200);
    expect(drafted - accepted).toBeGreaterThan(200);
  });

  const script = certain(5, 6, 7, 8, 9, 1);
  const scripted = () => createFakeModel(vocabSize, scriptedLogits(vocabSize, script));
  const run = async (target: ReturnType<typeof scripted>, options: GenerationOptions, source = [3]) => {
    const [{ sequences }] = await decode(target, [source], { maxNewTokens: 12, ...options });
    return sequences[0];
  };

  it('reads a token and its drafts in one pass, up to an end token', async () => {
    const target = scripted();
    const assistantModel = assistantOf(scripted());
    const { ids, drafts } = await run(target, { assistantModel, numAssistantTokens: 2 });
    expect(ids).toEqual([5, 6, 7, 8, 9, 1]);
    // The start chooses 5; "5 6 7" is read and chooses 6, 7, 8; "8 9" chooses 9 and the end.
    expect(target.log.extensions).toEqual([3, 2]);
    expect(target.log.steps).toEqual([]);
    expect(drafts).toEqual({ passes: 3, drafted: 3, accepted: 3 });
  });

  it('drops a draft from its first wrong token on', async () => {
    const target = scripted();
    const slips = scriptedLogits(vocabSize, {
      ...script,
      '5 6': { 4: 0.9, 2: 0.1 },
      '5 6 4': { 8: 1 },
      '5 6 7 8': { 3: 1 },
    });
    const assistant = createFakeModel(vocabSize, slips);
    const options = { assistantModel: assistantOf(assistant), numAssistantTokens: 3 };
    const { ids, drafts } = await run(target, options);
    expect(ids).toEqual([5, 6, 7, 8, 9, 1]);
    // "5 6 4 8" chooses 6 and 7; "7 8 3" (the end after it is not read) chooses 8 and 9; after 9 nothing is drafted.
    expect(target.log.extensions).toEqual([4, 3]);
    expect(target.log.steps).toEqual([1]);
    expect(drafts).toEqual({ passes: 4, drafted: 5, accepted: 2 });
    // The assistant read 5, 6, 4; then 7 over the 4, 8, 3; then 8 is known and 9 takes the place of the 3.
    expect(assistant.log.steps).toHaveLength(3 + 3 + 1);
  });

  it('is no slower in passes where every draft is wrong', async () => {
    const target = scripted();
    const assistant = createFakeModel(vocabSize, () =>
      Float32Array.from({ length: vocabSize }, (_, id) => (id === 3 ? 9 : 0)),
    );
    const options = { assistantModel: assistantOf(assistant), numAssistantTokens: 4 };
    const { ids, drafts } = await run(target, { ...options, numAssistantTokensSchedule: 'heuristic' });
    expect(ids).toEqual([5, 6, 7, 8, 9, 1]);
    // One draft fewer each time, but never none.
    expect(target.log.extensions).toEqual([5, 4, 3, 2, 2]);
    expect(drafts).toEqual({ passes: 6, drafted: 11, accepted: 0 });
  });

  it('drafts two tokens more after a draft that was right, as far as there is room', async () => {
    const long = certain(...Array.from({ length: 30 }, (_, i) => 3 + (i % 9)));
    const model = () => createFakeModel(vocabSize, scriptedLogits(vocabSize, long));
    const target = model();
    const { ids, drafts } = await run(target, {
      assistantModel: assistantOf(model()),
      numAssistantTokens: 1,
      numAssistantTokensSchedule: 'heuristic',
      maxNewTokens: 14,
    });
    expect(ids).toHaveLength(14);
    // 1 + 2 + 4 + 6 tokens, then the last from one that is read alone: no position is left for a draft.
    expect(target.log.extensions).toEqual([2, 4, 6]);
    expect(target.log.steps).toEqual([1]);
    expect(drafts).toEqual({ passes: 5, drafted: 9, accepted: 9 });
  });

  it('ends a draft with a token that the assistant doubts', async () => {
    const lengths = async (assistantConfidenceThreshold: number) => {
      const target = scripted();
      await run(target, { assistantModel: assistantOf(scripted()), assistantConfidenceThreshold });
      return target.log.extensions;
    };
    expect(await lengths(0.89)).toEqual([5]);
    // The doubted token is part of the draft.
    expect(await lengths(0.91)).toEqual([2, 2]);
  });

  it('drafts from the text that it is given, whatever it read before', async () => {
    const drafterOf = () =>
      createModelDrafter(
        createFakeModel(vocabSize, hash(4)),
        {
          source: { inputIds: Int32Array.of(5), attentionMask: Int32Array.of(1), batch: 1, source: 1 },
          prompt: Int32Array.of(0),
          promptLength: 1,
          maxLength: 20,
        },
        { eosTokenIds: [], confidence: 0 },
      );
    const used = drafterOf();
    for (const text of [
      [0, 5, 6, 7, 8],
      [0, 5, 3, 7, 8],
      [0, 9],
      [0, 9, 4, 4, 4, 4, 4, 2],
    ]) {
      const drafts = await used.draft(text, 4);
      expect(drafts).toHaveLength(4);
      expect(drafts).toEqual(await drafterOf().draft(text, 4));
    }
  });

  it('looks drafts up in the source', async () => {
    const target = scripted();
    const { ids, drafts } = await run(target, { promptLookupNumTokens: 3 }, [4, 5, 6, 7, 8, 9]);
    expect(ids).toEqual([5, 6, 7, 8, 9, 1]);
    // "5 6 7 8" chooses 6 to 9; nothing follows 9 in the source.
    expect(target.log.extensions).toEqual([4]);
    expect(target.log.steps).toEqual([1]);
    expect(drafts).toEqual({ passes: 3, drafted: 3, accepted: 3 });
  });

  it('never drafts source ids that the output cannot hold', async () => {
    const { ids } = await run(scripted(), { promptLookupNumTokens: 3 }, [4, 5, 6, 99, 7]);
    expect(ids).toEqual([5, 6, 7, 8, 9, 1]);
  });

  it('has nothing to count for an empty input', async () => {
    const [{ sequences }] = await decode(scripted(), [[]], { promptLookupNumTokens: 3 });
    expect(sequences[0].drafts).toEqual({ passes: 0, drafted: 0, accepted: 0 });
  });

  it('asks nothing new of a model without drafts to check', async () => {
    const target = scripted();
    const { drafts } = await run(target, {});
    expect(drafts).toBeUndefined();
    expect(target.log.extensions).toEqual([]);
    expect(target.log.steps).toHaveLength(5);
  });
});

describe('prompt look-up', () => {
  const found = (text: number[], most: number, maxNgram: number, source: number[] = []) =>
    createLookUpDrafter({ maxNgram, source }).draft(text, most);

  it('takes what followed the first occurrence of the longest n-gram', async () => {
    const text = [1, 7, 2, 9, 1, 2, 8, 1, 2];
    expect(await found(text, 2, 1)).toEqual([9, 1]);
    expect(await found(text, 2, 2)).toEqual([8, 1]);
    expect(await found(text, 2, 9)).toEqual([8, 1]);
    // Up to the end of the text, the n-gram itself included.
    expect(await found(text, 9, 2)).toEqual([8, 1, 2]);
    expect(await found([1, 2, 3], 5, 2)).toEqual([]);
    expect(await found([4, 4], 5, 2)).toEqual([4]);
  });

  it('puts the source before the text, and a longer n-gram before both', async () => {
    expect(await found([5, 6, 5], 3, 1, [3, 5, 9])).toEqual([9]);
    expect(await found([2, 5, 6, 2, 5], 3, 2, [3, 5, 9])).toEqual([6, 2, 5]);
    expect(await found([2, 5], 3, 2, [5, 2, 5])).toEqual([2, 5]);
  });
});

describe('what drafts do not go with', () => {
  const model = () => createFakeModel(vocabSize, hash(3));
  const assistantModel = assistantOf(model());

  it.each<[GenerationOptions, string]>([
    [{ assistantModel, promptLookupNumTokens: 3 }, 'promptLookupNumTokens 3'],
    [{ assistantModel, numBeams: 2 }, 'numBeams 2'],
    [{ promptLookupNumTokens: 3, doSample: true }, 'doSample true'],
    [{ promptLookupNumTokens: 3, penaltyAlpha: 0.6, topK: 4 }, 'penaltyAlpha 0.6'],
    [{ promptLookupNumTokens: 3, returnAttention: true }, 'returnAttention true'],
    [{ promptLookupNumTokens: 3, returnAlternatives: true }, 'set returnAlternatives to false'],
    [
      {
        promptLookupNumTokens: 3,
        shortlist: { offsets: Int32Array.of(0), targets: new Int32Array(0), always: Int32Array.of(7) },
      },
      'shortlist',
    ],
    [{ numAssistantTokens: 3 }, 'no assistantModel'],
    [{ numAssistantTokensSchedule: 'heuristic' }, 'no assistantModel'],
    [{ promptLookupNumTokens: 3, assistantConfidenceThreshold: 0.1 }, 'no assistantModel'],
    [{ assistantModel, maxMatchingNgramSize: 3 }, 'no promptLookupNumTokens'],
  ])('%#: is refused by name', async (options, named) => {
    await expect(decode(model(), [[3]], options)).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining(named),
    });
  });

  it('refuses a model that cannot read several tokens at once, before anything is computed', async () => {
    const { log, ...whole } = model();
    const bare = { ...whole, extend: undefined, select: undefined };
    await expect(decode(bare, [[3]], { promptLookupNumTokens: 3 })).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
      message: expect.stringContaining('leave promptLookupNumTokens out'),
    });
    expect(log.starts).toEqual([]);
  });

  it.each([
    [assistantOf(createFakeModel(15, hash(3))), 'OPTION_CONFLICT', '15 tokens'],
    [assistantOf(model(), { continues: true }), 'OPTION_CONFLICT', 'continues texts'],
    [assistantOf(model(), { maxSource: 2 }), 'INPUT_INVALID', 'Input 2: inputIds has 3 ids'],
    [assistantOf(model(), { sourceVocabSize: 8 }), 'INPUT_INVALID', 'Input 2: inputIds holds 9'],
    [{ [assistance]: undefined }, 'MODEL_CANNOT_GENERATE', 'cannot draft'],
  ])('%#: refuses an assistant that does not fit', async (assistant, code, named) => {
    const refused = decode(model(), [[3], [4, 9, 5]], { assistantModel: assistant });
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(named) });
  });

  it('refuses an assistant that is no model', async () => {
    const path = 'models/small' as unknown as GenerationOptions['assistantModel'];
    await expect(decode(model(), [[3]], { assistantModel: path })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('models/small'),
    });
  });

  it('makes the contrastive search that a model asks for give way', () => {
    const defaults = { penaltyAlpha: 0.6, topK: 4 };
    expect(resolveGenerationOptions({}, defaults).penaltyAlpha).toBe(0.6);
    expect(resolveGenerationOptions({ promptLookupNumTokens: 3 }, defaults).penaltyAlpha).toBe(0);
  });
});
