import { halfMeans, type InducedDictionary, induceDictionary, type WordPairs } from './dictionaryInduction.js';
import { orthogonalMap } from './linearMaps.js';
import type { VectorPrograms } from './vectorPrograms.js';
import { gatherRows, type VectorRows } from './vectorRows.js';

/** Words that are each other's nearest (by CSLS), both as places. */
export function mutualPairs({ pairs }: InducedDictionary, sources: number): WordPairs {
  const found: number[] = [];
  for (let at = 0; at < sources; at++) {
    if (pairs.sources[sources + pairs.targets[at]] === at) found.push(at);
  }
  return {
    sources: Int32Array.from(found),
    targets: Int32Array.from(found, (at) => pairs.targets[at]),
  };
}

/**
 * How well pairs bear each other out: one half of them (every other one) gives a rotation, and of the other half the share is told
 * whose nearest word under it is their partner; then the halves change places.
 * A rotation that suits two spaces of like shape finds the words that it has not seen. One that was fitted to pairs of words that have
 * nothing to do with each other finds the pairs that made it.
 * @param source vectors of length 1, rotated or not
 */
export async function heldOutAgreement(
  programs: VectorPrograms,
  source: VectorRows,
  target: VectorRows,
  pairs: WordPairs,
  neighborhood: number,
): Promise<number> {
  let kept = 0;
  for (const half of [0, 1]) {
    const seen = halfOf(pairs, half);
    const held = halfOf(pairs, 1 - half);
    const products = await programs.crossProduct(pieces(source, seen.sources, target, seen.targets));
    const mapped = await programs.multiply(source, orthogonalMap(products, source.size));
    const penalties = halfMeans(await programs.nearest(target, mapped, neighborhood));
    const { indices } = await programs.nearest(gatherRows(mapped, held.sources), target, 1, penalties);
    kept += indices.filter((found, at) => found === held.targets[at]).length;
  }
  return kept / pairs.sources.length;
}

function halfOf({ sources, targets }: WordPairs, half: number): WordPairs {
  const every = (places: Int32Array) => places.filter((_, at) => at % 2 === half);
  return { sources: every(sources), targets: every(targets) };
}

/** The vectors of pairs, 1,024 at a time. */
export function* pieces(
  a: VectorRows,
  aPlaces: Int32Array,
  b: VectorRows,
  bPlaces: Int32Array,
): Generator<[VectorRows, VectorRows]> {
  for (let from = 0; from < aPlaces.length; from += 1024) {
    yield [
      gatherRows(a, aPlaces.subarray(from, from + 1024)),
      gatherRows(b, bPlaces.subarray(from, from + 1024)),
    ];
  }
}
