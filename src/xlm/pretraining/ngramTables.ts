import { PolybeamError } from '../../errors.js';
import type { Draws } from '../../pretraining/draws.js';
import { randomOrder } from '../../pretraining/masking.js';
import type { VocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { digest, hashString } from '../../training/random.js';
import { openTable, type TranslationTable } from '../table/translationTable.js';
import type { TableSource } from './cmlmOptions.js';
import { makeWordFinder, type TokenWord } from './tokenWords.js';

/** A translation as tokens. */
export interface TargetTokens {
  ids: readonly number[];
  /** The word of each token, as it is spelled; '' where it is of none. */
  words: readonly string[];
}

/** A translation that can be predicted. */
export interface UsableTranslation extends TargetTokens {
  text: string;
  /** Of all that can be predicted; those of an n-gram sum to 1. */
  probability: number;
}

/** An n-gram of a row that has an entry in a table. */
export interface FoundNgram {
  text: string;
  words: readonly TokenWord[];
  /** Its tokens are those at `from` to `to` - 1. */
  from: number;
  to: number;
  table: NgramTable;
}

/** A table as masking uses it. */
export interface NgramTable {
  source: TableSource;
  /** Whether an n-gram has such a translation. */
  has(ngram: string): boolean;
  /** Translations of an n-gram all of whose tokens the vocabulary knows, most probable first. */
  usable(ngram: string): readonly UsableTranslation[];
  /** N-grams, those that have a usable translation, and words of the longest. */
  size: number;
  usableSize: number;
  longest: number;
  /** Tells tables apart. */
  fingerprint: string;
  /** By id, 1 for tokens that stand in a usable translation. */
  targetTokens: Uint8Array;
  /** Words of the n-grams and of their translations, as they are spelled. */
  sourceWords: ReadonlySet<string>;
  targetWords: ReadonlySet<string>;
}

/** Tables with what finds their n-grams in rows of tokens. */
export interface NgramTables {
  all: readonly NgramTable[];
  words(ids: ArrayLike<number>): TokenWord[];
}

/** Ids that are no text: all but ordinary tokens. */
export function specialIds({
  vocabSize,
  ordinary,
}: Pick<VocabularyFacts, 'vocabSize' | 'ordinary'>): Set<number> {
  const text = new Set(ordinary);
  return new Set(Array.from({ length: vocabSize }, (_, id) => id).filter((id) => !text.has(id)));
}

/**
 * Opens tables for a vocabulary: every translation is tokenized once.
 * @param maxNgram words of an n-gram at most
 * @throws what `openTable` throws; TOKENIZER_INVALID; INPUT_INVALID for a table that does not match the vocabulary
 */
export async function openNgramTables(
  sources: readonly TableSource[],
  tokenizer: Tokenizer,
  special: ReadonlySet<number>,
  maxNgram = Number.POSITIVE_INFINITY,
): Promise<NgramTables> {
  const words = makeWordFinder(tokenizer, special);
  const all: NgramTable[] = [];
  for (const source of sources) {
    const entries = readEntries(await openTable(source.path), maxNgram);
    const tokens = await tokenizeTargets(entries.targets, tokenizer, special, words);
    all.push(ngramTable(source, entries, tokens, tokenizer.vocabSize));
  }
  return { all, words };
}

/** A table's lines, each text once. */
interface Entries {
  ngrams: readonly string[];
  /** Lines of n-gram i are `starts[i]` to `starts[i + 1]` - 1. */
  starts: readonly number[];
  /** Of each line: a place among `targets`, and its probability. */
  targetOf: readonly number[];
  probabilities: readonly number[];
  targets: readonly string[];
  /** Words of the longest n-gram. */
  longest: number;
}

/** Reads a table once: training looks into it far more often than it has lines. */
function readEntries(table: TranslationTable, maxNgram: number): Entries {
  const ngrams: string[] = [];
  const starts = [0];
  const targetOf: number[] = [];
  const probabilities: number[] = [];
  const places = new Map<string, number>();
  for (const ngram of table.sources()) {
    if (ngram.split(' ').length > maxNgram) continue;
    for (const { target, probability } of table.get(ngram)) {
      const place = places.get(target) ?? places.size;
      places.set(target, place);
      targetOf.push(place);
      probabilities.push(probability);
    }
    ngrams.push(ngram);
    starts.push(targetOf.length);
  }
  const longest = Math.min(table.longestSource, maxNgram);
  return { ngrams, starts, targetOf, probabilities, targets: [...places.keys()], longest };
}

/** Tokens of each text; undefined where one is unknown. */
async function tokenizeTargets(
  texts: readonly string[],
  tokenizer: Tokenizer,
  special: ReadonlySet<number>,
  wordsIn: (ids: ArrayLike<number>) => TokenWord[],
): Promise<(TargetTokens | undefined)[]> {
  const encoded = await tokenizer.encodeBatch(texts, { addSpecialTokens: false });
  const [border] = special;
  return encoded.map(({ ids }) => {
    if (ids.length === 0 || ids.some((id) => special.has(id))) return undefined;
    const words = ids.map(() => '');
    // Between what is no text, since words at the ends of a row may be parts of words.
    for (const { text, from, to } of wordsIn([border, ...ids, border])) words.fill(text, from - 1, to - 1);
    return { ids, words };
  });
}

function ngramTable(
  source: TableSource,
  { ngrams, starts, targetOf, probabilities, targets, longest }: Entries,
  tokens: readonly (TargetTokens | undefined)[],
  vocabSize: number,
): NgramTable {
  const usable = (row: number): UsableTranslation[] => {
    const found: UsableTranslation[] = [];
    let sum = 0;
    for (let line = starts[row]; line < starts[row + 1]; line++) {
      const target = tokens[targetOf[line]];
      if (!target) continue;
      sum += probabilities[line];
      found.push({ ...target, text: targets[targetOf[line]], probability: probabilities[line] });
    }
    for (const one of found) one.probability /= sum;
    return found;
  };
  const rowOf = new Map<string, number>();
  const sourceWords = new Set<string>();
  // Of texts and numbers, each once.
  let hash = 0;
  const mix = (value: number) => {
    hash = (Math.imul(hash, 0x01000193) ^ value) >>> 0;
  };
  ngrams.forEach((ngram, row) => {
    mix(hashString(ngram));
    for (const word of ngram.split(' ')) sourceWords.add(word);
    for (let line = starts[row]; line < starts[row + 1]; line++) {
      if (tokens[targetOf[line]]) rowOf.set(ngram, row);
      mix(targetOf[line]);
      mix(Math.round(probabilities[line] * 1e9));
    }
  });
  const targetWords = new Set<string>();
  const targetTokens = new Uint8Array(vocabSize);
  targets.forEach((text, place) => {
    mix(hashString(text));
    for (const id of tokens[place]?.ids ?? []) targetTokens[id] = 1;
    for (const word of tokens[place]?.words ?? []) targetWords.add(word);
  });
  if (rowOf.size > 0) {
    return {
      source,
      has: (ngram) => rowOf.has(ngram),
      usable: (ngram) => (rowOf.has(ngram) ? usable(rowOf.get(ngram)!) : []),
      size: ngrams.length,
      usableSize: rowOf.size,
      longest,
      fingerprint: digest(`${hash} ${ngrams.length}`),
      targetTokens,
      sourceWords,
      targetWords,
    };
  }
  throw new PolybeamError(
    'INPUT_INVALID',
    `${source.path} does not match the vocabulary: none of its ${ngrams.length} n-grams has a translation whose tokens are all known; ` +
      `build the table from texts of ${source.from} and ${source.to} in the spelling that the vocabulary was learned from.`,
  );
}

/** N-grams that begin with a word and have entries, as spelled or lower-cased; sentences' borders end them. */
export function ngramsAt(
  words: readonly TokenWord[],
  start: number,
  tables: readonly NgramTable[],
): FoundNgram[] {
  const found: FoundNgram[] = [];
  const longest = Math.max(...tables.map((table) => table.longest));
  let text = '';
  for (let at = start; at < words.length && at - start < longest; at++) {
    const word = words[at];
    const [before, first] = [words[at - 1], words[start]];
    if (at > start && (word.from !== before.to || word.sentence !== before.sentence)) break;
    text = at === start ? word.text : `${text} ${word.text}`;
    const lower = text.toLowerCase();
    for (const table of tables) {
      if (at - start >= table.longest) continue;
      const spelled = [text, lower].find((one) => table.has(one));
      if (spelled === undefined) continue;
      found.push({ text: spelled, words: words.slice(start, at + 1), from: first.from, to: word.to, table });
    }
  }
  return found;
}

/**
 * Chooses n-grams of a row that have entries in tables, until `wanted` tokens are chosen: words in random order, and of the n-grams
 * that begin with one any as likely. One that would go beyond the number wanted is passed over, unless it is the first.
 * @returns by their places, none overlapping another
 */
export function chooseNgrams(
  ids: ArrayLike<number>,
  wanted: number,
  { words: wordsIn }: Pick<NgramTables, 'words'>,
  tables: readonly NgramTable[],
  draws: Draws,
): FoundNgram[] {
  const words = wordsIn(ids);
  const taken = new Uint8Array(ids.length);
  const chosen: FoundNgram[] = [];
  let count = 0;
  for (const start of randomOrder(words.length, draws)) {
    if (count >= wanted) break;
    if (taken[words[start].from]) continue;
    const found = ngramsAt(words, start, tables);
    if (found.length === 0) continue;
    const one = found[draws.below(found.length)];
    const length = one.to - one.from;
    const overlaps = taken.subarray(one.from, one.to).some((flag) => flag === 1);
    if (overlaps || (count > 0 && count + length > wanted)) continue;
    taken.fill(1, one.from, one.to);
    count += length;
    chosen.push(one);
  }
  return chosen.sort((a, b) => a.from - b.from);
}

/** One translation, drawn by its probability. */
export function drawTranslation({ table, text }: FoundNgram, draws: Draws): UsableTranslation {
  const translations = table.usable(text);
  let left = draws.uniform();
  return (
    translations.find(({ probability }) => {
      left -= probability;
      return left < 0;
    }) ?? translations[translations.length - 1]
  );
}

/** Share of the tokens of rows that lie in n-grams of tables. */
export function coverage(
  rows: readonly ArrayLike<number>[],
  { words: wordsIn }: Pick<NgramTables, 'words'>,
  tables: readonly NgramTable[],
): number {
  let [covered, tokens] = [0, 0];
  for (const ids of rows) {
    const words = wordsIn(ids);
    const flags = new Uint8Array(ids.length);
    for (let start = 0; start < words.length; start++) {
      for (const { from, to } of ngramsAt(words, start, tables)) flags.fill(1, from, to);
    }
    tokens += ids.length;
    covered += flags.reduce((sum, flag) => sum + flag, 0);
  }
  return tokens === 0 ? 0 : covered / tokens;
}
