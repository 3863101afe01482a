import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../../node.js';
import type { Scorer } from '../../decoder/scorer.js';
import { loadParts } from '../../pretrained/loadModel.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { blankBetween } from './joinWords.js';
import { bestSegmentation, findPhrases } from './phrases.js';
import {
  type LanguageModel,
  loadLanguageModel,
  type PhraseSearchOptions,
  translateByPhrases,
  translateByTable,
} from './phraseTranslator.js';
import { createTable } from './translationTable.js';

const list = (...pairs: (string | number)[]) =>
  Array.from({ length: pairs.length / 2 }, (_, at) => ({
    target: String(pairs[2 * at]),
    probability: Number(pairs[2 * at + 1]),
  }));

const unitsOf = (words: readonly string[]) => words.map((text) => ({ text, ngram: text }));

const table = createTable([
  ['a', list('un', 0.6, 'une', 0.3, 'u', 0.1)],
  ['red', list('rouge', 0.9, 'roux', 0.1)],
  ['car', list('voiture', 0.5, 'auto', 0.5)],
  ['red car', list('voiture rouge', 0.7, 'auto', 0.3)],
  ['a red', list('une', 0.6, 'un rouge', 0.4)],
  ['.', list('.', 1)],
]);

test('without a language model the most probable segmentation is taken', () => {
  // 0.6 x 0.7 is more than 0.6 x 0.5 and 0.6 x 0.9 x 0.5.
  expect(translateByTable(table, 'A red car.')).toEqual({
    text: 'un voiture rouge.',
    score: expect.any(Number),
  });
  expect(Math.exp(translateByTable(table, 'a red car.').score)).toBeCloseTo(0.6 * 0.7, 9);
  expect(translateByTable(table, 'a Fiat, red', { copyProbability: 0.5 })).toEqual({
    text: 'un Fiat, rouge',
    score: expect.closeTo(Math.log(0.6 * 0.5 * 0.5 * 0.9), 9),
  });
  expect(translateByTable(table, ' ')).toEqual({ text: '', score: 0 });
});

test('what the table lacks is not torn apart, nor are numbers and addresses of which it has parts', () => {
  const text = 'A red car, 1,000.50 foo_bar: http://a.red.org/car?car=a.';
  expect(translateByTable(table, text).text).toBe(
    'un voiture rouge, 1,000.50 foo_bar: http://a.red.org/car?car=a.',
  );
  // A unit that the table has as an n-gram is translated.
  const numbers = createTable([['1 , 000', list('mille', 1)]]);
  expect(translateByTable(numbers, '1,000 1,001').text).toBe('mille 1,001');
});

test('the best segmentation is the best of all', () => {
  const words = ['a', 'red', 'car', 'a', 'red', 'x', 'car'];
  const phrases = findPhrases(table, unitsOf(words), { translations: 9, copyScore: -3 });
  const scores: number[] = [];
  const walk = (at: number, score: number) => {
    if (at === words.length) scores.push(score);
    for (const { start, end, translations } of phrases) {
      if (start === at) for (const one of translations) walk(end, score + one.score);
    }
  };
  walk(0, 0);
  expect(scores.length).toBeGreaterThan(200);
  const best = bestSegmentation(words.length, phrases);
  expect(best.score).toBeCloseTo(Math.max(...scores), 9);
  expect(best.phrases.reduce((sum, { translations }) => sum + translations[0].score, 0)).toBeCloseTo(
    best.score,
    9,
  );
});

/** A token a letter: blanks are 4, a full stop 5, a comma 6, letters from 7. */
const ids = (text: string) =>
  Array.from(text, (letter) =>
    letter === ' ' ? 4 : letter === '.' ? 5 : letter === ',' ? 6 : letter.charCodeAt(0) - 90,
  );
const letters: Pick<Tokenizer, 'encodeBatch'> = {
  encodeBatch: async (texts) => texts.map((text) => ({ ids: ids(text), truncated: false })),
};

describe('with a language model', () => {
  const root = 'test/fixtures/models/gpt2';
  let model: LanguageModel;
  let scorer: Scorer;
  beforeAll(async () => {
    const { generation, dispose } = await loadParts(root);
    scorer = generation!.scorer;
    model = { steps: generation!.steps, tokenizer: letters as Tokenizer, startId: 1, endId: 1, dispose };
  });
  afterAll(() => model.dispose());

  /** Every derivation: what is written, and the best score that the table gives it. */
  function derivations(text: string, options: Required<PhraseSearchOptions>): Map<string, number> {
    const words = text.split(' ');
    const copyScore = Math.log(options.copyProbability);
    const phrases = findPhrases(table, unitsOf(words), { translations: options.translations, copyScore });
    const found = new Map<string, number>();
    const walk = (done: readonly boolean[], last: number, written: readonly string[], score: number) => {
      const first = done.indexOf(false);
      if (first < 0) {
        const output = written.reduce((all, next) => all + (blankBetween(all, next) ? ' ' : '') + next, '');
        found.set(output, Math.max(score, found.get(output) ?? Number.NEGATIVE_INFINITY));
        return;
      }
      for (const { start, end, translations } of phrases) {
        if (start < first || start > first + options.reordering) continue;
        if (done.slice(start, end).includes(true)) continue;
        const after = done.map((was, at) => was || (at >= start && at < end));
        const jump = options.jumpPenalty * Math.abs(start - last);
        for (const one of translations) {
          walk(after, end, [...written, one.target], score + options.tableWeight * one.score - jump);
        }
      }
    };
    walk(
      words.map(() => false),
      0,
      [],
      0,
    );
    return found;
  }

  async function bestOfAll(text: string, options: Required<PhraseSearchOptions>) {
    const all = [...derivations(text, options)];
    const pairs = all.map(([output]) => ({ inputIds: [], prompt: [1], target: [...ids(output), 1] }));
    const scored = await scorer.score(pairs);
    const totals = scored.map(({ logProbabilities }, at) =>
      logProbabilities.reduce((sum, value) => sum + value + options.wordReward, all[at][1]),
    );
    const best = totals.indexOf(Math.max(...totals));
    return { text: all[best][0], score: totals[best], count: all.length };
  }

  const defaults = {
    translations: 10,
    copyProbability: 0.01,
    numBeams: 60,
    tableWeight: 1,
    reordering: 0,
    jumpPenalty: 0.5,
    wordReward: 0,
  };
  const texts = ['a red car .', 'car', 'red x , a', 'a car red'];

  test.each([
    ['in order', {}],
    ['with jumps', { reordering: 2, jumpPenalty: 0.3 }],
    ['with jumps for nothing', { reordering: 3, jumpPenalty: 0, tableWeight: 0.5, copyProbability: 0.5 }],
    ['with weights and a reward', { tableWeight: 4, wordReward: 1.5 }],
  ])('the best of all outputs is found, %s', async (_, given) => {
    const { jumpPenalty, ...options } = { ...defaults, ...given };
    const search = options.reordering > 0 ? { ...options, jumpPenalty } : options;
    const found = await translateByPhrases(table, model, [...texts, ''], search);
    let counted = 0;
    for (const [at, text] of texts.entries()) {
      const { count, ...best } = await bestOfAll(text, { ...options, jumpPenalty });
      counted += count;
      expect(found[at].text).toBe(best.text);
      expect(found[at].score).toBeCloseTo(best.score, 3);
    }
    expect(counted).toBeGreaterThan(30);
    expect(found.at(-1)).toEqual({ text: '', score: 0 });
  });

  test('texts of a batch are translated as each is alone', async () => {
    const options = { numBeams: 3, reordering: 1 };
    const together = await translateByPhrases(table, model, texts, options);
    for (const batchSize of [1, 3]) {
      const apart = await translateByPhrases(table, model, texts, options, { batchSize });
      expect(apart.map(({ text }) => text)).toEqual(together.map(({ text }) => text));
    }
  });

  test('greedy search writes a translation too', async () => {
    const all = [...derivations('a red car .', defaults).keys()];
    const [{ text }] = await translateByPhrases(table, model, ['a red car .'], { numBeams: 1 });
    expect(all).toContain(text);
  });

  test('what cannot be done is refused', async () => {
    const code = (options: PhraseSearchOptions, text = 'a') =>
      translateByPhrases(table, model, [text], options).then(
        () => 'none',
        (error) => error.code,
      );
    expect(await code({ jumpPenalty: 1 })).toBe('OPTION_CONFLICT');
    expect(await code({ reordering: 9 })).toBe('OPTION_INVALID');
    expect(await code({ numBeams: 1, wordReward: 1 })).toBe('OPTION_CONFLICT');
    expect(await code({}, 'a red car '.repeat(5))).toBe('INPUT_INVALID');
    const long = ['a', 'a red car '.repeat(5)];
    await expect(translateByPhrases(table, model, long, {}, { firstIndex: 499 })).rejects.toMatchObject({
      message: expect.stringMatching(/^Input 501 has 15 words/),
    });
    // A batch of nothing would never be done.
    for (const batchSize of [0, 1.5, Number.NaN]) {
      await expect(translateByPhrases(table, model, ['a'], {}, { batchSize })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      });
    }
    const aborted = translateByPhrases(table, model, ['a'], {}, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

test.each([
  ['an encoder-decoder', 'marian', 'MODEL_CANNOT_GENERATE'],
  ['an encoder', 'bert', 'MODEL_CANNOT_GENERATE'],
  ['a model without tokenizer', 'gpt2', 'TOKENIZER_MISSING'],
])('no language model: %s', async (_, name, code) => {
  await expect(loadLanguageModel(`test/fixtures/models/${name}`)).rejects.toMatchObject({ code });
});
