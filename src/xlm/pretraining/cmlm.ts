import * as tf from '@tensorflow/tfjs-core';
import type { XlmConfig } from '../../encoder/xlm.js';
import { PolybeamError } from '../../errors.js';
import type { Draws } from '../../pretraining/draws.js';
import { replaceToken } from '../../pretraining/masking.js';
import { type Example, listFeed } from '../../pretraining/objective.js';
import { digest } from '../../training/random.js';
import type { Objective } from '../../training/step.js';
import type { TrainBatch, TrainFeed } from '../../training/trainStep.js';
import { alignedNegativeLogLikelihood, noCell } from './alignedLoss.js';
import { type Aligner, alignBySimilarity, alignUniformly, wordsOfTokens } from './alignment.js';
import { streamFeeds } from './batch.js';
import type { CmlmOptions } from './cmlmOptions.js';
import { logitsAt, rowSignature } from './loss.js';
import {
  chooseNgrams,
  coverage,
  drawTranslation,
  type FoundNgram,
  type NgramTable,
  type NgramTables,
  openNgramTables,
  specialIds,
} from './ngramTables.js';
import type { Language, XlmContext, XlmObjective } from './objective.js';

/** A token to predict, and the positions where it may be. */
export interface AlignedToken {
  label: number;
  /** Positions of the row, and the logarithm of each one's alignment probability. */
  positions: number[];
  logWeights: number[];
  /** Of its loss. */
  weight: number;
}

/** A row with masked n-grams. */
export interface CmlmRow {
  inputIds: number[];
  /** Positions whose hidden states reach the vocabulary projection, ascending. */
  read: number[];
  targets: AlignedToken[];
  ngrams: number;
}

/** What rows are made with. */
export interface CmlmParts {
  context: Pick<XlmContext, 'facts'>;
  options: CmlmOptions;
  tables: Pick<NgramTables, 'words'>;
  align: Aligner;
}

/**
 * CMLM as an objective: of n-grams in the stream of a language that have entries in a translation table all tokens are masked, and the
 * tokens of a translation, drawn by its probability, are predicted there; which at which position is left open (`alignedLoss.ts`).
 */
export function cmlm(context: XlmContext, options: CmlmOptions): XlmObjective {
  let prepared: { tables: NgramTables; align: Aligner } | undefined;
  const tablesFrom = (language: Language): NgramTable[] =>
    (prepared?.tables.all ?? []).filter(({ source }) => source.from === language.code);
  return {
    reads: 'streams',
    loss: cmlmLoss(context.model),
    prepare: async (streams) => {
      prepared = await prepare(context, options, streams);
    },
    fingerprint: () => digest(prepared!.tables.all.map(({ fingerprint }) => fingerprint).join()),
    batches: ([language]) => {
      const own = tablesFrom(language);
      if (!prepared || own.length === 0) return undefined;
      const parts: CmlmParts = { context, options, ...prepared };
      return (examples) => {
        const rows = examples.map((example) => cmlmRow(example, own, parts));
        return cmlmBatch(withSomeTarget(rows, examples, context, options), context, language, options);
      };
    },
  };
}

async function prepare(
  { tokenizer, facts, languages, note }: XlmContext,
  options: CmlmOptions,
  streams: ReadonlyMap<string, readonly ArrayLike<number>[]>,
): Promise<{ tables: NgramTables; align: Aligner }> {
  refuseTables(options, languages, streams);
  const tables = await openNgramTables(options.tables, tokenizer, specialIds(facts), options.maxNgram);
  for (const table of tables.all) {
    const { from, to, path } = table.source;
    const share = coverage(sample(streams.get(from)!), tables, [table]);
    if (share === 0) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `None of the ${table.usableSize} n-grams of ${path} was found in the text of ${from}: give the table that was built for this language and spelling.`,
      );
    }
    note(
      `table ${from}-${to}: ${table.usableSize} of ${table.size} n-grams have translations in known tokens, and ${(100 * share).toFixed(1)} % of the tokens of ${from} lie in them`,
    );
  }
  if (!options.vectors) return { tables, align: alignUniformly };
  const words = wordsByLanguage(tables.all);
  return { tables, align: await alignBySimilarity(options.vectors, options.temperature, words) };
}

/** The words that alignment may be asked for. */
function wordsByLanguage(tables: readonly NgramTable[]): ReadonlyMap<string, ReadonlySet<string>> {
  const words = new Map<string, Set<string>>();
  const add = (language: string, more: ReadonlySet<string>) => {
    const known = words.get(language) ?? new Set();
    for (const word of more) known.add(word);
    words.set(language, known);
  };
  for (const { source, sourceWords, targetWords } of tables) {
    add(source.from, sourceWords);
    add(source.to, targetWords);
  }
  return words;
}

/** Rows that are enough to tell whether a table is of use. */
function sample(rows: readonly ArrayLike<number>[]): ArrayLike<number>[] {
  const most = 400;
  const step = Math.max(1, Math.floor(rows.length / most));
  return rows.filter((_, at) => at % step === 0);
}

function refuseTables(
  { tables, vectors }: CmlmOptions,
  languages: XlmContext['languages'],
  streams: ReadonlyMap<string, unknown>,
): void {
  const known = [...languages.keys()].join(', ');
  const needless = Object.keys(vectors ?? {}).find((code) =>
    tables.every(({ from, to }) => from !== code && to !== code),
  );
  if (needless !== undefined) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `cmlm: vectors has a file for ${needless}, and no table is from or to it: leave it out, or correct the code.`,
    );
  }
  for (const { from, to, path } of tables) {
    const unknown = [from, to].find((code) => !languages.has(code));
    if (unknown !== undefined) {
      throw new PolybeamError(
        'LANGUAGE_UNKNOWN',
        `cmlm: the model has no language ${unknown}, which the table ${path} is for; it has ${known}: correct from and to.`,
      );
    }
    if (!streams.has(from)) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `cmlm: there is no text in ${from} to mask the n-grams of ${path} in: give data.train.${from}, or leave the table out.`,
      );
    }
    const bare = vectors && [from, to].find((code) => !(code in vectors));
    if (bare !== undefined) {
      throw new PolybeamError(
        'CONFIG_INVALID',
        `cmlm: vectors has no file for ${bare}, which the table ${path} is for: give one for each language of the tables, or leave vectors out.`,
      );
    }
  }
}

/** Masks n-grams of a row, and single tokens where `mlmShare` wants some. */
export function cmlmRow({ ids, draws }: Example, tables: readonly NgramTable[], parts: CmlmParts): CmlmRow {
  const { options, context } = parts;
  const wanted = Math.max(1, Math.round((ids.length - 1) * options.rate));
  const single = Math.round(wanted * options.mlmShare);
  const ngrams = chooseNgrams(ids, wanted - single, parts.tables, tables, draws);
  const targets = ngrams.flatMap((ngram) => alignedTokens(ngram, parts, draws));
  const masked = new Set(ngrams.flatMap(({ from, to }) => range(from, to)));
  for (const at of singles(ids.length, single, masked, draws)) {
    targets.push({ label: ids[at], positions: [at], logWeights: [0], weight: options.mlmWeight });
    masked.add(at);
  }
  const inputIds = Array.from(ids);
  const places = [...masked].sort((a, b) => a - b);
  for (const at of places) inputIds[at] = replaceToken(ids[at], options.replacement, context.facts, draws);
  const read = options.nullProbability > 0 && ngrams.length > 0 ? [0, ...places] : places;
  return { inputIds, read, targets, ngrams: ngrams.length };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

/** Tokens of a translation that is drawn, and where each may be. */
function alignedTokens(ngram: FoundNgram, { options, align }: CmlmParts, draws: Draws): AlignedToken[] {
  const { ids, words } = drawTranslation(ngram, draws);
  const { nullProbability } = options;
  const masked = wordsOfTokens(ngram.words, ngram.from, ngram.to);
  const positions = range(ngram.from, ngram.to);
  return ids.map((label, j) => {
    const logWeights = align(masked, words[j], ngram.table.source);
    if (nullProbability === 0) return { label, positions, logWeights, weight: 1 };
    const rest = Math.log(1 - nullProbability);
    return {
      label,
      positions: [0, ...positions],
      logWeights: [Math.log(nullProbability), ...logWeights.map((weight) => weight + rest)],
      weight: 1,
    };
  });
}

/** Positions to predict as they are: not the first, and none that is masked already. */
function singles(length: number, count: number, masked: ReadonlySet<number>, draws: Draws): number[] {
  if (count === 0) return [];
  const free = range(1, length).filter((at) => !masked.has(at));
  const chosen: number[] = [];
  while (chosen.length < count && free.length > 0) {
    const [at] = free.splice(draws.below(free.length), 1);
    chosen.push(at);
  }
  return chosen;
}

/** A batch needs something to predict: where no row has an n-gram, one token of the first is. */
function withSomeTarget(
  rows: readonly CmlmRow[],
  examples: readonly Example[],
  { facts }: XlmContext,
  { mlmWeight: weight }: CmlmOptions,
): readonly CmlmRow[] {
  if (rows.some(({ targets }) => targets.length > 0)) return rows;
  const [{ ids, draws }] = examples;
  const at = 1 + draws.below(ids.length - 1);
  const inputIds = Array.from(ids);
  inputIds[at] = facts.maskTokenId;
  const only = {
    inputIds,
    read: [at],
    targets: [{ label: ids[at], positions: [at], logWeights: [0], weight }],
    ngrams: 0,
  };
  return [only, ...rows.slice(1)];
}

/** Feeds of `cmlmLoss`: one program serves n-grams and translations of any number and length. */
export function cmlmBatch(
  rows: readonly CmlmRow[],
  { model, facts }: Pick<XlmContext, 'model' | 'facts'>,
  language: Language,
  { lengthProbability }: Pick<CmlmOptions, 'lengthProbability'>,
): TrainBatch {
  const feeds = streamFeeds(rows, model, language, facts.padTokenId);
  const length = feeds.inputIds.shape[1];
  const width = Math.max(...rows.flatMap(({ targets }) => targets.map(({ positions }) => positions.length)));
  const count = rows.reduce((sum, { targets }) => sum + targets.length, 0);
  const cellRows = new Int32Array(count * width);
  const cellWeights = new Float32Array(count * width).fill(noCell);
  const weights = new Float32Array(count);
  const read: number[] = [];
  const labels: number[] = [];
  rows.forEach((row, index) => {
    const placeOf = new Map(row.read.map((at, place) => [at, read.length + place]));
    for (const at of row.read) read.push(index * length + at);
    for (const { label, positions, logWeights, weight } of row.targets) {
      const first = labels.length * width;
      positions.forEach((at, cell) => {
        cellRows[first + cell] = placeOf.get(at)!;
        cellWeights[first + cell] = logWeights[cell];
      });
      weights[labels.length] = weight;
      labels.push(label);
    }
  });
  const ngrams = rows.reduce((sum, row) => sum + row.ngrams, 0);
  const matrix = (data: Int32Array | Float32Array): TrainFeed => ({
    dtype: data instanceof Int32Array ? 'int32' : 'float32',
    shape: [count, width],
    data,
  });
  return {
    feeds: {
      ...feeds,
      readPositions: listFeed(read),
      labels: listFeed(labels),
      cellRows: matrix(cellRows),
      cellWeights: matrix(cellWeights),
      weights: { dtype: 'float32', shape: [count], data: weights },
      lengthLoss: {
        dtype: 'float32',
        shape: [],
        data: Float32Array.of(-ngrams * Math.log(lengthProbability)),
      },
    },
    sentences: rows.length,
    sourceTokens: rows.reduce((sum, { inputIds }) => sum + inputIds.length, 0),
    targetTokens: count,
  };
}

/**
 * The loss of aligned tokens. An evaluation counts as `correct` those that are the likeliest at a position where they may be.
 */
export function cmlmLoss(model: XlmConfig): Objective {
  const of = (
    logits: tf.Tensor,
    { labels, cellRows, cellWeights, weights, lengthLoss }: Record<string, tf.Tensor>,
  ) => {
    const targets = { labels, rows: cellRows, logWeights: cellWeights };
    const losses = alignedNegativeLogLikelihood(logits, targets);
    return { lossSum: tf.add(tf.sum(tf.mul(losses, weights)), lengthLoss), nllSum: tf.sum(losses) };
  };
  return {
    signature: {
      ...rowSignature(model, { padded: false, bilingual: false }),
      readPositions: { type: 'int32', shape: ['masked'] },
      labels: { type: 'int32', shape: ['tokens'] },
      cellRows: { type: 'int32', shape: ['tokens', 'width'] },
      cellWeights: { type: 'float32', shape: ['tokens', 'width'] },
      weights: { type: 'float32', shape: ['tokens'] },
      lengthLoss: { type: 'float32', shape: [] },
    },
    loss: (p, inputs, dropout) => of(logitsAt(p, model, inputs, inputs.readPositions, dropout), inputs),
    evaluate: (p, inputs) => {
      const logits = logitsAt(p, model, inputs, inputs.readPositions);
      const best = tf.gather(tf.cast(tf.argMax(logits, -1), 'int32'), inputs.cellRows as tf.Tensor1D);
      const right = tf.logicalAnd(
        tf.equal(best, tf.expandDims(inputs.labels, 1)),
        tf.greater(inputs.cellWeights, noCell / 2),
      );
      return { ...of(logits, inputs), correct: tf.sum(tf.max(tf.cast(right, 'float32'), -1)) };
    },
  };
}
