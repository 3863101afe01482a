import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { createBatcher } from './batcher.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';

/*
 * The fixtures of mBART and M2M-100 with a tokenizer of words w0 to w59 for ids 0 to 59, in which ids 4 and 5 are
 * languages; 2 ends a text. expected.json was made with 4 before the source and 5 forced as the first token, and its
 * case `translate` with 4 forced.
 */

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-languages-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

type Place = 'first' | 'last';

/** @param languages tokens of ids 4 and 5; a text gets the second unless told otherwise, before it or at its end */
function withTokenizer(name: string, languages: [string, string], place: Place): string {
  const copy = `${directory}/${name}-${place}-${languages[0]}`;
  cpSync(`test/fixtures/models/${name}`, copy, { recursive: true });
  const special: Record<string, number> = { '<s>': 0, '<pad>': 1, '</s>': 2, '<unk>': 3 };
  languages.forEach((token, index) => {
    special[token] = 4 + index;
  });
  const words = Object.fromEntries(Array.from({ length: 54 }, (_, index) => [`w${index + 6}`, index + 6]));
  const token = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const language = token(languages[1]);
  const single = place === 'first' ? [language, text, token('</s>')] : [text, token('</s>'), language];
  const used = ['</s>', languages[1]].map((id) => [id, { id, ids: [special[id]], tokens: [id] }]);
  writeFileSync(
    `${copy}/tokenizer.json`,
    JSON.stringify({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: Object.entries(special).map(([content, id]) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: {
        type: 'TemplateProcessing',
        single,
        pair: single,
        special_tokens: Object.fromEntries(used),
      },
      decoder: null,
      model: { type: 'WordLevel', vocab: { ...special, ...words }, unk_token: '<unk>' },
    }),
  );
  return copy;
}

/** The words of a row of expected.json between the language and the end. */
function sourceTexts(name: string): string[] {
  const { inputs } = json(`test/fixtures/models/${name}/expected.json`);
  return inputs.input_ids.map((ids: number[]) =>
    ids
      .slice(1, ids.indexOf(2))
      .map((id) => `w${id}`)
      .join(' '),
  );
}

/** What transformers generated in a case, as text. */
function wanted(name: string, caseName: string): string[] {
  const { generate } = json(`test/fixtures/models/${name}/expected.json`);
  const { sequences } = generate.find((entry: { name: string }) => entry.name === caseName);
  return sequences.map((ids: number[]) => {
    const end = ids.indexOf(2, 1);
    const words = ids.slice(1, end < 0 ? undefined : end).filter((id) => id >= 6);
    return words.map((id) => `w${id}`).join(' ');
  });
}

const options = { numBeams: 4, maxNewTokens: 16 };

describe.each([
  ['mbart', ['en_XX', 'fr_XX'], ['en_XX', 'fr_XX']],
  ['m2m100', ['__en__', '__fr__'], ['en', 'fr']],
  ['m2m100', ['eng_Latn', 'fra_Latn'], ['eng_Latn', 'fra_Latn']],
] as [string, [string, string], [string, string]][])('%s with %s', (name, tokens, [english, french]) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(withTokenizer(name, tokens, 'first'));
  });
  afterAll(() => model.dispose());

  test('knows its languages', () => {
    expect(model.languages.targets).toEqual([english, french]);
    expect([...model.languages.tokenIds]).toEqual([
      [english, 4],
      [french, 5],
    ]);
  });

  test('translates from and into the languages it is told, as transformers does', async () => {
    const texts = sourceTexts(name);
    expect(await model.translate(texts, { from: english, to: french, ...options })).toEqual(
      wanted(name, 'beam'),
    );
    expect(await model.translate(texts, { from: english, to: english, ...options })).toEqual(
      wanted(name, 'translate'),
    );
    // Its tokenizer would say French.
    expect(await model.translate(texts, { to: french, ...options })).not.toEqual(wanted(name, 'beam'));
  });

  test('writes the language, then a prefix, then the rest', async () => {
    const [text] = sourceTexts(name);
    const [free] = await model.translate([text], { from: english, to: french, ...options });
    const [whole] = await model.generate([{ text }], { ...options, forcedBosTokenId: 5 });
    const [output] = await model.generate([{ text, prefix: 'w9 w7' }], { ...options, forcedBosTokenId: 5 });
    expect(whole.sequences[0].ids[0]).toBe(5);
    expect(output.sequences[0].ids.slice(0, 3)).toEqual([5, 9, 7]);
    const [found] = await model.translate([text], {
      from: english,
      to: french,
      ...options,
      prefixes: ['w9 w7'],
    });
    expect(found).toMatch(/^w9 w7/);
    expect(found).not.toBe(free);
    const unknown = model.translate([text, text], { to: french, prefixes: ['', 'w9 snow'] });
    await expect(unknown).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /^Input 2: prefix "w9 snow" has characters or words that the model's voc/,
      ),
    });
  });

  test('gives n-best lists, streams and scores in the languages it is told', async () => {
    const texts = sourceTexts(name);
    const told = { from: english, to: french };
    const outputs = await model.generate(texts, { ...told, ...options, numReturnSequences: 3 });
    expect(outputs.map(({ sequences }) => sequences[0].text)).toEqual(wanted(name, 'beam'));
    const events = model.stream(texts, { ...told, ...options });
    const streamed: string[] = texts.map(() => '');
    for await (const { index, delta } of events) streamed[index] += delta;
    expect(streamed).toEqual(wanted(name, 'beam'));
    const [served] = await Promise.all([createBatcher(model).generate(texts[0], { ...told, ...options })]);
    expect(served.sequences[0].text).toBe(wanted(name, 'beam')[0]);
    // Ids hold the language of the source.
    const [{ inputIds, sequences }] = outputs;
    const [again] = await model.generate([{ inputIds }], { ...told, ...options, numReturnSequences: 3 });
    expect(again.sequences).toEqual(sequences);
    const [score] = await model.score([{ source: texts[0], target: sequences[0].ids }], told);
    expect(score.score).toBeCloseTo(sequences[0].score, 4);
  });

  test('refuses languages that something else takes the place of', async () => {
    const [{ inputIds }] = await model.generate(['w6'], { from: english, to: french, ...options });
    await expect(model.generate([{ inputIds }], { from: french })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(`without 5, the token of from "${french}"`),
    });
    const begun = { inputIds, decoderInputIds: [2, 9] };
    await expect(model.generate([begun], { to: french })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(`has no 5, the token of to "${french}"`),
    });
    const forced = model.generate(['w6'], { to: french, forcedBosTokenId: 4 });
    await expect(forced).rejects.toMatchObject({ code: 'OPTION_CONFLICT' });
  });

  test('refuses others, naming those it knows', async () => {
    for (const [request, message] of [
      [{ to: 'xx' }, new RegExp(`does not translate into "xx"; it knows ${english}, ${french}`)],
      [
        { to: french, from: 'xx' },
        new RegExp(`does not translate from "xx"; it knows ${english}, ${french}`),
      ],
    ] as const) {
      await expect(model.translate(['w6'], request)).rejects.toMatchObject({
        code: 'LANGUAGE_UNKNOWN',
        message: expect.stringMatching(message),
      });
    }
  });
});

test('a code without its region is met by the nearest', async () => {
  const model = await loadModel(withTokenizer('mbart', ['de_DE', 'nl_XX'], 'first'));
  await expect(model.translate(['w6'], { to: 'nl' })).rejects.toMatchObject({
    message: expect.stringMatching(/did you mean nl_XX\?/),
  });
  await model.dispose();
});

describe('the first mBART', () => {
  test('has the source language at the end of the text, and the target language starts decoding', async () => {
    const directory = withTokenizer('mbart', ['en_XX', 'fr_XX'], 'last');
    const generation = json(`${directory}/generation_config.json`);
    delete generation.forced_bos_token_id;
    const loadStartingWith = (token: number) => {
      const settings = { ...generation, decoder_start_token_id: token };
      writeFileSync(`${directory}/generation_config.json`, JSON.stringify(settings));
      return loadModel(directory);
    };
    const [english, french] = [await loadStartingWith(4), await loadStartingWith(5)];
    const [{ sequences }] = await english.generate([{ inputIds: [7, 9, 11, 2, 4] }], options);
    const told = await french.translate(['w7 w9 w11'], { from: 'en_XX', to: 'en_XX', ...options });
    expect(told).toEqual([sequences[0].text]);
    const [other] = await french.translate(['w7 w9 w11'], { from: 'en_XX', ...options });
    expect(other).not.toBe(told[0]);
    await english.dispose();
    await french.dispose();
  });
});

describe('models that are told no language', () => {
  test('refuse what cannot be checked', async () => {
    const model = await loadModel('test/fixtures/models/bart');
    for (const request of [{ to: 'fr' }, { from: 'fr' }]) {
      await expect(model.translate(['w6'], request)).rejects.toMatchObject({
        code: 'LANGUAGE_UNKNOWN',
        message: expect.stringMatching(/does not say which languages/),
      });
    }
    await model.dispose();
  });
});
