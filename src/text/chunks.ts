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

/** Joins neighbours for as long as they fit. Lengths of parts bound those of what they make, and are checked once made. */
async function pack(
  parts: readonly string[],
  lengths: readonly number[],
  count: (pieces: readonly string[]) => Promise<number[]>,
  maxTokens: number,
): Promise<string[]> {
  const pieces: string[] = [];
  let open = '';
  let openLength = 0;
  for (const [index, part] of parts.entries()) {
    const joined = open + part;
    // Joining saves special tokens and may save more; only where the sum is too long must the whole be counted.
    const sum = openLength + lengths[index];
    const length = sum <= maxTokens ? sum : (await count([joined]))[0];
    if (open !== '' && length > maxTokens) {
      pieces.push(open);
      open = part;
      openLength = lengths[index];
    } else {
      open = joined;
      openLength = length;
    }
  }
  return [...pieces, open].map((piece) => piece.trim()).filter((piece) => piece !== '');
}

function segments(text: string, granularity: 'sentence' | 'word', locale: string | undefined): string[] {
  const segmenter = new Intl.Segmenter(locale, { granularity });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
