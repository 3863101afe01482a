import { describe, expect, test } from 'vitest';
import '../../node/install.js';
import type { Ngram } from './ngrams.js';
import { type SkipGramJob, type SkipGramProgress, setSkipGramTrainer, skipGramTrainer } from './skipGram.js';
import { resolveVectorOptions, trainVectors, vectorTexts } from './trainVectors.js';
import type { WordVectors } from './wordVectors.js';

const listOf = (...texts: string[]): Ngram[] => texts.map((text) => ({ text, count: 1, score: 0 }));

/** Sentences about vehicles and about animals; "red car" is said where "taxi" is. */
const vehicles = ['taxi', 'red car', 'truck'].flatMap((one) => [
  `the ${one} drives down the road to town`,
  `he parks his ${one} near the garage in town`,
]);
const animals = ['dog', 'white cat', 'horse'].flatMap((one) => [
  `the ${one} eats grass and sleeps on the farm`,
  `she feeds her ${one} with milk on the farm`,
]);
const texts = () => [[...vehicles, ...animals]];
const words = [...new Set([...vehicles, ...animals].join(' ').split(' '))];
const ngrams = listOf(...words, 'red car', 'white cat', 'on the farm');
const options = { size: 16, epochs: 60, sample: 1, negatives: 5, maxSubword: 0 };

function cosine({ words, size, values }: WordVectors, a: string, b: string): number {
  const [x, y] = [a, b].map((word) =>
    values.subarray(words.indexOf(word) * size, (words.indexOf(word) + 1) * size),
  );
  const dot = (u: Float32Array, v: Float32Array) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

describe('trained vectors', () => {
  test('are alike where words and n-grams have the same words around them', async () => {
    const told: SkipGramProgress[] = [];
    const { vectors, unseen } = await trainVectors(texts, ngrams, options, {
      onProgress: (progress) => {
        if ('done' in progress) told.push(progress);
      },
    });
    expect(unseen).toEqual([]);
    expect(vectors.words).toEqual(ngrams.map(({ text }) => text));
    for (const other of ['dog', 'horse', 'white cat']) {
      expect(cosine(vectors, 'red car', 'taxi')).toBeGreaterThan(cosine(vectors, 'red car', other) + 0.1);
      expect(cosine(vectors, 'dog', other)).toBeGreaterThan(cosine(vectors, 'truck', other) + 0.1);
    }
    expect(told[0].done).toBe(0);
  });

  test('are a function of the seed, with parts of words and without', async () => {
    for (const maxSubword of [0, 4]) {
      const train = async (seed: number) =>
        (await trainVectors(texts, ngrams, { ...options, epochs: 2, maxSubword, buckets: 100, seed })).vectors
          .values;
      const first = await train(1);
      expect(await train(1)).toEqual(first);
      expect(await train(2)).not.toEqual(first);
    }
  });

  // The WebAssembly build itself sets a tenth of them and leaves the others as its memory was.
  test('all begin with uniform numbers', async () => {
    const size = 10;
    const { vectors } = await trainVectors(texts, ngrams, {
      ...options,
      size,
      epochs: 1,
      join: 0.5,
      learningRate: 1e-20,
    });
    const numbers = [...vectors.values];
    expect(numbers.every((value) => value !== 0 && Math.abs(value) <= 1 / size)).toBe(true);
    expect(new Set(numbers).size).toBe(numbers.length);
    const spread = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0) / numbers.length);
    expect(spread).toBeGreaterThan(0.9 / size / Math.sqrt(3));
    expect(spread).toBeLessThan(1.1 / size / Math.sqrt(3));
  });

  test('are missing for what the texts do not have, or not as such', async () => {
    const { vectors, unseen } = await trainVectors(texts, [...ngrams, ...listOf('boat', 'blue car')], {
      ...options,
      epochs: 1,
      join: 0,
    });
    expect(unseen).toEqual(['red car', 'white cat', 'on the farm', 'boat', 'blue car']);
    expect(vectors.words).toEqual(words);
    expect(vectors.values.length).toBe(words.length * options.size);
  });

  test('come from texts that can be had for the fastText program', async () => {
    const bytes = Buffer.concat([...(await vectorTexts(texts, ngrams, { ...options, join: 1, epochs: 2 }))]);
    const lines = bytes.toString().trimEnd().split('\n');
    expect(lines.length).toBe(24);
    expect(lines[2]).toBe('the red␣car drives down the road to town');
    expect(lines[6]).toBe('the dog eats grass and sleeps on␣the␣farm');
  });

  test('can be stopped while they are computed', async () => {
    const controller = new AbortController();
    const run = trainVectors(
      texts,
      ngrams,
      { ...options, epochs: 10_000 },
      {
        signal: controller.signal,
        onProgress: (progress) => {
          if ('done' in progress && progress.done > 0) controller.abort('enough');
        },
      },
    );
    await expect(run).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
  });
});

describe('what training refuses', () => {
  const refused = (lines: string[], list: Ngram[], more = {}) =>
    trainVectors(() => [lines], list, { ...options, ...more });

  test.each([
    ['empty texts', [], ngrams, 'INPUT_INVALID', 'The texts are empty'],
    ['texts of other words', ['Ein Auto'], ngrams, 'INPUT_INVALID', 'No word of the texts'],
    ['no n-gram', ['a car'], [], 'INPUT_INVALID', 'There is no n-gram'],
    ['the joiner in an n-gram', ['a car'], listOf('a␣car'), 'INPUT_INVALID', '"a␣car" has ␣'],
    [
      'an n-gram listed twice',
      ['a car'],
      listOf('car', 'a', 'car'),
      'INPUT_INVALID',
      '"car" is listed twice',
    ],
  ])('%s', async (_, lines, list, code, message) => {
    await expect(refused(lines, list)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test('options out of range, unknown or in conflict', async () => {
    await expect(refused(['a car'], ngrams, { join: 2 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(refused(['a car'], ngrams, { dim: 2 })).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' });
    expect(() => resolveVectorOptions({ minSubword: 5, maxSubword: 4 })).toThrow('minSubword 5 is larger');
  });

  test('more numbers than the memory of the WebAssembly program holds', async () => {
    await expect(
      refused(['the taxi'], ngrams, { size: 300, maxSubword: 6, buckets: 1_800_000 }),
    ).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/with 1800000 buckets need 22\d\d MiB/),
    });
  });

  test('a learning rate that leads nowhere', async () => {
    await expect(refused(vehicles, ngrams, { learningRate: 1e30, epochs: 3 })).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
    });
  });

  test('training where nothing trains', async () => {
    const trainer = skipGramTrainer();
    setSkipGramTrainer(undefined);
    try {
      await expect(refused(vehicles, ngrams)).rejects.toMatchObject({ code: 'RUNTIME_MISSING' });
    } finally {
      setSkipGramTrainer(trainer);
    }
  });
});

test('options reach the trainer under the names of fastText', async () => {
  const trainer = skipGramTrainer();
  const jobs: SkipGramJob[] = [];
  setSkipGramTrainer(async (job) => {
    jobs.push(job);
    const units = job.units.spellings.length;
    return { values: new Float32Array(units * job.settings.dim), known: new Uint8Array(units) };
  });
  try {
    await trainVectors(texts, ngrams);
    await trainVectors(texts, ngrams, {
      ...options,
      window: 3,
      maxSubword: 0,
      learningRate: 0.1,
      join: 0.2,
      seed: 9,
    });
  } finally {
    setSkipGramTrainer(trainer);
  }
  const [first, second] = jobs;
  const settings = {
    dim: 300,
    ws: 5,
    neg: 10,
    lr: 0.05,
    t: 1e-4,
    minn: 3,
    maxn: 6,
    bucket: 200_000,
    seed: 1,
  };
  expect(first.settings).toEqual(settings);
  expect(first.cut).toEqual({ epochs: 5, join: 0.3, seed: 1 });
  expect(second.settings).toEqual({
    dim: 16,
    ws: 3,
    neg: 5,
    lr: 0.1,
    t: 1,
    minn: 0,
    maxn: 0,
    bucket: 1,
    seed: 9,
  });
  expect(second.cut).toEqual({ epochs: 60, join: 0.2, seed: 9 });
});
