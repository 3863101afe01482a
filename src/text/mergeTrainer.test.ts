import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseAlphabet } from './alphabet.js';
import { type LearnedMerges, learnMerges, type MergeTrainingOptions } from './mergeTrainer.js';

/** The definition, word for word: count every pair anew, merge the most frequent one, ties to the smaller ids. */
function learnSlowly(words: ReadonlyMap<string, number>, options: MergeTrainingOptions): LearnedMerges {
  const vocabulary = [...options.initialVocabulary];
  const merges: [string, string][] = [];
  const prefix = options.continuingPrefix;
  let runs: { symbols: string[]; count: number }[] = [];
  for (const [word, count] of words) {
    let symbols: string[] = [];
    for (const [at, char] of [...word].entries()) {
      const symbol = at > 0 ? prefix + char : char;
      if (vocabulary.includes(symbol)) symbols.push(symbol);
      else {
        runs.push({ symbols, count });
        symbols = [];
      }
    }
    runs.push({ symbols, count });
  }
  const skipped = new Set<string>();
  while (vocabulary.length < options.size) {
    const counts = new Map<string, number>();
    for (const { symbols, count } of runs) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        const key = JSON.stringify([symbols[i], symbols[i + 1]]);
        if (!skipped.has(key)) counts.set(key, (counts.get(key) ?? 0) + count);
      }
    }
    const ids = (key: string) => (JSON.parse(key) as string[]).map((token) => vocabulary.indexOf(token));
    const ranked = [...counts].sort(
      ([a, countA], [b, countB]) => countB - countA || ids(a)[0] - ids(b)[0] || ids(a)[1] - ids(b)[1],
    );
    if (ranked.length === 0 || ranked[0][1] < options.minFrequency) break;
    const [left, right]: [string, string] = JSON.parse(ranked[0][0]);
    const token = left + (prefix && right.startsWith(prefix) ? right.slice(prefix.length) : right);
    if ([...token.replace(new RegExp(`^${prefix}`), '')].length > options.maxTokenLength) {
      skipped.add(ranked[0][0]);
      continue;
    }
    if (!vocabulary.includes(token)) vocabulary.push(token);
    if (!merges.some(([a, b]) => a === left && b === right)) merges.push([left, right]);
    runs = runs.map(({ symbols, count }) => ({ symbols: mergePair(symbols, left, right, token), count }));
  }
  return { vocabulary, merges };
}

function mergePair(symbols: string[], left: string, right: string, token: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      result.push(token);
      i++;
    } else result.push(symbols[i]);
  }
  return result;
}

const randomWords = fc.uniqueArray(
  fc.tuple(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', '😀'), minLength: 1, maxLength: 9 }),
    fc.integer({ min: 1, max: 6 }),
  ),
  { selector: ([word]) => word, minLength: 1, maxLength: 12 },
);

describe('learnMerges', () => {
  it('learns what counting every pair anew learns', () => {
    const property = fc.property(
      randomWords,
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(2, 4, Infinity),
      fc.constantFrom('', '##'),
      fc.constantFrom(2, 4),
      (list, minFrequency, maxTokenLength, continuingPrefix, alphabetSize) => {
        const words = new Map(list);
        const alphabet = chooseAlphabet(words, alphabetSize);
        const continuing = continuingPrefix ? alphabet.map((char) => continuingPrefix + char) : [];
        const initialVocabulary = ['<pad>', ...alphabet, ...continuing];
        const options = { initialVocabulary, size: 40, minFrequency, maxTokenLength, continuingPrefix };
        const learned = learnMerges(words, options);
        expect(learned).toEqual(learnSlowly(words, options));
      },
    );
    fc.assert(property, { numRuns: 300, seed: 1 });
  });

  it('does not depend on the order of words', () => {
    const property = fc.property(randomWords, (list) => {
      const options = {
        initialVocabulary: ['a', 'b', 'c', '😀'],
        size: 30,
        minFrequency: 1,
        maxTokenLength: 16,
      };
      const learn = (pairs: typeof list) => learnMerges(new Map(pairs), { ...options, continuingPrefix: '' });
      expect(learn([...list].reverse())).toEqual(learn(list));
    });
    fc.assert(property, { numRuns: 100, seed: 2 });
  });

  it('stops at the size, and tells how far it is', () => {
    const sizes: number[] = [];
    const options = {
      initialVocabulary: ['a', 'b'],
      minFrequency: 1,
      maxTokenLength: 16,
      continuingPrefix: '',
    };
    const words = new Map([['abab', 5]]);
    const learned = learnMerges(words, { ...options, size: 3, onProgress: (size) => sizes.push(size) });
    expect(learned).toEqual({ vocabulary: ['a', 'b', 'ab'], merges: [['a', 'b']] });
    expect(sizes).toEqual([3]);
  });
});

describe('chooseAlphabet', () => {
  const words = new Map([
    ['ba', 3],
    ['cd', 3],
    ['z', 1],
  ]);

  it('keeps the most frequent characters, ties to the smaller code point', () => {
    expect(chooseAlphabet(words, 3)).toEqual(['a', 'b', 'c']);
    expect(chooseAlphabet(words, Infinity)).toEqual(['a', 'b', 'c', 'd', 'z']);
  });

  it('keeps what must be there', () => {
    expect(chooseAlphabet(words, 2, ['z'])).toEqual(['a', 'z']);
  });
});
