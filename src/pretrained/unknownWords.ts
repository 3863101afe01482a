import { PolybeamError } from '../errors.js';
import { readUnpacked } from '../gzip.js';
import { showValue } from '../inputs.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { splitLines } from '../text/utf8.js';
import { wordsOf, wordsOfDecoding } from '../text/words.js';

/**
 * What takes the place of unknown words in outputs: true for the source word that the decoder read most while it wrote the
 * unknown token, or a dictionary in which that word is looked up first: the path of a file (a source word, a tab and a
 * target on each line), or a map.
 */
export type UnknownReplacement = boolean | string | ReadonlyMap<string, string>;

/** Translations of words; empty for a replacement that copies. @throws OPTION_INVALID, FILE_NOT_FOUND, FILE_CORRUPT naming the line */
export async function readDictionary(given: UnknownReplacement): Promise<ReadonlyMap<string, string>> {
  if (given === true) return new Map();
  if (typeof given !== 'string' && !(given instanceof Map)) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `Option replaceUnknowns cannot be ${showValue(given)}: give true, the path of a dictionary, or a Map.`,
    );
  }
  if (typeof given !== 'string') return given;
  const text = new TextDecoder().decode(await readUnpacked(given));
  const entries = new Map<string, string>();
  for (const [index, line] of splitLines(text).entries()) {
    if (line.trim() === '') continue;
    const parts = line.split('\t');
    if (parts.length !== 2) {
      throw new PolybeamError(
        'FILE_CORRUPT',
        `${given}: line ${index + 1} has ${parts.length - 1} tabs; write a source word, one tab and its translation.`,
      );
    }
    entries.set(parts[0].trim(), parts[1].trim());
  }
  return entries;
}

/** An output's text without unknown tokens. */
export interface ReplacedText {
  text: string;
  /** Word of the text that each token is a part of; -1 for none. [ids.length] */
  words: Int32Array;
}

/** Where the words of an output come from. */
export interface ReplacementSource {
  words: readonly string[];
  /** Word of each source token; -1 for none. */
  wordOfToken: ArrayLike<number>;
  /** [ids.length][source tokens] */
  attention: readonly ArrayLike<number>[];
  dictionary: ReadonlyMap<string, string>;
}

/**
 * Decodes an output with unknown words replaced. The whole word that an unknown token is a piece of is replaced, the
 * punctuation around it kept; source words are copied and looked up without the punctuation around them.
 */
export async function decodeReplaced(
  tokenizer: Tokenizer,
  ids: readonly number[],
  source: ReplacementSource,
): Promise<ReplacedText> {
  const unknown = tokenizer.specialIds.unk;
  const parts: string[] = [];
  const words = new Int32Array(ids.length).fill(-1);
  let count = 0;
  for (const { start, end } of await runsOf(tokenizer, ids)) {
    const run = ids.slice(start, end);
    const place = run.indexOf(unknown as number);
    let text: string;
    if (place < 0) {
      text = (await tokenizer.decode(run)).trim();
      words.set(
        (await wordsOfDecoding(tokenizer, run)).map((word) => (word < 0 ? -1 : count + word)),
        start,
      );
    } else {
      const [before, after] = await tokenizer.decodeBatch([run.slice(0, place), run.slice(place + 1)]);
      const lead = /^[\p{P}\p{S}]*/u.exec(before.trim())![0];
      const trail = /[\p{P}\p{S}]*$/u.exec(after.trim())![0];
      text = lead + replacement(source, start + place) + trail;
      if (text !== '') words.fill(count, start, end);
    }
    if (text !== '') parts.push(text);
    count += wordsOf(text).length;
  }
  return { text: parts.join(' '), words };
}

/** What stands for the unknown token number `target`; nothing for a source without words. */
function replacement(
  { words, wordOfToken, attention, dictionary }: ReplacementSource,
  target: number,
): string {
  let best = -1;
  for (let token = 0; token < wordOfToken.length; token++) {
    if (wordOfToken[token] < 0) continue;
    if (best < 0 || attention[target][token] > attention[target][best]) best = token;
  }
  if (best < 0) return '';
  const word = words[wordOfToken[best]];
  const bare = word.replace(/^\p{P}+|\p{P}+$/gu, '') || word;
  return dictionary.get(word) ?? dictionary.get(bare) ?? bare;
}

/** Stretches of tokens: each word with an unknown token is one, and so is what stands between them. */
async function runsOf(
  tokenizer: Tokenizer,
  ids: readonly number[],
): Promise<{ start: number; end: number }[]> {
  const unknown = tokenizer.specialIds.unk;
  const starts = await wordStarts(tokenizer, ids);
  const runs: { start: number; end: number; replaced: boolean }[] = [];
  for (let start = 0; start < ids.length; ) {
    let end = start + 1;
    while (end < ids.length && !starts[end]) end++;
    const replaced = ids.slice(start, end).includes(unknown as number);
    const last = runs.at(-1);
    if (last && !last.replaced && !replaced) last.end = end;
    else runs.push({ start, end, replaced });
    start = end;
  }
  return runs;
}

/** Whether each token begins a word, or stands outside of words. */
async function wordStarts(tokenizer: Tokenizer, ids: readonly number[]): Promise<boolean[]> {
  const unknown = tokenizer.specialIds.unk;
  const twice = await tokenizer.decodeBatch(ids.map((id) => [id, id]));
  const unknownStarts = await unknownStartsWord(tokenizer);
  // A mark of a new word alone, or a special token: neither has letters.
  const silent = ids.map((id, at) => id !== unknown && twice[at].trim() === '');
  return ids.map((id, at) => {
    if (id === unknown) return unknownStarts && !(at > 0 && silent[at - 1]);
    return silent[at] || wordsOf(twice[at]).length > 1;
  });
}

/** Characters of which hardly a vocabulary has all. */
const rare = ['☃', '♞', 'ᚠ', '𐍈', '\ue000'];

/** Whether an unknown token stands for a whole word, rather than for a piece after a mark of its own. */
async function unknownStartsWord(tokenizer: Tokenizer): Promise<boolean> {
  const unknown = tokenizer.specialIds.unk;
  const encoded = await tokenizer.encodeBatch(
    rare.map((character) => `a ${character}`),
    { addSpecialTokens: false },
  );
  const found = encoded.find(({ ids }) => ids.includes(unknown as number))?.ids;
  if (!found) return true;
  const before = found.slice(0, found.indexOf(unknown as number)).at(-1);
  return before === undefined || before === unknown || (await tokenizer.decode([before])).trim() !== '';
}
