/**
 * How many n-grams of a hypothesis occur in its references, each counted no more often than the reference that has it
 * most often: the clipped counts of BLEU (Papineni et al. 2002, section 2.1) and the matches of chrF.
 *
 * An n-gram is named by a small integer, made of the name of its first n-1 tokens and its last token; those that
 * no reference has are dropped at once, since nothing longer that contains them can match.
 *
 * @param hypothesis tokens, compared with `===`
 * @param references token sequences, at least one
 * @param maxOrder the longest n-gram
 * @returns matches of orders 1..maxOrder
 */
export function clippedMatches<T>(
  hypothesis: readonly T[],
  references: readonly (readonly T[])[],
  maxOrder: number,
): number[] {
  const vocabulary = new Map<T, number>();
  const words = hypothesis.map((token) => {
    const known = vocabulary.get(token);
    if (known !== undefined) return known;
    vocabulary.set(token, vocabulary.size);
    return vocabulary.size - 1;
  });
  const referenceWords = references.map((tokens) => tokens.map((token) => vocabulary.get(token) ?? -1));

  const matches = new Array<number>(maxOrder).fill(0);
  let kinds = vocabulary.size;
  let grams = words.slice();
  const referenceGrams = referenceWords.map((ids) => ids.slice());
  for (let order = 1; order <= maxOrder && kinds > 0; order++) {
    if (order > 1) {
      const names = new Map<number, number>();
      grams = extend(grams, words, order, vocabulary.size, (key) => {
        const known = names.get(key);
        if (known !== undefined) return known;
        names.set(key, names.size);
        return names.size - 1;
      });
      for (let r = 0; r < references.length; r++) {
        const find = (key: number) => names.get(key) ?? -1;
        referenceGrams[r] = extend(referenceGrams[r], referenceWords[r], order, vocabulary.size, find);
      }
      kinds = names.size;
    }
    const allowed = new Int32Array(kinds);
    for (const ids of referenceGrams) raise(allowed, count(ids, kinds));
    const found = count(grams, kinds);
    let matched = 0;
    for (let kind = 0; kind < kinds; kind++) matched += Math.min(found[kind], allowed[kind]);
    if (matched === 0) break;
    matches[order - 1] = matched;
    for (let i = 0; i < grams.length; i++) if (grams[i] >= 0 && allowed[grams[i]] === 0) grams[i] = -1;
  }
  return matches;
}

/** Names of the n-grams of the next order: at each position, that of the shorter one and of the token after it. */
function extend(
  shorter: readonly number[],
  words: readonly number[],
  order: number,
  vocabularySize: number,
  name: (key: number) => number,
): number[] {
  const longer: number[] = [];
  for (let i = 0; i + order <= words.length; i++) {
    const last = words[i + order - 1];
    longer.push(
      shorter[i] < 0 || shorter[i + 1] < 0 || last < 0 ? -1 : name(shorter[i] * vocabularySize + last),
    );
  }
  return longer;
}

function count(names: readonly number[], kinds: number): Int32Array {
  const counts = new Int32Array(kinds);
  for (const name of names) if (name >= 0) counts[name]++;
  return counts;
}

function raise(limits: Int32Array, counts: Int32Array): void {
  for (let i = 0; i < limits.length; i++) if (counts[i] > limits[i]) limits[i] = counts[i];
}
