import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import '../../node.js';
import type { WordVectors } from '../vectors/wordVectors.js';
import { type BuiltTable, buildTable } from './buildTable.js';
import { createMarginSearch } from './margin.js';
import { fitTemperature, type ScoredLists, shares, softmax } from './tableProbabilities.js';
import { openTable, writeTable } from './translationTable.js';

function vectors(rows: Record<string, number[]>): WordVectors {
  const words = Object.keys(rows);
  return {
    words,
    size: rows[words[0]].length,
    values: Float32Array.from(words.flatMap((word) => rows[word])),
  };
}

/** Vectors of random directions and lengths. */
function random(count: number, size: number, seed: number, name: (row: number) => string): WordVectors {
  let state = seed;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.4;
  };
  return {
    words: Array.from({ length: count }, (_, row) => name(row)),
    size,
    values: Float32Array.from({ length: count * size }, draw),
  };
}

const contents = ({ sources, translationsOf }: BuiltTable) =>
  Object.fromEntries(sources.map((source, index) => [source, translationsOf(index)]));
const targetsOf = (table: BuiltTable) =>
  Object.fromEntries(
    Object.entries(contents(table)).map(([source, list]) => [source, list.map(({ target }) => target)]),
  );

const english = vectors({ car: [2, 0.1], dog: [0.1, 3], 'red car': [1, 0.3] });
const german = vectors({ Hund: [0.1, 1], Auto: [5, 0.2], 'rotes Auto': [1, 0.32], 'der Hund': [0.2, 1] });

test('n-grams are translated by what lies in their direction, both ways', async () => {
  const { forward, reverse } = await buildTable(
    english,
    german,
    { topK: 1, neighbors: 2 },
    { reverse: true },
  );
  expect(targetsOf(forward)).toEqual({ car: ['Auto'], dog: ['Hund'], 'red car': ['rotes Auto'] });
  expect(targetsOf(reverse!)).toEqual({
    Hund: ['dog'],
    Auto: ['car'],
    'rotes Auto': ['red car'],
    'der Hund': ['dog'],
  });
  expect((await buildTable(german, english, { topK: 1, neighbors: 2 })).forward).toMatchObject({
    sources: reverse!.sources,
    temperature: reverse!.temperature,
  });
});

test('probabilities are the softmax of margins, and a table of them can be written', async () => {
  const [x, y] = [random(40, 8, 1, (row) => `x${row}`), random(30, 8, 2, (row) => `y ${row}`)];
  const options = { topK: 6, neighbors: 3, temperature: 0.2 };
  const { forward, reverse } = await buildTable(x, y, options, { reverse: true });
  const unit = ({ words, size, values }: WordVectors) => ({
    count: words.length,
    size,
    values: values.map((value, at) => {
      const row = Math.floor(at / size) * size;
      return value / Math.hypot(...values.subarray(row, row + size));
    }),
  });
  const search = createMarginSearch({});
  const near = await search.neighborhood(unit(y), unit(x), 3);
  const { places, margins } = await search.best(unit(x), unit(y), near.means, 3, 6);
  await search.release();
  const path = join(await mkdtemp(join(tmpdir(), 'polybeam-table-')), 'xy.tsv');
  await writeTable(path, forward.sources, forward.translationsOf);
  const table = await openTable(path);
  forward.sources.forEach((source, row) => {
    const list = forward.translationsOf(row);
    expect(list.map(({ target }) => target)).toEqual(
      [...places.subarray(6 * row, 6 * row + 6)].map((place) => y.words[place]),
    );
    const weights = [...margins.subarray(6 * row, 6 * row + 6)].map((margin) => Math.exp(margin / 0.2));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    list.forEach(({ probability }, rank) => {
      expect(probability).toBeCloseTo(weights[rank] / sum, 4);
    });
    expect(table.get(source).map(({ target }) => target)).toEqual(list.map(({ target }) => target));
  });
  for (const built of [forward, reverse!]) {
    for (const list of Object.values(contents(built))) {
      expect(list.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9);
    }
  }
});

test('translations may be held to as many words, and n-grams to a number of words', async () => {
  const same = await buildTable(
    english,
    german,
    { targets: 'sameLength', neighbors: 2, temperature: 1 },
    { reverse: true },
  );
  expect(targetsOf(same.forward)).toEqual({
    car: ['Auto', 'Hund'],
    dog: ['Hund', 'Auto'],
    'red car': ['rotes Auto', 'der Hund'],
  });
  expect(targetsOf(same.reverse!)).toMatchObject({ 'der Hund': ['red car'], Auto: ['car', 'dog'] });
  const words = await buildTable(english, german, { longest: 1, temperature: 1 });
  expect(targetsOf(words.forward)).toEqual({ car: ['Auto', 'Hund'], dog: ['Hund', 'Auto'] });
  const limited = await buildTable(english, german, { sourceLimit: 1, targetLimit: 3, temperature: 1 });
  expect(targetsOf(limited.forward)).toEqual({ car: ['Auto', 'rotes Auto', 'Hund'] });
});

test('an n-gram that nothing of its length translates has no entry', async () => {
  const some = vectors({ Auto: [1, 0] });
  const { forward } = await buildTable(english, some, { targets: 'sameLength' });
  expect(targetsOf(forward)).toEqual({ car: ['Auto'], dog: ['Auto'], 'red car': [] });
  const none = vectors({ 'ein rotes Auto': [1, 0] });
  await expect(buildTable(english, none, { targets: 'sameLength' })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining('No source n-gram has as many words'),
  });
});

test('a vector of 0 takes no part', async () => {
  const some = vectors({ nichts: [0, 0], Auto: [1, 0] });
  const { forward } = await buildTable(some, english, { topK: 1 }, { reverse: true });
  expect(targetsOf(forward)).toEqual({ Auto: ['car'] });
});

test.each([
  ['other sizes', english, vectors({ Auto: [1, 0, 0] }), {}, 'have 2 features and the target vectors 3'],
  [
    'a word twice',
    { ...english, words: ['car', 'dog', 'car'] },
    german,
    {},
    'The source vectors have "car" twice',
  ],
  ['nothing but 0', english, vectors({ Auto: [0, 0] }), {}, 'No target n-gram has a vector other than 0'],
  [
    'nothing short',
    english,
    vectors({ 'ein Auto': [1, 0] }),
    { longest: 1 },
    'other than 0 and 1 words at most',
  ],
])('vectors that cannot be compared are refused: %s', async (_, source, target, options, message) => {
  await expect(buildTable(source, target, options)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining(message),
  });
});

test('options are checked', async () => {
  const codes = [
    { topK: 0 },
    { temperature: 0 },
    { k: 5 } as object,
    { probabilities: 'share' as const, temperature: 1 },
  ].map((options) =>
    buildTable(english, german, options).then(
      () => 'none',
      (error) => error.code,
    ),
  );
  expect(await Promise.all(codes)).toEqual([
    'OPTION_INVALID',
    'OPTION_INVALID',
    'OPTION_UNKNOWN',
    'OPTION_CONFLICT',
  ]);
});

test('progress reaches the end, and a signal ends the run', async () => {
  const seen: [number, number][] = [];
  await buildTable(
    english,
    german,
    {},
    { reverse: true, onProgress: (done, total) => void seen.push([done, total]) },
  );
  expect(seen).toEqual([
    [4, 11],
    [7, 11],
    [11, 11],
  ]);
  const controller = new AbortController();
  const stopped = buildTable(
    english,
    german,
    {},
    { signal: controller.signal, onProgress: () => controller.abort() },
  );
  await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
});

test('shares and softmax give probabilities, and leave out what has next to none', () => {
  expect([...shares(Float32Array.of(3, 1, 0, -2))]).toEqual([0.75, 0.25]);
  expect([...shares(Float32Array.of(-1, -2))]).toEqual([]);
  expect([...softmax(Float32Array.of(1, 1), 0.1)]).toEqual([0.5, 0.5]);
  expect([...softmax(Float32Array.of(900, 899, 0), 1)].map((p) => p.toFixed(6))).toEqual([
    '0.731059',
    '0.268941',
  ]);
});

test('the temperature is that of the highest likelihood', () => {
  const scores = Float32Array.from(
    { length: 60 },
    (_, at) => 1.2 - 0.1 * (at % 3) - 0.001 * Math.floor(at / 3),
  );
  const places = Int32Array.from(scores, (_, at) => at);
  // A list that ends early, whose rest must not count.
  places[5] = -1;
  scores[5] = 9;
  const cited = Array.from({ length: 20 }, (_, row) => 3 * row + (row % 7 === 3 ? 2 : row % 3 === 0 ? 1 : 0));
  const lists: ScoredLists = { width: 3, places, scores, cited };
  const likelihood = (temperature: number) =>
    cited.reduce((sum, index) => {
      const from = index - (index % 3);
      const own = [from, from + 1, from + 2].filter((at) => places[at] >= 0);
      const total = own.reduce((all, at) => all + Math.exp(scores[at] / temperature), 0);
      return sum + scores[index] / temperature - Math.log(total);
    }, 0);
  const found = fitTemperature(lists);
  for (const factor of [0.5, 0.9, 0.99, 1.01, 1.1, 2]) {
    expect(likelihood(found)).toBeGreaterThan(likelihood(found * factor));
  }
  expect(fitTemperature({ ...lists, cited: [] })).toBeCloseTo(1 / 30, 9);
  expect(fitTemperature({ ...lists, cited: [0, 6, 9] })).toBeCloseTo(0.001, 6);
});
