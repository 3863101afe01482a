import { splitIntoWords } from '../words.js';

/** What a source text is translated in: a word, or several that stay together. */
export interface SourceUnit {
  /** As the text has it. */
  text: string;
  /** Its words as tables have them, with blanks between. */
  ngram: string;
}

/** What is not translated part by part, even where a table has its parts: addresses, numbers with marks, letters beside digits. */
const indivisible = [
  /[a-z][a-z0-9+.-]*:\/\/\S+/giu,
  /www\.\S+/giu,
  /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+\.\p{L}+/gu,
  /\p{N}+(?:[.,:'’/-]\p{N}+)+/gu,
  /(?:[\p{L}\p{M}]+\p{N}|\p{N}+[\p{L}\p{M}])[\p{L}\p{M}\p{N}]*/gu,
];

/** Marks around words, which belong to the sentence. */
const marksBefore = /^[([{"'“”„«‘’¿¡]+/u;
const marksAfter = /[)\]}"'“”»‘’.,;:!?…]+$/u;

/**
 * Cuts a text into the units that phrases are made of: its words, but as one unit what is not to be torn apart. That is what is
 * written without blanks and has no part that is known, and addresses and numbers in any case.
 *
 * @param isKnown whether the table translates a word
 */
export function splitIntoUnits(text: string, isKnown: (word: string) => boolean): SourceUnit[] {
  const wholes = wholeStretches(text, isKnown);
  const units: SourceUnit[] = [];
  let whole = wholes.next().value;
  let inside: { until: number } | undefined;
  for (const word of splitIntoWords(text)) {
    while (whole && whole.end <= word.start) whole = wholes.next().value;
    if (!whole || whole.start > word.start) {
      units.push({ text: word.text, ngram: word.text });
    } else if (inside?.until === whole.end) {
      units[units.length - 1].ngram += ` ${word.text}`;
    } else {
      inside = { until: whole.end };
      units.push({ text: text.slice(whole.start, whole.end), ngram: word.text });
    }
  }
  return units;
}

interface Stretch {
  start: number;
  end: number;
}

/** Stretches of several words that stay together, in their order. */
function* wholeStretches(text: string, isKnown: (word: string) => boolean): Generator<Stretch, undefined> {
  for (const { 0: chunk, index } of text.matchAll(/\S+/gu)) {
    const before = marksBefore.exec(chunk)?.[0].length ?? 0;
    const core = chunk.slice(before).replace(marksAfter, '');
    const words = splitIntoWords(core).map((word) => word.text);
    if (words.length < 2) continue;
    const start = index + before;
    const isWord = (word: string) => /^[\p{L}\p{M}\p{N}]/u.test(word);
    if (words.some(isWord) && !words.some((word) => isWord(word) && isKnown(word))) {
      yield { start, end: start + core.length };
    } else {
      for (const { start: from, end } of indivisibleParts(core))
        yield { start: start + from, end: start + end };
    }
  }
}

/** Stretches that match, in their order; those that overlap are one. */
function indivisibleParts(core: string): Stretch[] {
  const found = indivisible
    .flatMap((pattern) =>
      Array.from(core.matchAll(pattern), ({ 0: part, index }) => ({
        start: index,
        end: index + part.length,
      })),
    )
    .sort((a, b) => a.start - b.start);
  const joined: Stretch[] = [];
  for (const part of found) {
    const last = joined.at(-1);
    if (last && part.start < last.end) last.end = Math.max(last.end, part.end);
    else joined.push(part);
  }
  return joined;
}
