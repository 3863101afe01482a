/** Longest common subsequences of words, as ROUGE-L counts them (Lin 2004, section 3). */

/** Length of the longest common subsequence of two sequences of words. */
export function lcsLength(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  const [left, right] = toIds(a, b);
  // One row of the table; `diagonal` is what stood to the left in the row above.
  const row = new Int32Array(right.length + 1);
  for (let i = 0; i < left.length; i++) {
    let diagonal = 0;
    for (let j = 1; j <= right.length; j++) {
      const above = row[j];
      if (left[i] === right[j - 1]) row[j] = diagonal + 1;
      else if (row[j - 1] > above) row[j] = row[j - 1];
      diagonal = above;
    }
  }
  return row[right.length];
}

/**
 * Words of a reference that ROUGE-L counts for a summary of several sentences (Lin 2004, section 3.2): for each sentence of the
 * reference the union of its longest common subsequences with all sentences of the hypothesis. No word counts more
 * often than both sides have it, as in ROUGE 1.5.5.
 *
 * Which of several longest subsequences is taken changes the union; it is the one that rouge-score takes.
 *
 * @param reference sentences, each a list of words
 * @param hypothesis sentences, each a list of words
 */
export function unionLcsHits(
  reference: readonly (readonly string[])[],
  hypothesis: readonly (readonly string[])[],
): number {
  const leftInReference = countWords(reference);
  const leftInHypothesis = countWords(hypothesis);
  let hits = 0;
  for (const sentence of reference) {
    const inUnion = new Uint8Array(sentence.length);
    for (const other of hypothesis) markLcs(sentence, other, inUnion);
    for (const [i, word] of sentence.entries()) {
      if (!inUnion[i]) continue;
      const here = leftInReference.get(word)!;
      const there = leftInHypothesis.get(word) ?? 0;
      if (here === 0 || there === 0) continue;
      hits++;
      leftInReference.set(word, here - 1);
      leftInHypothesis.set(word, there - 1);
    }
  }
  return hits;
}

/** Marks the places in `a` of one longest common subsequence with `b`, traced from the ends. */
function markLcs(a: readonly string[], b: readonly string[], marks: Uint8Array): void {
  const [left, right] = toIds(a, b);
  const width = right.length + 1;
  const table = new Int32Array((left.length + 1) * width); // [left + 1, right + 1]
  for (let i = 1; i <= left.length; i++) {
    for (let j = 1; j <= right.length; j++) {
      const at = i * width + j;
      table[at] =
        left[i - 1] === right[j - 1] ? table[at - width - 1] + 1 : Math.max(table[at - width], table[at - 1]);
    }
  }
  let i = left.length;
  let j = right.length;
  while (i > 0 && j > 0) {
    const at = i * width + j;
    if (left[i - 1] === right[j - 1]) {
      marks[i - 1] = 1;
      i--;
      j--;
    } else if (table[at - 1] > table[at - width]) j--;
    else i--;
  }
}

/** Words as small integers, which compare faster. */
function toIds(a: readonly string[], b: readonly string[]): [Int32Array, Int32Array] {
  const ids = new Map<string, number>();
  const id = (word: string) => {
    let known = ids.get(word);
    if (known === undefined) {
      known = ids.size;
      ids.set(word, known);
    }
    return known;
  };
  return [Int32Array.from(a, id), Int32Array.from(b, id)];
}

function countWords(sentences: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const words of sentences) {
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
