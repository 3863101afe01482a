import type { Tokenizer } from './tokenizer.js';

/**
 * Cuts a text into pieces that a model can read whole: as many sentences as fit, a sentence that does not fit cut between
 * words, a word that does not fit left as it is. Sentences and words are those of Unicode (UAX #29).
 * @param text without line ends
 * @param maxTokens tokens of a piece, special tokens included
 * @param locale language of the text, for its rules of sentences and words
 * @returns pieces in order, trimmed; the text itself where it fits
 */
export async function chunkText(
  text: string,
  tokenizer: Pick<Tokenizer, 'encodeBatch'>,
  maxTokens: number,
  locale?: string,
): Promise<string[]> {
  const count = async (pieces: readonly string[]) =>
    (await tokenizer.encodeBatch(pieces)).map(({ ids }) => ids.length);
  if ((await count([text]))[0] <= maxTokens) return [text];
  const sentences = segments(text, 'sentence', locale);
  const lengths = await count(sentences);
  const parts: string[] = [];
  for (const [index, sentence] of sentences.entries()) {
    if (lengths[index] <= maxTokens) parts.push(sentence);
    else for (const word of segments(sentence, 'word', locale)) parts.push(word);
  }
  return pack(parts, await count(parts), count, maxTokens);
}

/**
 * Joins neighbours for as long as they fit. Lengths of parts bound those of what they make, which is counted where their sum
 * is too long. Each count that fits doubles the number of parts that the next one adds, so that the characters of a piece are
 * counted a logarithmic number of times.
 */
async function pack(
  parts: readonly string[],
  lengths: readonly number[],
  count: (pieces: readonly string[]) => Promise<number[]>,
  maxTokens: number,
): Promise<string[]> {
  const pieces: string[] = [];
  for (let start = 0, end: number; start < parts.length; start = end) {
    end = start + 1;
    let length = lengths[start];
    for (let step = 1; step >= 1; ) {
      while (length + lengths[end] <= maxTokens) length += lengths[end++];
      if (end === parts.length) break;
      // Joining saves special tokens and may save more.
      const next = Math.min(end + step, parts.length);
      const [counted] = await count([parts.slice(start, next).join('')]);
      if (counted <= maxTokens) [end, length, step] = [next, counted, step * 2];
      else step = Math.floor((next - end) / 2);
    }
    pieces.push(parts.slice(start, end).join(''));
  }
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '');
}

/** Code units that are cut at a time: Intl.Segmenter takes a time for each segment that grows with the whole text. */
const window = 8192;

/** Sentences or words of a text. One longer than a window is read again with twice as much of the text. */
function segments(text: string, granularity: 'sentence' | 'word', locale: string | undefined): string[] {
  const segmenter = makeSegmenter(granularity, locale);
  const all: string[] = [];
  let size = window;
  for (let start = 0; start < text.length; ) {
    const part = text.slice(start, start + size);
    const found = Array.from(segmenter.segment(part), ({ segment }) => segment);
    const isLast = start + size >= text.length;
    // The last segment may go on behind the window.
    const whole = isLast ? found : found.slice(0, -1);
    for (const segment of whole) {
      all.push(segment);
      start += segment.length;
    }
    size = whole.length > 0 ? window : 2 * size;
  }
  return all;
}

/** A segmenter of the language, or of no particular one where its code is none of BCP 47: models have codes of their own. */
function makeSegmenter(granularity: 'sentence' | 'word', locale: string | undefined): Intl.Segmenter {
  try {
    return new Intl.Segmenter(locale, { granularity });
  } catch {
    return new Intl.Segmenter(undefined, { granularity });
  }
}
