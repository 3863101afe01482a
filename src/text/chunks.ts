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
    else parts.push(...segments(sentence, 'word', locale));
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

function segments(text: string, granularity: 'sentence' | 'word', locale: string | undefined): string[] {
  const segmenter = makeSegmenter(granularity, locale);
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** A segmenter of the language, or of no particular one where its code is none of BCP 47: models have codes of their own. */
function makeSegmenter(granularity: 'sentence' | 'word', locale: string | undefined): Intl.Segmenter {
  try {
    return new Intl.Segmenter(locale, { granularity });
  } catch {
    return new Intl.Segmenter(undefined, { granularity });
  }
}
