import levenshtein from 'fast-levenshtein';

/** `num_beams` or `num-beams` as `numBeams`; names already in camel case are left alone. */
export function camelCase(name: string): string {
  return name.replace(/[_-]+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The name among `names` that was most likely meant: the same name in another spelling (snake_case, kebab-case, other
 * capitals), else the nearest by edit distance; undefined where more than half of the letters would have to change.
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const wanted = camelCase(name).toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const distance = levenshtein.get(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best !== undefined && bestDistance * 2 <= Math.max(wanted.length, best.length) ? best : undefined;
}

/** A name as files of Hugging Face write it: badWordsIds is bad_words_ids. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
