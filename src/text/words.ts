import type { Tokenizer } from './tokenizer.js';

/** Words of a text: what white space separates. */
export function wordsOf(text: string): string[] {
  return text.match(/\S+/g) ?? [];
}

/**
 * Of which word of a text each of its tokens is a part.
 *
 * Words are encoded one by one. Where the tokens of a text are not those of its words put together, the beginnings of the
 * text are encoded instead: a token belongs to the first word with which it appears.
 *
 * @param ids of the text as the tokenizer made them: special tokens around it, perhaps its end cut off
 * @param side of a translation that the text is
 * @returns index of the word for each of `ids`; -1 for tokens that are no part of the text
 */
export async function wordsOfEncoding(
  tokenizer: Pick<Tokenizer, 'encodeBatch'>,
  text: string,
  ids: readonly number[],
  side: 'source' | 'target' = 'source',
): Promise<Int32Array> {
  const words = new Int32Array(ids.length).fill(-1);
  const ends = Array.from(text.matchAll(/\S+/g), (match) => match.index + match[0].length);
  if (ends.length === 0) return words;
  const encode = async (texts: readonly string[]) => {
    const encoded = await tokenizer.encodeBatch(texts, { addSpecialTokens: false, side });
    return encoded.map((one) => one.ids);
  };
  const [bare, ...parts] = await encode([text, ...ends.map((end, k) => text.slice(ends[k - 1] ?? 0, end))]);
  let counts = parts.map((part) => part.length);
  if (parts.flat().join() !== bare.join()) {
    const beginnings = await encode(ends.map((end) => text.slice(0, end)));
    const lengths = beginnings.map((one) => sharedLength(one, bare, 0));
    let longest = 0;
    counts = lengths.map((length) => {
      const added = length - longest;
      longest = Math.max(longest, length);
      return added;
    });
  }
  const own = counts.flatMap((count, word) => new Array<number>(Math.max(0, count)).fill(word));
  while (own.length < bare.length) own.push(ends.length - 1);
  const start = placeOf(bare, ids);
  const length = sharedLength(bare, ids, start);
  words.set(own.slice(0, length), start);
  return words;
}

/** Where in `ids` the longest beginning of `bare` stands. */
function placeOf(bare: readonly number[], ids: readonly number[]): number {
  let best = 0;
  let longest = -1;
  for (let start = 0; start < ids.length; start++) {
    const length = sharedLength(bare, ids, start);
    if (length <= longest) continue;
    best = start;
    longest = length;
  }
  return best;
}

/** How many of the first tokens of `some` stand in `ids` from `start` on. */
function sharedLength(some: readonly number[], ids: readonly number[], start: number): number {
  let length = 0;
  while (length < some.length && start + length < ids.length && some[length] === ids[start + length])
    length++;
  return length;
}

/**
 * Of which word of the decoded text each token is a part: the last one of the text up to the token, as far as the whole
 * text has it.
 *
 * @returns index of the word for each of `ids`; -1 for tokens that are left out of the text
 */
export async function wordsOfDecoding(
  tokenizer: Pick<Tokenizer, 'decodeBatch'>,
  ids: readonly number[],
): Promise<Int32Array> {
  const texts = await tokenizer.decodeBatch(ids.map((_, at) => ids.slice(0, at + 1)));
  const skipped = await skippedTokens(tokenizer, ids);
  const words = new Int32Array(ids.length);
  let next = Number.POSITIVE_INFINITY;
  for (let at = ids.length - 1; at >= 0; at--) {
    const text = texts[at].trim();
    // A mark of a new word that adds no letter belongs to the word that follows.
    const silent = at + 1 < ids.length && text === (at > 0 ? texts[at - 1].trim() : '');
    const word = silent ? next : wordsOf(text).length - 1;
    if (!skipped[at]) next = Math.min(next, word);
    words[at] = skipped[at] || next === Number.POSITIVE_INFINITY ? -1 : next;
  }
  return words;
}

/** Which tokens decoding leaves out. */
async function skippedTokens(
  tokenizer: Pick<Tokenizer, 'decodeBatch'>,
  ids: readonly number[],
): Promise<boolean[]> {
  const alone = ids.map((id) => [id]);
  const plain = await tokenizer.decodeBatch(alone);
  const whole = await tokenizer.decodeBatch(alone, { skipSpecialTokens: false });
  return ids.map((_, at) => plain[at].trim() === '' && whole[at].trim() !== '');
}
