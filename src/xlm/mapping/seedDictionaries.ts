import { type Normalization, normalizeRows, sliceRows, type VectorRows } from '../vectors/vectorRows.js';
import type { DictionaryEntry } from './dictionaryFile.js';
import { induceDictionary, type WordPairs } from './dictionaryInduction.js';
import { inverseRoot } from './linearMaps.js';
import type { VectorPrograms } from './vectorPrograms.js';

/** Words that are written alike in both languages, those that `accept` lets through. */
export function alikePairs(
  source: readonly string[],
  target: readonly string[],
  accept: (word: string) => boolean = () => true,
): WordPairs {
  const places = placesOf(target);
  const pairs: [number, number][] = [];
  source.forEach((word, at) => {
    const other = places.get(word);
    if (other !== undefined && accept(word)) pairs.push([at, other]);
  });
  return columnsOf(pairs);
}

/** Whether a word is a number in digits. */
export function isNumeral(word: string): boolean {
  return /^\p{Nd}+$/u.test(word);
}

/** The translations of a dictionary whose both sides have a vector. */
export function dictionaryPairs(
  source: readonly string[],
  target: readonly string[],
  dictionary: readonly DictionaryEntry[],
): WordPairs {
  const [sources, targets] = [placesOf(source), placesOf(target)];
  const pairs: [number, number][] = [];
  for (const [word, translation] of dictionary) {
    const [at, other] = [sources.get(word), targets.get(translation)];
    if (at !== undefined && other !== undefined) pairs.push([at, other]);
  }
  return columnsOf(pairs);
}

function placesOf(words: readonly string[]): Map<string, number> {
  return new Map(words.map((word, at) => [word, at]));
}

function columnsOf(pairs: readonly (readonly [number, number])[]): WordPairs {
  return {
    sources: Int32Array.from(pairs, ([source]) => source),
    targets: Int32Array.from(pairs, ([, target]) => target),
  };
}

/**
 * Words that are as similar to the words of their language, sorted by how similar, as their partner is to those of the other
 * language: a first guess from the vectors alone (Artetxe et al. 2018, section 3.2).
 * @param source vectors of the most frequent words, normalized; as many of the target's are compared as both have
 */
export async function similarityPairs(
  programs: VectorPrograms,
  source: VectorRows,
  target: VectorRows,
  { normalize, neighborhood }: { normalize: readonly Normalization[]; neighborhood: number },
): Promise<WordPairs> {
  const count = Math.min(source.count, target.count);
  const signature = async (rows: VectorRows) =>
    normalizeRows(await sortedSimilarities(programs, sliceRows(rows, 0, count)), normalize);
  const { pairs } = await induceDictionary(programs, await signature(source), await signature(target), {
    neighborhood,
  });
  return pairs;
}

/** The rows of (X X^T)^(1/2), each sorted; from the [size, size] matrix X^T X, never from the large one. [count, count] */
async function sortedSimilarities(programs: VectorPrograms, rows: VectorRows): Promise<VectorRows> {
  const pieces = [];
  for (let from = 0; from < rows.count; from += 1024) {
    const piece = sliceRows(rows, from, Math.min(rows.count, from + 1024));
    pieces.push([piece, piece] as const);
  }
  const root = inverseRoot(await programs.crossProduct(pieces), rows.size);
  const similarities = await programs.products(await programs.multiply(rows, root), rows);
  const { size, values } = similarities;
  for (let row = 0; row < rows.count; row++) values.subarray(row * size, (row + 1) * size).sort();
  return similarities;
}
