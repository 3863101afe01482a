import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sentences, tinyTable, tinyTokenizer, words } from '../../../test/support/xlm/tinyTables.js';
import '../../node/install.js';
import type { Device } from '../../engine/program.js';
import { readXlmConfig } from '../../pretrained/architectures/xlm.js';
import { tokenizeDocuments } from '../../pretraining/corpus.js';
import { createDraws } from '../../pretraining/draws.js';
import { readVocabularyFacts, type VocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { warmStart } from '../../training/initialize.js';
import { compileTrainStep, trainableParameters } from '../../training/step.js';
import { alignBySimilarity, alignUniformly } from './alignment.js';
import { type CmlmParts, type CmlmRow, cmlm, cmlmBatch, cmlmLoss, cmlmRow } from './cmlm.js';
import { cmlmOptionsSchema } from './cmlmOptions.js';
import { chooseNgrams, coverage, type NgramTables, openNgramTables, specialIds } from './ngramTables.js';
import type { Language, XlmContext } from './objective.js';
import { streamRows } from './streams.js';

let directory: string;
let tokenizer: Tokenizer;
let facts: VocabularyFacts;
let tables: NgramTables;
let rows: Int32Array[];
let table: string;

beforeAll(async () => {
  ({ tokenizer, directory } = await tinyTokenizer());
  facts = await readVocabularyFacts(tokenizer);
  table = await tinyTable(directory, 'en', ['car\tзнак\t0.9']);
  // The first translation of car is one that the vocabulary does not know: its probabilities change.
  await writeFile(
    table,
    readFileSync(table, 'utf8')
      .replace('car\tAuto\t0.75', 'car\tAuto\t0.09')
      .replace('car\tblaues\t0.25', 'car\tblaues\t0.01'),
  );
  tables = await openNgramTables([source()], tokenizer, specialIds(facts));
  const corpus = await tokenizeDocuments(sentences('en', 60), tokenizer);
  rows = streamRows(corpus, 48, tokenizer.specialIds.eos!);
});
afterAll(() => rm(directory, { recursive: true }));

const source = () => ({ from: 'en', to: 'de', path: table });
const options = (given: object = {}) => cmlmOptionsSchema.parse({ tables: [source()], ...given });
const parts = (given: object = {}): CmlmParts => ({
  context: { facts },
  options: options(given),
  tables,
  align: alignUniformly,
});
const allRows = (given: object = {}, rounds = 20) =>
  Array.from({ length: rounds }, (_, epoch) =>
    rows.map((ids, at) => ({
      ids,
      row: cmlmRow({ ids, draws: createDraws(1, 'cmlm', epoch, at) }, tables.all, parts(given)),
    })),
  ).flat();
const text = (ids: readonly number[]) =>
  ids
    .map((id) => tokenizer.idToToken(id))
    .join('')
    .replaceAll('▁', ' ')
    .trim();

describe('n-grams of a row', () => {
  test('are those of the table, chosen whole, about as many tokens as wanted', () => {
    rows.forEach((ids, at) => {
      const wanted = 12;
      const chosen = chooseNgrams(ids, wanted, tables, tables.all, createDraws(1, 'x', 0, at));
      const tokens = chosen.reduce((sum, { from, to }) => sum + to - from, 0);
      expect(tokens).toBeGreaterThan(wanted - 6);
      expect(tokens).toBeLessThanOrEqual(wanted);
      chosen.forEach(({ text: ngram, from, to }, i) => {
        expect(text(Array.from(ids.subarray(from, to)))).toBe(ngram);
        expect(tables.all[0].has(ngram)).toBe(true);
        if (i > 0) expect(from).toBeGreaterThanOrEqual(chosen[i - 1].to);
      });
    });
    expect(coverage(rows, tables, tables.all)).toBeGreaterThan(0.5);
  });

  test('of one word alone, where that is wanted; the table has both', async () => {
    const lengths = (of: NgramTables) =>
      new Set(
        rows.flatMap((ids) =>
          chooseNgrams(ids, 12, of, of.all, createDraws(1, 'x', 0, 0)).map((one) => one.words.length),
        ),
      );
    expect([...lengths(tables)].sort()).toEqual([1, 2]);
    const unigrams = await openNgramTables([source()], tokenizer, specialIds(facts), 1);
    expect([...lengths(unigrams)]).toEqual([1]);
    expect(unigrams.all[0].size).toBe(10);
    expect(tables.all[0].size).toBe(20);
  });

  test('have only translations in known tokens, whose probabilities sum to 1', () => {
    expect(tables.all[0].usable('car').map(({ text: one, probability }) => [one, probability])).toEqual([
      ['Auto', expect.closeTo(0.9)],
      ['blaues', expect.closeTo(0.1)],
    ]);
  });
});

/** Labels of each n-gram, by its positions: targets come n-gram by n-gram. */
function labelsByNgram({ targets }: CmlmRow): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { label, positions } of targets) {
    const key = positions.join();
    found.set(key, [...(found.get(key) ?? []), label]);
  }
  return found;
}

describe('a row', () => {
  test('predicts the tokens of translations at the tokens of their n-grams, 15 % of all', () => {
    const found = allRows();
    const targets = new Set(words.de.flatMap((word, at) => [word, `${word} ${words.de[(at + 1) % 10]}`]));
    for (const { ids, row } of found) {
      if (row.ngrams > 1) expect(row.read.length).toBeLessThanOrEqual(Math.round(47 * 0.15));
      expect(row.read).not.toContain(0);
      expect(row.inputIds.filter((id, at) => id !== ids[at] && !row.read.includes(at))).toEqual([]);
      const byNgram = labelsByNgram(row);
      for (const { logWeights } of row.targets) {
        expect(logWeights.reduce((sum, weight) => sum + Math.exp(weight), 0)).toBeCloseTo(1, 10);
      }
      expect(byNgram.size).toBe(row.ngrams);
      expect([...byNgram.keys()].flatMap((key) => key.split(',').map(Number)).sort((a, b) => a - b)).toEqual(
        row.read,
      );
      for (const labels of byNgram.values()) expect(targets).toContain(text(labels));
    }
    const share = found.reduce((sum, { row }) => sum + row.read.length, 0) / (47 * found.length);
    expect(share).toBeGreaterThan(0.11);
  });

  test('draws translations by their probabilities', () => {
    const count = { first: 0, all: 0 };
    for (const { ids, row } of allRows({ maxNgram: 1 }, 60)) {
      for (const [key, labels] of labelsByNgram(row)) {
        if (text(key.split(',').map((at) => ids[Number(at)])) !== 'the') continue;
        count.all++;
        if (text(labels) === 'das') count.first++;
      }
    }
    expect(count.all).toBeGreaterThan(100);
    expect(Math.abs(count.first / count.all - 0.75)).toBeLessThan(0.12);
  });

  test('may predict some tokens themselves, and tokens of no word at its first position', () => {
    for (const { ids, row } of allRows({ mlmShare: 0.5, mlmWeight: 0.5, nullProbability: 0.2 }, 4)) {
      const [single, aligned] = [0.5, 1].map((weight) => row.targets.filter((one) => one.weight === weight));
      expect(single).toHaveLength(4);
      for (const { label, positions, logWeights } of single) {
        expect([label, logWeights]).toEqual([ids[positions[0]], [0]]);
        expect(positions[0]).toBeGreaterThan(0);
      }
      for (const { positions, logWeights } of aligned) {
        expect([positions[0], Math.exp(logWeights[0])]).toEqual([0, expect.closeTo(0.2)]);
        expect(logWeights.reduce((sum, weight) => sum + Math.exp(weight), 0)).toBeCloseTo(1, 10);
      }
      expect(row.read[0]).toBe(aligned.length > 0 ? 0 : row.read[0]);
      expect(row.inputIds[0]).toBe(ids[0]);
    }
  });

  test('masks anew in another round, and alike in the same', () => {
    const draw = (epoch: number) =>
      cmlmRow({ ids: rows[0], draws: createDraws(1, 'cmlm/en', epoch, 0) }, tables.all, parts());
    expect(draw(0)).toEqual(draw(0));
    expect(draw(0)).not.toEqual(draw(1));
  });
});

describe('alignment', () => {
  test('is the softmax of cosines of words, and 0 stands for a word without a vector', async () => {
    const [en, de] = [join(directory, 'en.vec'), join(directory, 'de.vec')];
    await writeFile(en, '3 2\nred 2 0\ncar 1 1\nred␣car 5 5\n');
    await writeFile(de, '2 2\nauto 0 3\nrotes 1 0\n');
    const known = new Map([
      ['en', new Set(['red', 'car', 'old'])],
      ['de', new Set(['Auto', 'rotes', 'Haus'])],
    ]);
    const align = await alignBySimilarity({ en, de }, 0.5, known);
    const languages = { from: 'en', to: 'de' };
    const wanted = (cosines: number[]) => {
      const powers = cosines.map((one) => Math.exp(one / 0.5));
      return powers.map((one) => Math.log(one / powers.reduce((a, b) => a + b, 0)));
    };
    const close = (values: number[]) => values.map((value) => expect.closeTo(value, 5));
    const masked = ['red', 'car', 'car', 'old'];
    expect(align(masked, 'Auto', languages)).toEqual(close(wanted([0, Math.SQRT1_2, Math.SQRT1_2, 0])));
    expect(align(masked, 'rotes', languages)).toEqual(close(wanted([1, Math.SQRT1_2, Math.SQRT1_2, 0])));
    expect(align(masked, 'Haus', languages)).toEqual(close(alignUniformly(masked, '', languages)));
    await expect(alignBySimilarity({ en }, 0.5, new Map([['en', new Set(['xyz'])]]))).rejects.toThrow(
      /en\.vec has a vector of none of the words/,
    );
    await writeFile(de, '1 3\nauto 0 3 1\n');
    await expect(alignBySimilarity({ en, de }, 0.5, known)).rejects.toThrow(/vectors of 3 numbers .* have 2/);
  });
});

describe.each(['cpu', 'tfjs:cpu'] as Device[])('the loss on %s', (device) => {
  /* Rows of transformers' fixture, whose logits are known (tools/makeXlmFixtures.py). */
  const fixture = 'test/fixtures/models/xlm';
  const { inputs, forward } = JSON.parse(readFileSync(`${fixture}/expected.json`, 'utf8'));
  const model = readXlmConfig(JSON.parse(readFileSync(`${fixture}/config.json`, 'utf8')), fixture);
  const language: Language = { code: 'en', number: 1 };
  const logProbabilities = (at: number) => {
    const logits: number[] = forward.logits[0][at];
    const sum = Math.log(logits.reduce((total, one) => total + Math.exp(one), 0));
    return logits.map((one) => one - sum);
  };

  test("is IBM Model 2 over transformers' probabilities, by enumeration", async () => {
    const best = logProbabilities(4).indexOf(Math.max(...logProbabilities(4)));
    const weights = [0.2, 0.5, 0.3];
    const row: CmlmRow = {
      inputIds: inputs.input_ids[0].slice(0, 6),
      read: [0, 2, 3, 4],
      ngrams: 2,
      targets: [
        ...[31, 20].map((label) => ({
          label,
          positions: [0, 2, 3],
          logWeights: weights.map(Math.log),
          weight: 1,
        })),
        { label: best, positions: [4], logWeights: [0], weight: 0.25 },
      ],
    };
    const context = { model, facts: { padTokenId: 2 } as VocabularyFacts };
    const batch = cmlmBatch([row], context, language, { lengthProbability: 0.1 });
    expect(batch.targetTokens).toBe(3);
    // Every way to align both tokens to the three positions.
    let probability = 0;
    for (let i = 0; i < 3; i++) {
      for (let k = 0; k < 3; k++) {
        const [first, second] = [
          logProbabilities(row.targets[0].positions[i])[31],
          logProbabilities(row.targets[1].positions[k])[20],
        ];
        probability += weights[i] * weights[k] * Math.exp(first + second);
      }
    }
    const single = -logProbabilities(4)[best];
    const objective = cmlmLoss({ ...model, dropout: 0, attentionDropout: 0 });
    const initial = (await warmStart(trainableParameters(objective), 1, fixture)).weights;
    const optimizer = { adamBeta1: 0.9, adamBeta2: 0.98, adamEpsilon: 1e-9, weightDecay: 0, clipNorm: 0 };
    const step = await compileTrainStep(objective, initial, { device, optimizer });
    const found = await step.evaluate(batch);
    expect(found.nllSum).toBeCloseTo(-Math.log(probability) + single, 3);
    expect(found.lossSum).toBeCloseTo(-Math.log(probability) + 0.25 * single - 2 * Math.log(0.1), 3);
    expect(found.measures).toEqual({ correct: 1 });
    await step.update(batch, { learningRate: 1e-3, update: 1, seed: 1, micro: 0, accumulatedTokens: 0 });
    expect((await step.evaluate(batch)).lossSum).toBeLessThan(found.lossSum);
    step.dispose();
  });
});

describe('refuses', () => {
  const languages = new Map(['en', 'de'].map((code, number) => [code, { code, number }]));
  let anything: Partial<XlmContext>;
  beforeAll(() => {
    const model = { nLangs: 2, useLangEmb: true } as XlmContext['model'];
    anything = { tokenizer, facts, languages, model };
  });
  const prepare = (given: object, streams = new Map([['en', rows]])) => {
    const context = { ...anything, note: () => {} } as unknown as XlmContext;
    return cmlm(context, options(given)).prepare!(streams);
  };

  test('a table that does not match the vocabulary, or the text', async () => {
    const path = join(directory, 'foreign.tsv');
    await writeFile(path, 'red\tкрасный\t1\n');
    await expect(prepare({ tables: [{ from: 'en', to: 'de', path }] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/does not match the vocabulary: none of its 1 n-grams/),
    });
    await writeFile(path, 'rot\tAuto\t1\n');
    await expect(prepare({ tables: [{ from: 'en', to: 'de', path }] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/None of the 1 n-grams of .* was found in the text of en/),
    });
  });

  test('languages that there are not, and vectors that do not fit the tables', async () => {
    await expect(prepare({ tables: [{ from: 'en', to: 'fr', path: table }] })).rejects.toMatchObject({
      code: 'LANGUAGE_UNKNOWN',
      message: expect.stringMatching(/no language fr.*it has en, de/),
    });
    await expect(prepare({ tables: [{ from: 'de', to: 'en', path: table }] })).rejects.toThrow(
      /there is no text in de to mask the n-grams/,
    );
    await expect(prepare({ vectors: { en: 'x.vec' } })).rejects.toThrow(/vectors has no file for de/);
    await expect(prepare({ vectors: { en: 'x', de: 'x', fr: 'x' } })).rejects.toThrow(
      /a file for fr, and no table/,
    );
  });

  test('nothing where all is right: it tells what the table covers', async () => {
    const notes: string[] = [];
    const context = { ...anything, note: (one: string) => notes.push(one) } as unknown as XlmContext;
    const objective = cmlm(context, options());
    await objective.prepare!(new Map([['en', rows]]));
    expect(notes.join()).toMatch(/table en-de: 20 of 20 n-grams .* \d+\.\d % of the tokens of en/);
    expect(objective.batches([languages.get('de')!])).toBeUndefined();
    expect(objective.batches([languages.get('en')!])).toBeTypeOf('function');
    expect(objective.fingerprint!()).toMatch(/^[0-9a-f]{16}$/);
  });
});
