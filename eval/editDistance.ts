import levenshtein from 'fast-levenshtein';

/**
 * The least number of insertions, deletions and substitutions that turn one sequence into the other (Levenshtein 1966).
 *
 * fast-levenshtein compares strings 32 places at a time, but by UTF-16 units. So each kind of element becomes one unit; where
 * there are more kinds than units, a plain table is filled.
 *
 * @param a elements, compared as keys of a Map
 * @param units how many kinds of elements may be told apart by units; for tests
 */
export function editDistance<T>(a: readonly T[], b: readonly T[], units = 0x10000): number {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length === 0) return long.length;
  const kinds = new Map<T, number>();
  for (const element of short) if (!kinds.has(element)) kinds.set(element, kinds.size);
  // What the shorter side lacks matches nothing there, so that one kind serves for all of it.
  const idsOf = (elements: readonly T[]) => elements.map((element) => kinds.get(element) ?? kinds.size);
  const [left, right] = [idsOf(short), idsOf(long)];
  return kinds.size < units ? levenshtein.get(toUnits(left), toUnits(right)) : fillTable(left, right);
}

function toUnits(ids: readonly number[]): string {
  const pieces: string[] = [];
  for (let i = 0; i < ids.length; i += 8192) pieces.push(String.fromCharCode(...ids.slice(i, i + 8192)));
  return pieces.join('');
}

/** One row after the other of the table of prefix distances. */
function fillTable(a: readonly number[], b: readonly number[]): number {
  const row = Int32Array.from({ length: a.length + 1 }, (_, i) => i);
  for (let j = 1; j <= b.length; j++) {
    let diagonal = row[0];
    row[0] = j;
    for (let i = 1; i <= a.length; i++) {
      const above = row[i];
      const substituted = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[i] = Math.min(substituted, above + 1, row[i - 1] + 1);
      diagonal = above;
    }
  }
  return row[a.length];
}
