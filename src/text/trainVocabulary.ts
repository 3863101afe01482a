import { PolybeamError } from '../errors.js';
import { readUnpacked } from '../gzip.js';
import { requireText, wrongInput } from '../inputs.js';
import { basicTokenize } from './basicTokenize.js';
import type { LearnedMerges } from './mergeTrainer.js';
import { makeNormalizer, normalizerJson, type PipelineStep } from './normalize.js';
import { rolesByName } from './specialTokens.js';
import { decoderJson, makeWordCounter, preTokenizerJson, type SplitOptions } from './splitWords.js';
import { specialTokenJson, type TokenizerJson, templateJson } from './tokenizerFile.js';
import { trainBpe } from './trainBpe.js';
import { continuingPrefix, trainWordPiece } from './trainWordPiece.js';
import { decodeUtf8Lines } from './utf8.js';
import {
  type ResolvedVocabularyOptions,
  resolveVocabularyOptions,
  type VocabularyOptions,
} from './vocabularyOptions.js';

/** @throws INPUT_INVALID for what gives no lines; a text would give its characters */
function requireLines(lines: unknown): void {
  const gives =
    typeof lines === 'object' &&
    lines !== null &&
    (Symbol.iterator in lines || Symbol.asyncIterator in lines);
  if (!gives) throw wrongInput('lines', lines, 'give a list of texts, or another iterable of them');
}

/** Progress of training: lines read, then tokens in the vocabulary. */
export type VocabularyProgress = (stage: 'lines' | 'tokens', done: number) => void;

/**
 * Learns a vocabulary from texts. The result depends only on how often each word occurs, never on order or timing.
 *
 * @param lines - texts, one sentence or paragraph each
 * @returns the content of a tokenizer.json; its vocabulary is smaller than `size` where the texts have too few
 *   frequent pairs
 * @throws OPTION_INVALID, OPTION_UNKNOWN, OPTION_CONFLICT for options; INPUT_INVALID where there is no text
 */
export async function trainVocabulary(
  lines: Iterable<string> | AsyncIterable<string>,
  given: VocabularyOptions = {},
  onProgress?: VocabularyProgress,
): Promise<TokenizerJson> {
  requireLines(lines);
  const options = resolveVocabularyOptions(given);
  const counter = makeVocabularyCounter(options);
  let done = 0;
  const read = (line: string) => {
    requireText(line, `lines[${done}]`);
    counter.add(line);
    if (++done % 10000 === 0) onProgress?.('lines', done);
  };
  if (Symbol.iterator in lines) for (const line of lines) read(line);
  else for await (const line of lines) read(line);
  const words = counter.counts();
  if (words.size === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${done} lines hold no word to learn a vocabulary from: give text.`,
    );
  }
  return vocabularyFromCounts(words, options, onProgress);
}

/** Counts the words of texts, spelled as a vocabulary with these options spells them. */
export function makeVocabularyCounter(options: ResolvedVocabularyOptions): WordCounter {
  return options.type === 'bpe' ? bpeWords(options) : wordPieceWords(options);
}

/**
 * Learns a vocabulary from counts of words that `makeVocabularyCounter` spelled.
 *
 * @param words - how often each word occurs: whole numbers, in the unit that `minFrequency` has too
 * @returns the content of a tokenizer.json
 * @throws OPTION_INVALID where the characters alone do not fit
 */
export function vocabularyFromCounts(
  words: ReadonlyMap<string, number>,
  options: ResolvedVocabularyOptions,
  onProgress?: VocabularyProgress,
): TokenizerJson {
  const limits = { ...options, onProgress: (size: number) => onProgress?.('tokens', size) };
  if (options.type === 'wordpiece') return wordPieceJson(trainWordPiece(words, limits), options);
  const byteLevel = options.pretokenizer === 'byteLevel';
  const limitAlphabet = byteLevel ? 256 : options.limitAlphabet;
  return bpeJson(trainBpe(words, { ...limits, byteLevel, limitAlphabet }), options);
}

/** Texts read from files, and what was wrong with them. */
export interface TextFiles {
  lines: string[];
  /** Lines, over all files, in which invalid UTF-8 became U+FFFD. */
  invalidLines: number;
}

/**
 * Reads text files, a text a line; `.gz` is unpacked. A line of several columns (split by tabs) is several texts.
 *
 * @param columns - which columns to take, from 0; all where left out
 * @throws FILE_NOT_FOUND; FILE_CORRUPT for a damaged gzip file; INPUT_INVALID where a line lacks a column
 */
export async function readTextFiles(
  paths: readonly string[],
  columns?: readonly number[],
): Promise<TextFiles> {
  const lines: string[] = [];
  let invalidLines = 0;
  for (const path of paths) {
    const decoded = decodeUtf8Lines(await readUnpacked(path));
    invalidLines += decoded.invalidLines;
    for (const [at, line] of decoded.lines.entries()) {
      const cells = line.split('\t');
      for (const column of columns ?? cells.keys()) {
        if (cells[column] === undefined) throw missingColumn(path, at + 1, column, cells.length);
        lines.push(cells[column]);
      }
    }
  }
  return { lines, invalidLines };
}

function missingColumn(path: string, line: number, column: number, found: number): PolybeamError {
  return new PolybeamError(
    'INPUT_INVALID',
    `Line ${line} of ${path} has ${found} columns and none of number ${column} (counted from 0): check columns.`,
  );
}

/** Counts words as texts come. */
export interface WordCounter {
  add(text: string): void;
  /** How often each word came. */
  counts(): Map<string, number>;
}

function bpeWords(options: ResolvedVocabularyOptions): WordCounter {
  const normalize = makeNormalizer(bpeNormalization(options));
  const counter = makeWordCounter(splitOptions(options));
  return { add: (text) => counter.add(normalize(text)), counts: counter.counts };
}

function wordPieceWords(options: ResolvedVocabularyOptions): WordCounter {
  const counts = new Map<string, number>();
  const add = (text: string) => {
    for (const word of basicTokenize(text, options)) counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  return { add, counts: () => counts };
}

function bpeNormalization(options: ResolvedVocabularyOptions) {
  return {
    unicode: options.unicodeNormalization,
    lowercase: options.lowercase,
    stripAccents: options.stripAccents,
    collapseSpaces: options.pretokenizer === 'metaspace',
  };
}

function splitOptions(options: ResolvedVocabularyOptions): SplitOptions {
  return { ...options, kind: options.pretokenizer };
}

function bpeJson({ vocabulary, merges }: LearnedMerges, options: ResolvedVocabularyOptions): TokenizerJson {
  const byteLevel = options.pretokenizer === 'byteLevel';
  const split = splitOptions(options);
  return assemble(vocabulary, options, {
    normalizer: normalizerJson(bpeNormalization(options)),
    pre_tokenizer: preTokenizerJson(split),
    decoder: decoderJson(split, options.byteFallback),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: byteLevel ? null : (rolesByName(options.specialTokens).unk ?? null),
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: !byteLevel,
      byte_fallback: options.byteFallback,
      ignore_merges: false,
      merges,
    },
  });
}

function wordPieceJson(vocabulary: string[], options: ResolvedVocabularyOptions): TokenizerJson {
  return assemble(vocabulary, options, {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: options.stripAccents,
      lowercase: options.lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: continuingPrefix, cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: rolesByName(options.specialTokens).unk!,
      continuing_subword_prefix: continuingPrefix,
      max_input_chars_per_word: 100,
    },
  });
}

type Assembled = Record<'normalizer' | 'pre_tokenizer' | 'decoder', PipelineStep | null> & {
  model: Omit<TokenizerJson['model'], 'vocab' | 'unk_token'> & {
    type: 'BPE' | 'WordPiece';
    unk_token: string | null;
  };
};

function assemble(
  vocabulary: string[],
  options: ResolvedVocabularyOptions,
  { normalizer, pre_tokenizer, decoder, model }: Assembled,
): TokenizerJson {
  const idOf = new Map(vocabulary.map((token, id) => [token, id]));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: options.specialTokens.map((token, id) => specialTokenJson(token, id)),
    normalizer,
    pre_tokenizer,
    post_processor: templateJson(
      options.template,
      rolesByName(options.specialTokens),
      (token) => idOf.get(token)!,
    ),
    decoder,
    model: { ...model, vocab: Object.fromEntries(idOf) },
  };
}
