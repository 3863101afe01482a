import type { SourceUnit } from './sourceUnits.js';
import type { TranslationTable } from './translationTable.js';

/** What a stretch of source units, which are words for the most part, may become. */
export interface Phrase {
  /** Index of its first unit, and that after its last. */
  start: number;
  end: number;
  /** Best first; at least one. */
  translations: readonly PhraseTranslation[];
}

/** One of them. */
export interface PhraseTranslation {
  /** Words as the table spells them: a blank between. */
  target: string;
  /** Natural logarithm of its probability. */
  score: number;
}

/** How phrases are found. */
export interface PhraseSearch {
  /** Translations of a phrase, at most. */
  translations: number;
  /** Logarithm of the probability that a word which the table lacks stays as it is. */
  copyScore: number;
}

/**
 * All stretches of units that a table translates, and the single units that it lacks, which stay as they are: any position can be
 * gone on from. A stretch is looked up as it is written, then in lower case.
 *
 * @returns by start, of one start the longest first
 */
export function findPhrases(
  table: TranslationTable,
  units: readonly SourceUnit[],
  { translations, copyScore }: PhraseSearch,
): Phrase[] {
  const phrases: Phrase[] = [];
  for (let start = 0; start < units.length; start++) {
    // A unit is looked for by itself, however many words it has.
    const longest = Math.min(Math.max(1, table.longestSource), units.length - start);
    for (let length = longest; length >= 1; length--) {
      const ngram = units
        .slice(start, start + length)
        .map((unit) => unit.ngram)
        .join(' ');
      const entries = lookUp(table, ngram).slice(0, translations);
      const found = entries.map(({ target, probability }) => ({ target, score: Math.log(probability) }));
      if (found.length > 0) phrases.push({ start, end: start + length, translations: found });
      else if (length === 1) {
        phrases.push({
          start,
          end: start + 1,
          translations: [{ target: units[start].text, score: copyScore }],
        });
      }
    }
  }
  return phrases;
}

/** Whether a table has a word, as it is written or in lower case. */
export function translates(table: TranslationTable, word: string): boolean {
  return table.has(word) || table.has(word.toLowerCase());
}

function lookUp(table: TranslationTable, ngram: string) {
  const found = table.get(ngram);
  return found.length > 0 ? found : table.get(ngram.toLowerCase());
}

/**
 * The best score that the words `from` to `to` - 1 can reach phrase by phrase, for each pair of them, -Infinity where `to` is
 * below `from`: the first of the phrases of the best is `first`.
 */
export interface SpanScores {
  best(from: number, to: number): number;
  /** The first phrase of the best; of equal ones the longest. */
  first(from: number, to: number): Phrase | undefined;
}

/** Scores of all spans of a sentence, by dynamic programming from their ends. @param count words of the sentence */
export function scoreSpans(count: number, phrases: readonly Phrase[]): SpanScores {
  const width = count + 1;
  const scores = new Float64Array(width * width).fill(Number.NEGATIVE_INFINITY);
  const firsts = new Array<Phrase | undefined>(width * width);
  const starting = startingAt(count, phrases);
  for (let to = 0; to <= count; to++) {
    scores[to * width + to] = 0;
    for (let from = to - 1; from >= 0; from--) {
      for (const phrase of starting[from]) {
        if (phrase.end > to) continue;
        const score = phrase.translations[0].score + scores[phrase.end * width + to];
        if (!(score > scores[from * width + to])) continue;
        scores[from * width + to] = score;
        firsts[from * width + to] = phrase;
      }
    }
  }
  return {
    best: (from, to) => scores[from * width + to],
    first: (from, to) => firsts[from * width + to],
  };
}

/** Phrases by their first word. [words] */
export function startingAt(count: number, phrases: readonly Phrase[]): Phrase[][] {
  const starting: Phrase[][] = Array.from({ length: count }, () => []);
  for (const phrase of phrases) starting[phrase.start].push(phrase);
  return starting;
}

/** The most probable translation phrase by phrase, in the order of the source: the best segmentation, each phrase's best translation. */
export function bestSegmentation(
  count: number,
  phrases: readonly Phrase[],
): { phrases: Phrase[]; score: number } {
  const spans = scoreSpans(count, phrases);
  const path: Phrase[] = [];
  for (let at = 0; at < count; at = path[path.length - 1].end) path.push(spans.first(at, count) as Phrase);
  return { phrases: path, score: spans.best(0, count) };
}
