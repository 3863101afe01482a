/**
 * The characters a vocabulary begins with, in code point order: those of `always`, and of the others the `limit`
 * most frequent ones in all (ties to the smaller code point).
 *
 * @param words - how often each word was seen
 * @param limit - characters in all, at most; Infinity for no limit
 */
export function chooseAlphabet(
  words: ReadonlyMap<string, number>,
  limit: number,
  always: readonly string[] = [],
): string[] {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    for (const char of word) counts.set(char, (counts.get(char) ?? 0) + count);
  }
  const kept = new Set(always);
  const ranked = [...counts.keys()].filter((char) => !kept.has(char));
  ranked.sort((a, b) => counts.get(b)! - counts.get(a)! || byCodePoint(a, b));
  for (const char of ranked.slice(0, Math.max(0, limit - kept.size))) kept.add(char);
  return [...kept].sort(byCodePoint);
}

function byCodePoint(a: string, b: string): number {
  return a.codePointAt(0)! - b.codePointAt(0)!;
}
