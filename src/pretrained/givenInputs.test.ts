import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { type Batcher, createBatcher } from './batcher.js';
import { loadEnsemble } from './loadEnsemble.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';
import type { StreamEvent } from './modelStream.js';

/*
 * Every way in reads its inputs alike: what is wrong is INPUT_INVALID and names the input as its reader counts, from 1; what
 * is given is honored or refused.
 */

let model: Model;
let batcher: Batcher;
beforeAll(async () => {
  model = await loadModel('models/en-fr-software');
  batcher = createBatcher(model);
});
afterAll(() => model.dispose());

const short = { maxNewTokens: 3 };

/** Every function that takes inputs, with `wrong` as the second of them where there are several. */
const ways: Record<string, (wrong: never) => Promise<unknown>> = {
  generate: (wrong) => model.generate(['a', wrong], short),
  translate: (wrong) => model.translate(['a', wrong], short),
  translateAligned: (wrong) => model.translateAligned(['a', wrong], short),
  stream: async (wrong) => eventsOf(model.stream(['a', wrong], short)),
  score: (wrong) =>
    model.score([
      { source: 'a', target: 'b' },
      { source: wrong, target: 'b' },
    ]),
};
const alone: typeof ways = {
  'batcher.generate': (wrong) => batcher.generate(wrong, short),
  'batcher.translate': (wrong) => batcher.translate(wrong, short),
  'batcher.stream': async (wrong) => eventsOf(batcher.stream(wrong, short)),
};

const wrongs: [string, unknown, string][] = [
  ['null', null, 'null'],
  ['a number', 5, 'the number 5'],
  ['a bigint', 5n, 'the bigint 5n'],
  ['a list', ['a'], 'a list'],
  ['ids without a name', Int32Array.of(5, 9), 'an Int32Array'],
  ['an empty object', {}, 'an object'],
  ['a text that is none', { text: 5 }, 'text is the number 5'],
  ['ids in a typed array', { inputIds: Int32Array.of(5, 9) }, 'inputIds is an Int32Array'],
  ['bigint ids in a typed array', { inputIds: BigInt64Array.of(5n) }, 'inputIds is a BigInt64Array'],
  ['bigint ids', { inputIds: [5n] }, 'inputIds holds the bigint 5n'],
  ['a hole', { inputIds: new Array(2) }, 'inputIds holds undefined'],
  ['a text for ids', { inputIds: 'abc' }, 'inputIds is the text "abc"'],
  ['ids of no token', { inputIds: [5, 8000] }, 'inputIds holds 8000'],
  ['a mask in a typed array', { inputIds: [5], attentionMask: Int32Array.of(1) }, 'attentionMask is an'],
  ['a mask of truths', { inputIds: [5], attentionMask: [true] }, 'attentionMask holds true'],
  ['a prompt in a typed array', { inputIds: [5], decoderInputIds: Int32Array.of(1) }, 'decoderInputIds is'],
  ['a mask beside a text', { text: 'a', attentionMask: [1] }, 'attentionMask'],
  ['ids beside a text', { text: 'a', inputIds: [5] }, 'inputIds'],
  ['another spelling', { inputIds: [5], attention_mask: [0] }, 'attention_mask'],
];

describe.each(Object.keys({ ...ways, ...alone }))('%s', (way) => {
  // To these a list is a request of several inputs.
  const lists = ['batcher.generate', 'batcher.translate'];
  const own = wrongs.filter(([kind]) => !(kind === 'a list' && lists.includes(way)));

  test.each(own)('refuses %s and names it', async (_, wrong, what) => {
    const run = { ...ways, ...alone }[way](wrong as never);
    const name = way in ways ? 'Input 2' : 'Input 1';
    await expect(run).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(new RegExp(`^${name}\\b.*${what}`)),
    });
  });
});

test.each([
  ['null', null],
  ['a number', 5],
  ['a text', 'fast'],
  ['a list', [4]],
])('options that are %s are refused', async (_, options) => {
  const wrong = options as never;
  const refusal = { code: 'INPUT_INVALID', message: expect.stringContaining('options is ') };
  await expect(model.generate(['a'], wrong)).rejects.toMatchObject(refusal);
  await expect(model.generate(['a'], {}, wrong)).rejects.toMatchObject(refusal);
  await expect(model.translate(['a'], wrong)).rejects.toMatchObject(refusal);
  await expect(model.translateAligned(['a'], wrong)).rejects.toMatchObject(refusal);
  await expect(model.score([{ source: 'a', target: 'b' }], wrong)).rejects.toMatchObject(refusal);
  await expect(eventsOf(model.stream('a', wrong))).rejects.toMatchObject(refusal);
  await expect(batcher.generate('a', wrong)).rejects.toMatchObject(refusal);
  await expect(batcher.translate('a', wrong)).rejects.toMatchObject(refusal);
  await expect(eventsOf(batcher.stream('a', wrong))).rejects.toMatchObject(refusal);
});

test('one text is no list of texts', async () => {
  const refusal = {
    code: 'INPUT_INVALID',
    message: expect.stringContaining('is the text "text"; give a list'),
  };
  await expect(model.translate('text' as never)).rejects.toMatchObject(refusal);
  await expect(model.generate('text' as never)).rejects.toMatchObject(refusal);
  await expect(model.score('text' as never)).rejects.toMatchObject(refusal);
  await expect(model.translate(['a'], { prefixes: 'text' as never })).rejects.toMatchObject(refusal);
});

test('names count over all portions, and over texts rather than their pieces', async () => {
  const bad = [{ inputIds: [5] }, { inputIds: [9000] }];
  const batching = { firstIndex: 499 };
  const second = { message: expect.stringMatching(/^Input 501: inputIds holds 9000/) };
  await expect(model.generate(bad, {}, batching)).rejects.toMatchObject(second);
  await expect(model.translate(bad, batching)).rejects.toMatchObject(second);
  await expect(eventsOf(model.stream(bad, batching))).rejects.toMatchObject(second);
  const pairs = bad.map((source) => ({ source, target: 'b' }));
  await expect(model.score(pairs, batching)).rejects.toMatchObject(second);
  // The search names them, too.
  const forced = [{ inputIds: [5] }, { inputIds: [5], forceWordsIds: [[9, 9, 9, 9]] }];
  const refused = model.generate(forced, { numBeams: 2, ...short }, batching);
  await expect(refused).rejects.toMatchObject({
    message: expect.stringMatching(/^Input 501: forceWordsIds/),
  });
  const texts = ['One text. Another text. A third text.', { text: ' ', prefix: 'Un' }];
  const cut = model.translate(texts, { chunk: 3, ...short });
  await expect(cut).rejects.toMatchObject({ message: expect.stringMatching(/^Input 2: prefix "Un"/) });
});

describe('a tokenizer', () => {
  const tokenizer = () => model.tokenizer as unknown as Record<string, (...given: unknown[]) => unknown>;

  test.each([
    ['encode', [5], 'text is the number 5'],
    ['encode', ['a', { pair: 5 }], 'pair is the number 5'],
    ['encode', ['a', 5], 'options is the number 5'],
    ['encodeBatch', ['a'], 'texts is the text "a"'],
    ['encodeBatch', [['a', null]], 'texts[1] is null'],
    ['decode', [['5']], 'ids holds the text "5"'],
    ['decode', [[-1]], 'ids holds -1'],
    ['decode', [BigInt64Array.of(5n)], 'ids is a BigInt64Array'],
    ['decodeBatch', [[5]], 'sequences[0] is the number 5'],
    ['tokenToId', [5], 'token is the number 5'],
    ['idToToken', ['5'], 'id holds the text "5"'],
  ])('%#: %s refuses what it cannot read', async (name, given, message) => {
    const run = async () => tokenizer()[name](...given);
    await expect(run()).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('takes ids in a list or in an Int32Array', async () => {
    const { ids } = await model.tokenizer!.encode('A free game.');
    const text = await model.tokenizer!.decode(ids);
    expect(text).toBe('A free game.');
    expect(await model.tokenizer!.decode(Int32Array.from(ids))).toBe(text);
  });
});

test.each([
  [{ weightPrecison: 'int8' }, 'OPTION_UNKNOWN', 'weightPrecison'],
  [{ weightPrecision: 'int7' }, 'OPTION_INVALID', 'weightPrecision cannot be the text "int7"'],
  [{ threads: 0 }, 'OPTION_INVALID', 'threads cannot be 0'],
  [{ cache: 'no' }, 'OPTION_INVALID', 'cache cannot be'],
  [{ onWarning: 'print' }, 'OPTION_INVALID', 'onWarning cannot be'],
  ['int8', 'INPUT_INVALID', 'options is the text "int8"'],
])('loadModel refuses %j', async (options, code, message) => {
  const refusal = { code, message: expect.stringContaining(message) };
  await expect(loadModel('models/en-fr-software', options as never)).rejects.toMatchObject(refusal);
  await expect(loadEnsemble(['models/en-fr-software'], options as never)).rejects.toMatchObject(refusal);
});

describe('every way in', () => {
  const texts = ['A free game.', 'Read the manual.'];
  const options = { numBeams: 3, maxNewTokens: 12 };

  test('takes texts alone, texts in objects and ids, with the same outputs', async () => {
    const outputs = await model.generate(texts, options);
    const asObjects = texts.map((text) => ({ text }));
    const asIds = outputs.map(({ inputIds }) => ({ inputIds }));
    expect(await model.generate(asObjects, options)).toEqual(outputs);
    expect(await model.generate(asIds, options)).toEqual(outputs);
    const wanted = outputs.map(({ sequences }) => sequences[0].text);
    const ensemble = await loadEnsemble(['models/en-fr-software']);
    for (const inputs of [texts, asObjects, asIds]) {
      expect(await model.translate(inputs, options)).toEqual(wanted);
      const aligned = await model.translateAligned(inputs, options);
      expect(aligned.map(({ text }) => text)).toEqual(wanted);
      expect(await lastOutputs(model.stream(inputs, options))).toEqual(outputs);
      const served = await Promise.all(inputs.map((input) => batcher.generate(input, options)));
      expect(served).toEqual(outputs);
      expect(await Promise.all(inputs.map((input) => batcher.translate(input, options)))).toEqual(wanted);
      expect(await ensemble.translate(inputs, options)).toEqual(wanted);
      const scores = await model.score(
        inputs.map((source, index) => ({ source, target: outputs[index].sequences[0].ids })),
      );
      scores.forEach(({ score }, index) => {
        expect(score).toBeCloseTo(outputs[index].sequences[0].score, 4);
      });
    }
    await ensemble.dispose();
  });

  test('takes languages', async () => {
    const known = { to: 'fr', from: 'en', ...options };
    const outputs = await model.generate(texts, options);
    expect(await model.generate(texts, known)).toEqual(outputs);
    expect(await batcher.generate(texts[0], known)).toEqual(outputs[0]);
    const refusal = { code: 'LANGUAGE_UNKNOWN' };
    await expect(model.generate(texts, { to: 'de' })).rejects.toMatchObject(refusal);
    await expect(batcher.generate(texts[0], { to: 'de' })).rejects.toMatchObject(refusal);
    await expect(model.generate(texts, { to: 5 as never })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('refuses what it would ignore', async () => {
    const conflict = { code: 'OPTION_CONFLICT', message: expect.stringContaining('numReturnSequences 2') };
    const several = { numBeams: 2, numReturnSequences: 2, ...short };
    await expect(model.translate(texts, several)).rejects.toMatchObject(conflict);
    await expect(model.translateAligned(texts, several)).rejects.toMatchObject(conflict);
    await expect(batcher.translate(texts[0], several)).rejects.toMatchObject(conflict);
    expect(await model.translate(texts, { ...several, numReturnSequences: 1 })).toHaveLength(2);
    await expect(model.generate(texts, {}, { batchsize: 4 } as never)).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
    });
    for (const input of [{ inputIds: [5] }, { text: 'a', forceWordsIds: [[9]] }]) {
      await expect(model.translate([input], { chunk: 9, ...options })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('chunk cannot cut'),
      });
    }
    const twice = model.translate([{ text: 'a', prefix: 'b' }], { prefixes: ['c'] });
    await expect(twice).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('a prefix of an input begins its translation', async () => {
    const [found] = await model.translate([{ text: texts[0], prefix: 'Le jeu' }], options);
    expect([found]).toEqual(await model.translate([texts[0]], { ...options, prefixes: ['Le jeu'] }));
    expect(found).toMatch(/^Le jeu/);
  });
});

async function eventsOf(stream: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The outputs of a stream, in the order of its inputs. */
async function lastOutputs(stream: AsyncIterable<StreamEvent>) {
  const outputs: StreamEvent['output'][] = [];
  for (const { index, output } of await eventsOf(stream)) if (output) outputs[index] = output;
  return outputs;
}
