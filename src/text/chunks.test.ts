import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkText } from './chunks.js';

/** A token for each word and mark, and one for the end. */
const tokenizer = {
  encodeBatch: async (texts: readonly string[]) =>
    texts.map((text) => ({
      ids: [...(text.match(/\w+|[^\w\s]/g) ?? []), '</s>'].map((_, i) => i),
      truncated: false,
    })),
};

const length = async (text: string) => (await tokenizer.encodeBatch([text]))[0].ids.length;

describe('chunkText', () => {
  it('leaves what fits, and else cuts between sentences', async () => {
    const text = 'One two three. Four five six! Seven? Eight nine ten eleven.';
    expect(await chunkText(text, tokenizer, 100)).toEqual([text]);
    expect(await chunkText(text, tokenizer, 7)).toEqual([
      'One two three.',
      'Four five six! Seven?',
      'Eight nine ten eleven.',
    ]);
  });

  it('cuts a long sentence between words', async () => {
    expect(await chunkText('a b c d e f g. H i.', tokenizer, 4)).toEqual(['a b c', 'd e f', 'g.', 'H i.']);
  });

  it('loses nothing, and exceeds the limit only by single words', async () => {
    const texts = fc
      .array(fc.constantFrom('alpha', 'b', 'gamma.', 'Delta!', 'e,', '3.5'), { minLength: 1, maxLength: 40 })
      .map((words) => words.join(' '));
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 2, max: 12 }), async (text, maxTokens) => {
        const pieces = await chunkText(text, tokenizer, maxTokens);
        expect(pieces.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        for (const piece of pieces) {
          if ((await length(piece)) > maxTokens) expect(piece).toMatch(/^\S+$/);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('counts each character of a long text a few times only', async () => {
    let counted = 0;
    // Any number of the same marks in a row are one token, as unknown characters are in SentencePiece.
    const joining = {
      encodeBatch: async (texts: readonly string[]) => {
        for (const text of texts) counted += text.length;
        return texts.map((text) => ({
          ids: [...(text.match(/▁+|\w/g) ?? []), '</s>'].map((_, i) => i),
          truncated: false,
        }));
      },
    };
    const marks = '▁'.repeat(20_000);
    expect(await chunkText(`${marks}ab`, joining, 2)).toEqual([marks, 'ab']);
    expect(counted).toBeLessThan(40 * marks.length);
  });

  it('cuts by the general rules where a language code is none that Unicode knows', async () => {
    expect(await chunkText('A b. C d.', tokenizer, 4, 'constructor')).toEqual(['A b.', 'C d.']);
  });

  it('finds the sentences and words of a long text as those of a short one, in linear time', async () => {
    const sentence = 'One two three. Four five six! Seven? ';
    const short = await chunkText(sentence, tokenizer, 6);
    expect(short).toEqual(['One two three.', 'Four five six!', 'Seven?']);
    const many = await chunkText(sentence.repeat(1000), tokenizer, 6);
    expect(many).toEqual(Array.from({ length: 1000 }, () => short).flat());
    const word = 'b'.repeat(100_000);
    expect(await chunkText(`a ${word} c`, tokenizer, 2)).toEqual(['a', word, 'c']);
    // Intl.Segmenter alone takes minutes for so many segments at once.
    const start = performance.now();
    expect(await chunkText('ab '.repeat(150_000), tokenizer, 51)).toHaveLength(3000);
    expect(performance.now() - start).toBeLessThan(60_000);
  });

  it('gives nothing for blanks', async () => {
    expect(await chunkText('   ', tokenizer, 1)).toEqual(['   ']);
    expect(await chunkText(' \t ', tokenizer, 0)).toEqual([]);
  });
});
