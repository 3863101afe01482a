import type { XlmConfig } from '../../encoder/xlm.js';
import type { Example } from '../../pretraining/objective.js';
import type { VocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import type { Objective } from '../../training/step.js';
import type { TrainBatch } from '../../training/trainStep.js';

/** A language of a model. */
export interface Language {
  code: string;
  /** Its row among the embeddings of languages. */
  number: number;
}

/** What an objective is made for. */
export interface XlmContext {
  model: XlmConfig;
  facts: VocabularyFacts;
  tokenizer: Tokenizer;
  /** Stands at the beginning of each row and behind each sentence. */
  endToken: number;
  /** By code. */
  languages: ReadonlyMap<string, Language>;
  /** How often each token stands in the training texts, by id. */
  counts: Float64Array;
  labelSmoothing: number;
  /** Told once what is worth knowing. */
  note(text: string): void;
}

/** Makes batches of examples. @param lengthMultiple padded lengths are multiples of this */
export type MakeBatch = (examples: readonly Example[], lengthMultiple: number) => TrainBatch;

/** An objective of XLM pre-training made concrete for a model and a vocabulary. */
export interface XlmObjective {
  /** What it wants: rows of a language's stream (`ids` of an example), or pairs of sentences (`ids` and `pair`, as they are tokenized). */
  reads: 'streams' | 'pairs';
  /** One program for all languages. */
  loss: Objective;
  /** Given all rows that are learned from, by language, before the first batch. */
  prepare?(streams: ReadonlyMap<string, readonly ArrayLike<number>[]>): Promise<void>;
  /** Tells whether what was prepared is what an earlier part of the run had. */
  fingerprint?(): string;
  /** How batches in a language, or of pairs in two, are made; undefined where nothing can be learned there. */
  batches(languages: readonly Language[]): MakeBatch | undefined;
}
