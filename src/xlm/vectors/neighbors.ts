import { PolybeamError } from '../../errors.js';
import { requireText, wrongInput } from '../../inputs.js';
import { openFastText } from './fastTextModel.js';
import { readVectors } from './vectorFile.js';
import { requireVectors, type WordVectors } from './wordVectors.js';

/** A word or n-gram near another. */
export interface Neighbor {
  text: string;
  cosine: number;
}

/** Vectors in which neighbors are looked for, and from which vectors of words are had. */
export interface NeighborSpace {
  vectors: WordVectors;
  /** Vectors of words, also of those that are not listed where the file says what theirs are. @throws INPUT_INVALID */
  vectorsOf(words: readonly string[]): Promise<Float32Array>;
}

/**
 * Reads a space of vectors: a file of vectors (`.vec`) has those of its words, a fastText model (`.bin`) those of all words that have
 * known parts.
 * @throws FILE_NOT_FOUND, FILE_CORRUPT, WEIGHT_DTYPE
 */
export async function openSpace(path: string): Promise<NeighborSpace> {
  requireText(path, 'path');
  const vectors = await readVectors(path);
  if (path.endsWith('.bin')) {
    const model = await openFastText(path);
    return { vectors, vectorsOf: async (words) => (await model.vectors(words)).values };
  }
  const places = new Map(vectors.words.map((word, row) => [word, row]));
  const vectorsOf = async (words: readonly string[]) => {
    const found = new Float32Array(words.length * vectors.size);
    for (const [at, word] of words.entries()) {
      const row = places.get(word);
      if (row === undefined) {
        throw new PolybeamError(
          'INPUT_INVALID',
          `"${word}" has no vector in ${path}: ask for words and n-grams that it lists, in the case in which it does.`,
        );
      }
      found.set(vectors.values.subarray(row * vectors.size, (row + 1) * vectors.size), at * vectors.size);
    }
    return found;
  };
  return { vectors, vectorsOf };
}

/**
 * The nearest by cosine, nearest first, without the words of `except`; vectors of length 0 are near nothing.
 * @param query [size]
 */
export function nearestNeighbors(
  vectors: WordVectors,
  query: Float32Array,
  count: number,
  except: ReadonlySet<string> = new Set(),
): Neighbor[] {
  requireVectors(vectors, 'vectors');
  const { words, size, values } = vectors;
  if (!(query instanceof Float32Array) || query.length !== size) {
    throw wrongInput('query', query, `give a Float32Array of ${size} features`);
  }
  const queryLength = Math.hypot(...query);
  const all = words.flatMap((text, row) => {
    if (except.has(text)) return [];
    let dot = 0;
    let square = 0;
    for (let i = 0; i < size; i++) {
      const value = values[row * size + i];
      dot += value * query[i];
      square += value * value;
    }
    const lengths = Math.sqrt(square) * queryLength;
    return lengths > 0 ? [{ text, cosine: dot / lengths }] : [];
  });
  return all.sort((a, b) => b.cosine - a.cosine).slice(0, count);
}
