import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import '../../node.js';
import type { PolybeamError } from '../../errors.js';
import { normalInit } from '../../training/random.js';
import type { WordVectors } from '../vectors/wordVectors.js';
import { lexiconAccuracy } from './lexiconAccuracy.js';
import { orthogonalMap, symmetricMaps } from './linearMaps.js';
import type { MappingOptions } from './mappingOptions.js';
import { mapVectors } from './mapVectors.js';

interface Fixture {
  options: MappingOptions;
  words: [string[], string[]];
  vectors: [number[][], number[][]];
  cases: {
    seedDictionary: 'unsupervised' | 'identical' | 'numerals' | 'dictionary';
    seeds: [number[], number[]];
    objectives: number[];
    pairs: [number[], number[]];
    products: number[][];
    ownProducts: number[][];
    orthogonal: number[][];
    meanBest: [number, number];
    coverage: number;
  }[];
}

const fixture = JSON.parse(readFileSync('test/fixtures/xlm/mapping.json', 'utf8')) as Fixture;
const [source, target] = [0, 1].map((side): WordVectors => {
  const rows = fixture.vectors[side];
  return { words: fixture.words[side], size: rows[0].length, values: Float32Array.from(rows.flat()) };
});

const folder = await mkdtemp(join(tmpdir(), 'polybeam-mapping-'));

function rowOf({ size, values }: WordVectors, row: number): number[] {
  return Array.from(values.subarray(row * size, (row + 1) * size));
}

const dot = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + value * b[at], 0);

/** Products of the first rows of one side with all rows of another. */
function productsOf(rows: number, a: WordVectors, b: WordVectors): number[][] {
  return Array.from({ length: rows }, (_, i) => b.words.map((_, j) => dot(rowOf(a, i), rowOf(b, j))));
}

function expectNear(found: number[][], wanted: number[][], tolerance: number): void {
  const gap = Math.max(...found.flatMap((row, i) => row.map((value, j) => Math.abs(value - wanted[i][j]))));
  expect(gap).toBeLessThan(tolerance);
}

test.each(fixture.cases)(
  'the mapping begun with $seedDictionary pairs is that of the reference in numpy',
  async (wanted) => {
    const options: MappingOptions = { ...fixture.options, seedDictionary: wanted.seedDictionary, threads: 1 };
    if (wanted.seedDictionary === 'dictionary') {
      options.dictionary = join(folder, 'seeds.tsv');
      const [from, to] = wanted.seeds;
      const lines = from.map((at, i) => `${fixture.words[0][at]}\t${fixture.words[1][to[i]]}`);
      await writeFile(options.dictionary, `${lines.join('\n')}\nnowhere\tnirgends\n`);
    }
    const first = await mapVectors(source, target, { ...options, selfLearning: false });
    expect([first.pairs.sources, first.pairs.targets].map((side) => Array.from(side))).toEqual(wanted.seeds);

    const mapping = await mapVectors(source, target, options);
    const { report } = mapping;
    expect(report.objectives.length).toBe(wanted.objectives.length);
    expectNear([report.objectives], [wanted.objectives], 1e-5);
    expect([mapping.pairs.sources, mapping.pairs.targets].map((side) => Array.from(side))).toEqual(
      wanted.pairs,
    );
    expectNear(productsOf(9, mapping.source, mapping.target), wanted.products, 1e-4);
    expectNear(productsOf(3, mapping.source, mapping.source), wanted.ownProducts, 1e-4);
    const { meanBestCosine, coverage } = report;
    expectNear([[meanBestCosine.source, meanBestCosine.target]], [wanted.meanBest], 1e-4);
    expect(coverage.source).toBeCloseTo(wanted.coverage, 9);
    expect(report).toMatchObject({ converged: true, words: { source: 36, target: 36 } });
    expect(report).toMatchObject({ seedPairs: wanted.seeds[0].length, iterations: wanted.objectives.length });

    const rotated = await mapVectors(source, target, { ...options, finalMapping: 'orthogonal' });
    expectNear(
      wanted.orthogonal.map((_, row) => rowOf(rotated.source, row)),
      wanted.orthogonal,
      1e-5,
    );
  },
);

/** Words in clusters, and a rotated copy with noise and with the words in another order. */
function rotatedCopy(count: number, size: number, noise: number): [WordVectors, WordVectors] {
  const draw = (name: string, rows: number, scale: number) => normalInit(3, name, [rows, size], scale);
  const [centers, own, error] = [
    draw('centers', 30, 1),
    draw('own', count, 0.5),
    draw('error', count, noise),
  ];
  const values = own.map(
    (value, at) =>
      (value + centers[((Math.floor(at / size) * 7) % 30) * size + (at % size)]) / (1 + (at % size) / 6),
  );
  const rotation = orthogonalMap(Float64Array.from(draw('rotation', size, 1)), size).values;
  const other = error.slice();
  for (let row = 0; row < count; row++) {
    for (let k = 0; k < size; k++) {
      for (let j = 0; j < size; j++) other[row * size + j] += values[row * size + k] * rotation[k * size + j];
    }
  }
  const names = (language: string) => Array.from({ length: count }, (_, at) => `${language}${at}`);
  return [
    { words: names('x'), size, values },
    { words: names('z'), size, values: other },
  ];
}

test('a rotated copy of a space with noise is mapped back without any pair', async () => {
  const [x, z] = rotatedCopy(400, 20, 0.05);
  const options: MappingOptions = { patience: 3, threads: 1, seed: 5 };
  const mapping = await mapVectors(x, z, options);
  const dictionary = x.words.map((word, at) => [word, z.words[at]] as const);
  const { precision, coverage } = await lexiconAccuracy(mapping.source, mapping.target, dictionary, {
    threads: 1,
  });
  expect(precision[1]).toBeGreaterThan(0.95);
  expect(coverage).toBe(1);
  expect(mapping.report.foundAgain).toBeGreaterThan(0.9);
  expect(mapping.report.keepProbabilities).toEqual([...mapping.report.keepProbabilities].sort());
  expect(new Set(mapping.report.keepProbabilities)).toEqual(new Set([0.1, 0.2, 0.4, 0.8, 1]));
  // The same seed draws the same.
  expect((await mapVectors(x, z, options)).report).toEqual(mapping.report);
  expect((await mapVectors(x, z, { ...options, seed: 6 })).report.objectives).not.toEqual(
    mapping.report.objectives,
  );
});

test('spaces that have nothing to do with each other converge too, and are found out', async () => {
  const words = Array.from({ length: 400 }, (_, at) => `w${at}`);
  const [x, z] = ['x', 'z'].map((name) => ({ words, size: 20, values: normalInit(3, name, [400, 20], 1) }));
  const options: MappingOptions = { patience: 3, threads: 1 };
  expect(await refusal(mapVectors(x, z, options))).toMatch(
    /MAPPING_FAILED.*only \d+ % of its pairs are found again.*minFoundAgain 0\.5.*begin with other pairs/,
  );
  const { report } = await mapVectors(x, z, { ...options, minFoundAgain: 0 });
  expect(report).toMatchObject({ converged: true });
  expect(report.foundAgain).toBeLessThan(0.4);
  expect(report.coverage.source).toBeGreaterThan(0.2);
  // Nothing is found again of what nothing was learned from.
  expect((await mapVectors(x, z, { ...options, selfLearning: false })).report.foundAgain).toBeUndefined();
});

test('n-grams are mapped, and dictionaries induced over words alone unless asked', async () => {
  const ngrams = (vectors: WordVectors) => ({
    ...vectors,
    words: vectors.words.map((word, at) => (at % 3 === 1 ? `${word} more` : word)),
  });
  const options: MappingOptions = {
    ...fixture.options,
    seedDictionary: 'identical',
    threads: 1,
    patience: 1,
  };
  const { report, source: mapped } = await mapVectors(ngrams(source), ngrams(target), options);
  expect(report.words).toEqual({ source: 29, target: 27 });
  expect(mapped.words.length).toBe(source.words.length);
  const all = await mapVectors(ngrams(source), ngrams(target), { ...options, learnFromNgrams: true });
  expect(all.report.words).toEqual({ source: 36, target: 36 });
});

test('a rotation is orthogonal, and what spans too little is not whitened', () => {
  const size = 7;
  const draw = (name: string) => Float64Array.from(normalInit(1, name, [size, size], 1));
  const { values } = orthogonalMap(draw('cross'), size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += values[k * size + i] * values[k * size + j];
      expect(sum).toBeCloseTo(i === j ? 1 : 0, 6);
    }
  }
  const singular = {
    source: new Float64Array(9).fill(1),
    target: new Float64Array(9).fill(1),
    cross: new Float64Array(9),
  };
  expect(() => symmetricMaps(singular, 3, 0.5)).toThrow(
    /span fewer than their 3 features.*finalMapping orthogonal/,
  );
});

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: PolybeamError) => reason,
  );
  return `${error?.code} ${error?.message}`;
}

test('a mapping that did not converge, or stayed low, is an error with its objective, or kept where asked', async () => {
  const options: MappingOptions = { ...fixture.options, seedDictionary: 'identical', threads: 1 };
  const early = await refusal(mapVectors(source, target, { ...options, maxIterations: 2 }));
  expect(early).toMatch(
    /MAPPING_FAILED.*14 pairs \(seedDictionary identical\).*objective 0\.9\d+.*after 2 iterations/,
  );
  const low = await refusal(mapVectors(source, target, { ...options, minObjective: 0.99 }));
  expect(low).toMatch(/MAPPING_FAILED.*below minObjective 0\.99: begin with other pairs/);
  const kept = await mapVectors(source, target, { ...options, maxIterations: 2, keepFailed: true });
  expect(kept.report).toMatchObject({
    converged: false,
    iterations: 2,
    problem: expect.stringContaining('still improved'),
  });
});

test('what cannot be begun with, or read, is refused by name', async () => {
  const cyrillic = { ...target, words: target.words.map((_, at) => `слово${'абвгдежзик'[at % 10]}${at}`) };
  const none = await refusal(mapVectors(source, cyrillic, { seedDictionary: 'identical' }));
  expect(none).toMatch(
    /INPUT_INVALID.*no word that is written alike.*give a file of some translations.*unsupervised/,
  );
  expect(await refusal(mapVectors(source, cyrillic, { seedDictionary: 'numerals' }))).toContain(
    'no number that is',
  );
  await writeFile(join(folder, 'others.tsv'), 'nowhere nirgends\n');
  const others: MappingOptions = { seedDictionary: 'dictionary', dictionary: join(folder, 'others.tsv') };
  expect(await refusal(mapVectors(source, target, others))).toMatch(
    /No pair of .*others\.tsv has a vector on both sides/,
  );
  await writeFile(join(folder, 'bad.tsv'), 'a\tb\nonly\n');
  expect(
    await refusal(mapVectors(source, target, { ...others, dictionary: join(folder, 'bad.tsv') })),
  ).toMatch(/INPUT_INVALID Line 2 of .*bad\.tsv is "only"/);
  const narrow = { ...target, size: 3, values: target.values.subarray(0, 3 * 41) };
  expect(await refusal(mapVectors(source, narrow))).toMatch(/INPUT_INVALID.*6 features and the target's 3/);
  const phrases = { ...source, words: source.words.map((word) => `the ${word}`) };
  expect(await refusal(mapVectors(phrases, target))).toMatch(/INPUT_INVALID.*learnFromNgrams/);
  expect(await refusal(mapVectors(source, target, { seedDictionary: 'dictionary' }))).toMatch(
    /OPTION_CONFLICT.*dictionary/,
  );
  expect(await refusal(mapVectors(source, target, { dictionary: 'x.tsv' }))).toMatch(
    /OPTION_CONFLICT.*unsupervised/,
  );
  expect(await refusal(mapVectors(source, target, { finalMapping: 'orthogonal', reweight: 1 }))).toMatch(
    /OPTION_CONFLICT/,
  );
  expect(await refusal(mapVectors(source, target, { keepProbability: 0 }))).toMatch(
    /OPTION_INVALID keepProbability/,
  );
});

test('a signal ends it between iterations', async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const running = mapVectors(
    source,
    target,
    { ...fixture.options, seedDictionary: 'identical', threads: 1 },
    {
      signal: controller.signal,
      onIteration: ({ iteration }) => {
        seen.push(iteration);
        if (iteration === 2) controller.abort(new Error('enough'));
      },
    },
  );
  await expect(running).rejects.toMatchObject({
    code: 'ABORTED',
    message: expect.stringMatching(/^The mapping was aborted/),
    cause: new Error('enough'),
  });
  expect(seen).toEqual([1, 2]);
});

test('a word that comes twice is refused before anything is computed', async () => {
  const twice = { words: ['a', 'b', 'a'], size: 1, values: Float32Array.of(1, 2, 3) };
  const once = { ...twice, words: ['a', 'b', 'c'] };
  expect(await refusal(mapVectors(twice, once))).toMatch(/INPUT_INVALID.*source vectors have "a" twice/);
  expect(await refusal(mapVectors(once, twice))).toMatch(/INPUT_INVALID.*target vectors have "a" twice/);
});

test('fewer words than features are refused before anything is computed, unless the last mapping is a rotation', async () => {
  const words = ['a', 'b', 'c', 'd e', 'e f'];
  const few = { words, size: 4, values: Float32Array.from({ length: 20 }, (_, at) => Math.sin(at * at)) };
  const iterations: number[] = [];
  const map = (options: MappingOptions) =>
    mapVectors(
      few,
      few,
      { seedDictionary: 'identical', keepFailed: true, threads: 1, patience: 1, ...options },
      {
        onIteration: ({ iteration }) => iterations.push(iteration),
      },
    );
  expect(await refusal(map({}))).toMatch(
    /INPUT_INVALID.* has 3 words of the target at most, fewer than the 4 features/,
  );
  const seeded = await map({ selfLearning: false, learnFromNgrams: true, vocabularySize: 2 });
  expect(seeded.source.words).toEqual(words);
  expect(iterations.splice(0)).toEqual([1]);
  expect((await map({ finalMapping: 'orthogonal' })).source.words).toEqual(words);
});
