import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../node/install.js';
import { loadTokenizer } from '../../text/loadTokenizer.js';
import { saveTokenizer } from '../../text/saveTokenizer.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { trainJointVocabulary } from '../jointVocabulary.js';
import { openGeneration, tokensByLanguage } from './generation.js';
import type { LiveTranslator } from './liveTranslator.js';
import { parseTranslationConfig } from './parseConfig.js';

let directory: string;
let tokenizer: Tokenizer;
const english = ['a red car stops', 'a dog'];
const german = ['ein rotes Auto', 'ein Hund'];
const path = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-generation-'));
  const texts = { en: () => [english], de: () => [german] };
  await saveTokenizer(directory, (await trainJointVocabulary(texts, { size: 90 })).tokenizer);
  tokenizer = await loadTokenizer(directory);
  writeFileSync(
    path('en-de.tsv'),
    ['a\tein\t1', 'dog\tHund\t0.9', 'dog\tTier\t0.1', 'red\trot\t1', 'red car\trotes Auto\t1']
      .map((line) => `${line}\n`)
      .join(''),
  );
  writeFileSync(
    path('de-en.tsv'),
    ['Auto\tcar\t1', 'Hund\tdog\t1', 'ein\ta\t1'].map((line) => `${line}\n`).join(''),
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

const encode = async (texts: readonly string[]) =>
  (await tokenizer.encodeBatch(texts, { addSpecialTokens: false })).map(({ ids }) => Int32Array.from(ids));

async function open(backTranslation: object, languages = { en: english, de: german }) {
  const config = parseTranslationConfig({
    output: path('run'),
    data: { train: { en: 'a', de: 'b' } },
    budget: { maxUpdates: 1 },
    backTranslation: {
      tables: { 'en-de': path('en-de.tsv'), 'de-en': path('de-en.tsv') },
      ...backTranslation,
    },
  });
  const asked: Parameters<LiveTranslator['translate']>[] = [];
  const translator: LiveTranslator = {
    translate: async (...request) => {
      asked.push(request);
      return request[0].map(() => [20]);
    },
    release: async () => {},
  };
  const texts = new Map<string, Int32Array[]>();
  for (const [language, list] of Object.entries(languages)) texts.set(language, await encode(list));
  const parts = {
    data: { texts, pairs: [] },
    translator,
    tokenizer,
    vocabSize: tokenizer.vocabSize,
    room: 30,
  };
  return { asked, ...(await openGeneration(config, parts, { device: 'cpu', threads: 1 })) };
}

const intoGerman = { from: 'en', to: 'de' };

test('tables translate in the first rounds, the model after them', async () => {
  const { generate, asked } = await open({ tableRounds: 3 });
  const texts = await encode(english);
  const translated = await generate(texts, intoGerman, { round: 2, seed: 1 });
  // The longer phrase, the more probable word, and a word that the table lacks as it is.
  expect(await tokenizer.decodeBatch(translated)).toEqual(['ein rotes Auto stops', 'ein Hund']);
  expect(asked).toEqual([]);
  expect(await generate(texts, intoGerman, { round: 3, seed: 1 })).toEqual([[20], [20]]);
  expect(asked).toEqual([[texts, intoGerman, {}]]);
});

test('the model is made to use what a table is sure of, in beam search', async () => {
  const more = {
    decoding: 'beam',
    numBeams: 3,
    tableRounds: 0,
    constraints: { rounds: 2, maxConstraints: 1 },
  };
  const { generate, asked } = await open(more);
  const texts = await encode(['a dog', 'stops']);
  await generate(texts, intoGerman, { round: 1, seed: 1 });
  await generate(texts, intoGerman, { round: 2, seed: 1 });
  const [[, , options, forced], later] = asked;
  expect(options).toEqual({ numBeams: 3 });
  const [words, nothing] = forced!.forceWordsIds!;
  expect(nothing).toEqual([]);
  expect(words).toHaveLength(1);
  expect(words[0]).toContainEqual([...(await encode(['ein']))[0]]);
  expect(later).toEqual([texts, intoGerman, { numBeams: 3 }]);
});

test('drawn translations have a seed of their batch', async () => {
  const { generate, asked } = await open({ tables: undefined, decoding: 'sample', temperature: 0.7 });
  await generate([], intoGerman, { round: 0, seed: 77 });
  expect(asked[0][2]).toEqual({ doSample: true, temperature: 0.7, topK: 0, seed: 77 });
});

test('in the first rounds only tokens may come that the language has', async () => {
  const { generate, asked } = await open({ tables: undefined, onlyOwnTokens: 1 });
  for (const round of [0, 1]) await generate([], intoGerman, { round, seed: 1 });
  const own = new Set(asked[0][2].shortlist?.always);
  expect(own).toEqual(new Set((await encode(german)).flatMap((ids) => [...ids])));
  expect(asked[1][2]).toEqual({});
});

test('a token that is one in a hundred of what it is elsewhere is not a language’s own', () => {
  const text = (id: number, count: number) => new Int32Array(count).fill(id);
  const texts = new Map([
    ['en', [text(1, 500), text(2, 500)]],
    ['de', [text(1, 4), text(2, 6), text(3, 990)]],
  ]);
  const own = tokensByLanguage({ texts }, 5);
  expect([...own.get('en')!.always]).toEqual([1, 2]);
  expect([...own.get('de')!.always]).toEqual([2, 3]);
});

test('a table of another language is refused, with a word that it lacks', async () => {
  const turned = { tables: { 'en-de': path('de-en.tsv'), 'de-en': path('en-de.tsv') } };
  await expect(open(turned)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringMatching(
      /has 0 of 5 words of the texts of de, and not "ein": give a table whose source language is de/,
    ),
  });
});
