import { PolybeamError } from '../../errors.js';
import { readVectors } from '../vectors/vectorFile.js';
import type { TokenWord } from './tokenWords.js';

/** Log-probabilities of the masked tokens of an n-gram for one token of its translation. [masked tokens] */
export type Aligner = (
  masked: readonly string[],
  target: string,
  languages: { from: string; to: string },
) => number[];

/** IBM Model 1: each masked token is as likely. */
export const alignUniformly: Aligner = (masked) => masked.map(() => -Math.log(masked.length));

/**
 * IBM Model 2 with similarities in place of learned positions (Ren et al. 2019): the softmax over masked tokens of the cosine of their
 * words' vectors with that of the target token's word. A word without a vector has the cosine 0 with all.
 * @param paths files of vectors by language, mapped into one space
 * @param words those that may be asked for, by language; vectors of others are let go
 * @throws what `readVectors` throws; INPUT_INVALID where vectors have several sizes, or a language has none of the words
 */
export async function alignBySimilarity(
  paths: Readonly<Record<string, string>>,
  temperature: number,
  words: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Aligner> {
  const byLanguage = new Map<string, ReadonlyMap<string, Float32Array>>();
  let size: number | undefined;
  for (const [language, path] of Object.entries(paths)) {
    const vectors = await readVectors(path);
    size ??= vectors.size;
    if (vectors.size !== size) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${path} has vectors of ${vectors.size} numbers and those of the other languages have ${size}: give files that polybeam xlm map wrote together.`,
      );
    }
    const units = new Map<string, Float32Array>();
    const wanted = new Set([...(words.get(language) ?? [])].flatMap((word) => [word, word.toLowerCase()]));
    vectors.words.forEach((word, row) => {
      if (wanted.has(word)) units.set(word, unit(vectors.values.subarray(row * size!, (row + 1) * size!)));
    });
    if (units.size === 0) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${path} has a vector of none of the words that the tables have in ${language}: give the mapped vectors that the tables were built from.`,
      );
    }
    byLanguage.set(language, units);
  }
  return (masked, target, { from, to }) => {
    const [sources, targets] = [byLanguage.get(from), byLanguage.get(to)];
    const wantedVector = vectorOf(targets, target);
    const scores = masked.map((word) => {
      const vector = vectorOf(sources, word);
      return vector && wantedVector ? product(vector, wantedVector) / temperature : 0;
    });
    const largest = Math.max(...scores);
    const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
    return scores.map((score) => score - largest - Math.log(sum));
  };
}

/** The words of a row's tokens from one place to another, '' where a token is of none. */
export function wordsOfTokens(words: readonly TokenWord[], from: number, to: number): string[] {
  const found = new Array<string>(to - from).fill('');
  for (const word of words) found.fill(word.text, word.from - from, word.to - from);
  return found;
}

function vectorOf(vectors: ReadonlyMap<string, Float32Array> | undefined, word: string) {
  return vectors?.get(word) ?? vectors?.get(word.toLowerCase());
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(product(vector, vector));
  // A copy: the rest of the file is let go.
  return length === 0 ? vector.slice() : vector.map((value) => value / length);
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at] * b[at];
  return sum;
}
