import { PolybeamError } from '../../errors.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { splitIntoWords } from '../words.js';

/** A word of a row of tokens. */
export interface TokenWord {
  text: string;
  /** Its tokens are those at `from` to `to` - 1. */
  from: number;
  to: number;
  /** Words with one number stand in one sentence. */
  sentence: number;
}

/** Marks a space in tokens of BPE, as SentencePiece writes it. */
const spaceMark = '▁';

/** Stands for what no text is: words do not hold it, and no n-gram goes across it. */
const border = '\n';

/**
 * Finds the words of token rows, as `splitIntoWords` cuts their text. A word is left out where its tokens are not its own alone, where
 * it holds an unknown token, and at either end of a row where it may be a part of one.
 * @param special ids that are no text
 * @throws TOKENIZER_INVALID for a vocabulary whose tokens do not tell where spaces are
 */
export function makeWordFinder(
  tokenizer: Tokenizer,
  special: ReadonlySet<number>,
): (ids: ArrayLike<number>) => TokenWord[] {
  const texts = tokenTexts(tokenizer, special);
  return (ids) => {
    const starts = new Int32Array(ids.length + 1);
    let text = '';
    for (let at = 0; at < ids.length; at++) {
      text += texts[ids[at]] ?? border;
      starts[at + 1] = text.length;
    }
    const words: TokenWord[] = [];
    let token = 0;
    let sentence = 0;
    let before = 0;
    for (const { text: word, start, end } of splitIntoWords(text)) {
      if (text.slice(before, start).includes(border)) sentence++;
      before = end;
      while (starts[token + 1] <= start) token++;
      const to = endToken(starts, token, end);
      const from = withBareSpace(text, starts, token);
      // The first token may begin with the space before the word, and must hold nothing else.
      const own = starts[token] >= start - 1 && text.slice(starts[token], start).trim() === '';
      const cut = (from <= 1 && text[starts[from]] !== ' ') || to === ids.length;
      if (own && to !== undefined && !cut) words.push({ text: word, from, to, sentence });
    }
    return words;
  };
}

/** The token behind the one that ends where the word does; undefined where none does. */
function endToken(starts: Int32Array, from: number, end: number): number | undefined {
  let to = from + 1;
  while (to < starts.length && starts[to] < end) to++;
  return starts[to] === end ? to : undefined;
}

/** A token of nothing but a space belongs to the word behind it. */
function withBareSpace(text: string, starts: Int32Array, token: number): number {
  return token > 0 && text.slice(starts[token - 1], starts[token]) === ' ' ? token - 1 : token;
}

/** The text of each token by id, spaces as they are; `border` for what is no text. */
function tokenTexts(tokenizer: Tokenizer, special: ReadonlySet<number>): string[] {
  let marked = 0;
  const texts = Array.from({ length: tokenizer.vocabSize }, (_, id) => {
    const token = tokenizer.idToToken(id);
    if (token === undefined || special.has(id) || /^<0x[0-9A-F]{2}>$/.test(token)) return border;
    if (token.startsWith(spaceMark)) marked++;
    return token.replaceAll(spaceMark, ' ');
  });
  if (marked > 0) return texts;
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    `No token begins with ${spaceMark}, so the beginnings of words are unknown: use a vocabulary made by polybeam xlm vocabulary.`,
  );
}
