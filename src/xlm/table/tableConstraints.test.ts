import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import '../../node.js';
import { loadModel } from '../../pretrained/loadModel.js';
import { loadTokenizer } from '../../text/loadTokenizer.js';
import { saveTokenizer } from '../../text/saveTokenizer.js';
import { trainVocabulary } from '../../text/trainVocabulary.js';
import { constraintsFromTable } from './tableConstraints.js';
import { createTable } from './translationTable.js';

const directory = 'models/en-fr-software';

const table = createTable([
  [
    'package',
    [
      { target: 'paquet', probability: 0.8 },
      { target: 'colis', probability: 0.15 },
      { target: 'x', probability: 0.05 },
    ],
  ],
  [
    'game',
    [
      { target: 'jeu', probability: 0.95 },
      { target: 'partie', probability: 0.05 },
    ],
  ],
  [
    'free',
    [
      { target: 'libre', probability: 0.4 },
      { target: 'gratuit', probability: 0.35 },
      { target: 'x', probability: 0.25 },
    ],
  ],
  ['free game', [{ target: 'jeu libre', probability: 1 }]],
  ['.', [{ target: '.', probability: 1 }]],
]);

test('what the table is sure of constrains, the longest n-gram first', async () => {
  const tokenizer = await loadTokenizer(directory);
  const of = (text: string, options = {}) => constraintsFromTable(table, text, tokenizer, options);
  const { phrases, forceWordsIds, sequenceBias } = await of('The Package of a free game.', { bias: 1.5 });
  expect(phrases.map(({ source, start, end }) => [source, start, end])).toEqual([
    ['package', 4, 11],
    ['free game', 17, 26],
  ]);
  const spell = async (text: string) =>
    (await tokenizer.encode(text, { addSpecialTokens: false, side: 'target' })).ids;
  expect(forceWordsIds).toEqual([[await spell('paquet'), await spell('colis')], [await spell('jeu libre')]]);
  const jeu = await spell('jeu libre');
  expect(sequenceBias.filter(([ids]) => ids[0] === jeu[0])).toEqual(
    jeu.map((_, at) => [jeu.slice(0, at + 1), 1.5]),
  );
  const few = await of('free package game', { maxConstraints: 1 });
  expect(few.phrases.map(({ source }) => source)).toEqual(['game']);
  const unsure = await of('a free package', { minProbability: 0.4, minAlternative: 0.3 });
  expect(unsure.phrases.map(({ translations }) => translations.map(({ target }) => target))).toEqual([
    ['libre', 'gratuit'],
    ['paquet'],
  ]);
  expect(await of('nothing .')).toEqual({ phrases: [], forceWordsIds: [], sequenceBias: [] });
  await expect(of('a', { maxConstraints: 0 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('a vocabulary that spells words otherwise after a blank has both spellings', async () => {
  // GPT-2's way: a word begins with the blank before it.
  const directory = await mkdtemp(join(tmpdir(), 'polybeam-constraints-'));
  const lines = ['jeu de jeu', 'un jeu', 'le jeu', 'jeu'];
  const options = { pretokenizer: 'byteLevel', addPrefixSpace: false, size: 300, minFrequency: 1 } as const;
  await saveTokenizer(directory, await trainVocabulary(lines, options));
  const tokenizer = await loadTokenizer(directory);
  const { forceWordsIds } = await constraintsFromTable(table, 'game', tokenizer);
  const texts = await tokenizer.decodeBatch(forceWordsIds[0] as number[][]);
  expect(texts).toEqual([' jeu', 'jeu']);
});

test('a model translates as it is constrained, and is drawn as it is biased', async () => {
  const model = await loadModel(directory);
  const other = createTable([['game', [{ target: 'logiciel', probability: 1 }]]]);
  const { forceWordsIds, sequenceBias } = await constraintsFromTable(
    other,
    'a free game',
    await loadTokenizer(directory),
    { bias: 30 },
  );
  const write = async (input: object, options: object) => {
    const [{ sequences }] = await model.generate([{ text: 'a free game', ...input }], {
      numBeams: 4,
      ...options,
    });
    return sequences[0].text;
  };
  expect(await write({}, {})).not.toContain('logiciel');
  expect(await write({ forceWordsIds }, {})).toContain('logiciel');
  expect(await write({}, { sequenceBias })).toContain('logiciel');
  await model.dispose();
});
