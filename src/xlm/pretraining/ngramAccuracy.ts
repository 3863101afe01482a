import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import { compile } from '../../engine/compile.js';
import type { Device, Program } from '../../engine/program.js';
import { floats, integers, type Value } from '../../engine/values.js';
import { PolybeamError } from '../../errors.js';
import { requireText, requireTexts } from '../../inputs.js';
import { readXlmConfig, xlm } from '../../pretrained/architectures/xlm.js';
import { readModelDirectory } from '../../pretrained/modelDirectory.js';
import { fitTokenizer } from '../../pretrained/tokenizerFit.js';
import { tokenizeDocuments } from '../../pretraining/corpus.js';
import { createDraws } from '../../pretraining/draws.js';
import { readVocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import { loadTokenizer } from '../../text/loadTokenizer.js';
import { streamFeeds } from './batch.js';
import { logitsAt, rowSignature } from './loss.js';
import { endTokenOf, languagesOfConfig, rowLengthOf } from './model.js';
import type { NgramAccuracyOptions } from './ngramAccuracy.types.js';
import {
  chooseNgrams,
  type FoundNgram,
  type NgramTable,
  openNgramTables,
  specialIds,
} from './ngramTables.js';
import type { Language } from './objective.js';
import { streamRows } from './streams.js';

export type { NgramAccuracyOptions };

/** Options of measuring translations at masked n-grams. */
export const ngramAccuracySchema = z.strictObject({
  table: z.string().min(1).describe('Translation table whose n-grams are masked.'),
  from: z.string().min(1).describe('Language of the texts and of the n-grams, one of the model.'),
  to: z.string().min(1).describe('Language of the translations.'),
  maxNgram: z
    .int()
    .min(1)
    .optional()
    .describe('Maximum number of words of an n-gram; 1 for words only. Default: the longest in the table.'),
  rate: z.number().gt(0).max(1).default(0.15).describe('Share of the tokens that are masked.'),
  length: z
    .int()
    .min(4)
    .optional()
    .describe(
      'Tokens of a row of running text. Default: the length of pre-training (polybeam.row_length in config.json), or else 256.',
    ),
  maxRows: z.int().min(1).default(200).describe('Maximum number of rows, from the first.'),
  seed: z.int().min(0).max(4294967295).default(1).describe('Seed of the choice of masked n-grams.'),
});

/** Shares, from 0 to 1. */
export interface NgramShares {
  /** N-grams that were masked. */
  ngrams: number;
  /** Those at which the model predicts one of the table's translations. */
  accuracy: number;
  /** Those at which it predicts the most probable one. */
  best: number;
}

/** How well a model translates masked n-grams. */
export interface NgramAccuracy extends NgramShares {
  /** The same where the model may predict any token, not only those of the table's translations. */
  open: Omit<NgramShares, 'ngrams'>;
  /** By the number of words. */
  byWords: Record<number, NgramShares>;
}

/** Where to compute. */
export interface AccuracyDevice {
  device?: Device;
  threads?: number;
}

/** Rows that the program reads at once. */
const rowsAtOnce = 16;

/** Different tokens of a translation at most; a longer one counts as not predicted. */
const mostTokens = 16;

/**
 * Translation accuracy at masked n-grams: in held-out running text, n-grams that have entries in a table are masked as a whole (all
 * their tokens become `<mask>`). The model's prediction for an n-gram is the mean of the distributions at its positions: which of them a
 * token of a translation belongs to is not asked, as the loss does not ask it where alignments are uniform. A translation of d
 * different tokens is predicted where they are the d likeliest of that mean. Only tokens that stand in some translation of the table
 * compete, since a model that also learned MLM predicts its own language first; `open` lets all compete.
 * @param directory an `xlm` model with the head of a language model
 * @param texts held-out, one a line
 * @throws OPTION_INVALID, OPTION_UNKNOWN; CONFIG_INVALID for another model; LANGUAGE_UNKNOWN; INPUT_INVALID where the texts hold no
 * n-gram of the table, or the table does not match the vocabulary
 */
export async function measureNgramTranslations(
  directory: string,
  texts: readonly string[],
  given: NgramAccuracyOptions,
  where: AccuracyDevice = {},
): Promise<NgramAccuracy> {
  requireText(directory, 'directory');
  requireTexts(texts, 'texts');
  const options = readOptions(ngramAccuracySchema, given, 'measureNgramTranslations');
  const model = await openModel(directory, options.from);
  const { tokenizer, facts, config } = model;
  const source = { from: options.from, to: options.to, path: options.table };
  const tables = await openNgramTables([source], tokenizer, specialIds(facts), options.maxNgram);
  const corpus = await tokenizeDocuments(texts, tokenizer);
  const length = Math.min(options.length ?? model.rowLength ?? 256, config.maxPositionEmbeddings);
  const rows = streamRows(corpus, length, endTokenOf(tokenizer)).slice(0, options.maxRows);
  const masked = rows.flatMap((ids, row) => {
    const wanted = Math.max(1, Math.round((ids.length - 1) * options.rate));
    const draws = createDraws(options.seed, 'accuracy', 0, row);
    const ngrams = chooseNgrams(ids, wanted, tables, tables.all, draws);
    return ngrams.length > 0 ? [{ ids, ngrams }] : [];
  });
  if (masked.length === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `None of the n-grams of ${options.table} was found in the ${texts.length} texts: give text in ${options.from}, or the table of that language.`,
    );
  }
  const program = await compileRanking(model, where);
  try {
    const hits: Hit[] = [];
    for (let from = 0; from < masked.length; from += rowsAtOnce) {
      hits.push(...(await measure(program, masked.slice(from, from + rowsAtOnce), model, tables.all[0])));
    }
    return summarize(hits);
  } finally {
    await program.dispose();
  }
}

async function openModel(directory: string, from: string) {
  const { architecture, config: raw, weights } = await readModelDirectory(directory);
  if (architecture !== xlm || !weights.get('pred_layer.proj.bias')) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${directory} is no xlm model with the head of a language model: give one that polybeam xlm pretrain made.`,
    );
  }
  const config = readXlmConfig(raw, `${directory}/config.json`);
  const idCounts = { inputIds: config.vocabSize };
  const tokenizer = await fitTokenizer(await loadTokenizer(directory), { idCounts }, directory);
  const facts = await readVocabularyFacts(tokenizer);
  const languages = languagesOfConfig(raw, [from]);
  const language = languages.get(from);
  if (!language) {
    throw new PolybeamError(
      'LANGUAGE_UNKNOWN',
      `${directory} has no language ${from}; it has ${[...languages.keys()].join(', ')}: correct from.`,
    );
  }
  return { config, rowLength: rowLengthOf(raw), weights, tokenizer, facts, language };
}

type OpenModel = Awaited<ReturnType<typeof openModel>>;

/** The likeliest tokens at masked n-grams, of those of translations and of all. */
function compileRanking({ config, weights }: OpenModel, where: AccuracyDevice): Promise<Program> {
  const signature = {
    ...rowSignature(config, { padded: false, bilingual: false }),
    readPositions: { type: 'int32', shape: ['masked'] },
    // Which n-gram each position is of, and how many there are.
    ngramOf: { type: 'int32', shape: ['masked'] },
    sizes: { type: 'float32', shape: ['ngrams'] },
    competing: { type: 'float32', shape: [config.vocabSize] },
  } as const;
  return compile(
    (inputs, p) => {
      const { readPositions, ngramOf, sizes, competing } = inputs;
      const probabilities = tf.softmax(logitsAt(p, config, inputs, readPositions));
      const sums = tf.unsortedSegmentSum(probabilities, ngramOf as tf.Tensor1D, sizes.shape[0]!);
      const mean = tf.div(sums, tf.expandDims(sizes, 1));
      const ranked = (x: tf.Tensor) => tf.topk(x, Math.min(mostTokens, config.vocabSize), true).indices;
      return { open: ranked(mean), translations: ranked(tf.mul(mean, competing)) };
    },
    signature,
    { ...where, weights },
  );
}

interface MaskedRow {
  ids: Int32Array;
  ngrams: readonly FoundNgram[];
}

interface Hit {
  words: number;
  accuracy: boolean;
  best: boolean;
  open: { accuracy: boolean; best: boolean };
}

async function measure(
  program: Program,
  rows: readonly MaskedRow[],
  { config, facts, language }: OpenModel,
  table: NgramTable,
): Promise<Hit[]> {
  const masked = rows.map(({ ids, ngrams }) => {
    const inputIds = Array.from(ids);
    for (const { from, to } of ngrams) inputIds.fill(facts.maskTokenId, from, to);
    return { inputIds };
  });
  const feeds = streamFeeds(masked, config, language as Language, facts.padTokenId);
  const length = feeds.inputIds.shape[1];
  const positions = rows.flatMap(({ ngrams }, row) =>
    ngrams.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => row * length + from + at)),
  );
  const ngrams = rows.flatMap((row) => row.ngrams);
  const sizes = ngrams.map(({ from, to }) => to - from);
  const values = Object.entries(feeds).map(([name, { shape, data }]): [string, Value] => [
    name,
    integers(shape, data as Int32Array),
  ]);
  const { open, translations } = await program.run({
    ...Object.fromEntries(values),
    readPositions: integers([positions.length], Int32Array.from(positions)),
    ngramOf: integers([positions.length], Int32Array.from(sizes.flatMap((size, at) => Array(size).fill(at)))),
    sizes: floats([sizes.length], Float32Array.from(sizes)),
    competing: floats([config.vocabSize], Float32Array.from(table.targetTokens)),
  });
  return ngrams.map(
    (ngram, at): Hit => ({
      words: ngram.words.length,
      ...translationHits(ngram, rankingOf(translations, at)),
      open: translationHits(ngram, rankingOf(open, at)),
    }),
  );
}

/** Tokens of an n-gram, likeliest first. */
function rankingOf({ data, shape }: Value, row: number): number[] {
  return Array.from(data.subarray(row * shape[1], (row + 1) * shape[1]));
}

function translationHits({ table, text }: FoundNgram, ranking: readonly number[]) {
  const hits = table.usable(text).map(({ ids }) => {
    const tokens = new Set(ids);
    return tokens.size <= mostTokens && ranking.slice(0, tokens.size).every((id) => tokens.has(id));
  });
  return { accuracy: hits.includes(true), best: hits[0] };
}

function summarize(hits: readonly Hit[]): NgramAccuracy {
  const share = (of: readonly Hit[], is: (hit: Hit) => boolean) => of.filter(is).length / of.length;
  const shares = (of: readonly Hit[]): NgramShares => ({
    ngrams: of.length,
    accuracy: share(of, ({ accuracy }) => accuracy),
    best: share(of, ({ best }) => best),
  });
  const lengths = [...new Set(hits.map(({ words }) => words))].sort((a, b) => a - b);
  return {
    ...shares(hits),
    open: { accuracy: share(hits, ({ open }) => open.accuracy), best: share(hits, ({ open }) => open.best) },
    byWords: Object.fromEntries(
      lengths.map((words) => [words, shares(hits.filter((hit) => hit.words === words))]),
    ),
  };
}
