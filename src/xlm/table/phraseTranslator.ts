import type { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import type { Device } from '../../engine/program.js';
import { PolybeamError } from '../../errors.js';
import { generate } from '../../generation/generate.js';
import { resolveGenerationOptions } from '../../generation/options.js';
import type { StepModel } from '../../generation/stepModel.js';
import {
  inputName,
  requireIntegerOption,
  requireObject,
  requireOptionNames,
  requireText,
  requireTexts,
} from '../../inputs.js';
import { loadParts } from '../../pretrained/loadModel.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { joinWords } from './joinWords.js';
import { createPhraseModel } from './phraseModel.js';
import { createSentence, type PhraseSentence } from './phraseStates.js';
import { bestSegmentation, findPhrases, type PhraseSearch, translates } from './phrases.js';
import { phraseOptionsSchema, phraseSearchSchema } from './phraseTranslatorOptions.js';
import type { PhraseOptions, PhraseSearchOptions } from './phraseTranslatorOptions.types.js';
import { splitIntoUnits } from './sourceUnits.js';
import { createTokenForms } from './tokenForms.js';
import { requireTable, type TranslationTable } from './translationTable.js';

export type { PhraseOptions, PhraseSearchOptions };

/** A translation phrase by phrase. */
export interface PhraseOutput {
  text: string;
  /** Natural logarithm of its probability by the table, weighted, and by the language model where there is one. */
  score: number;
}

/** A model that continues texts. */
export interface LanguageModel {
  steps: StepModel;
  tokenizer: Tokenizer;
  /** What its texts begin with, and what ends them. */
  startId: number;
  endId: number;
  dispose(): Promise<void>;
}

/**
 * Loads a model that continues texts (`gpt2`, `bert-generation` with its head). Its texts begin with the token that begins texts,
 * or where there is none with the one that ends them.
 *
 * @throws what `loadModel` throws; MODEL_CANNOT_GENERATE for another kind of model, TOKENIZER_MISSING, TOKENIZER_INVALID
 */
export async function loadLanguageModel(
  directory: string,
  options: { device?: Device; threads?: number } = {},
): Promise<LanguageModel> {
  const parts = await loadParts(directory, options);
  const { generation, tokenizer, dispose } = parts;
  try {
    if (!generation || generation.rules.decoderStartTokenId !== undefined) {
      throw new PolybeamError(
        'MODEL_CANNOT_GENERATE',
        `${directory} is no model that continues texts, as a language model does; give a directory of model_type gpt2.`,
      );
    }
    if (!tokenizer) {
      throw new PolybeamError(
        'TOKENIZER_MISSING',
        `${directory} has no tokenizer, by which the table's words become the model's tokens; copy it there.`,
      );
    }
    const endId = generation.rules.eosTokenIds[0] ?? tokenizer.specialIds.eos;
    if (endId === undefined) {
      throw new PolybeamError(
        'TOKENIZER_INVALID',
        `${directory} names no token that ends a text; set eos_token_id in its config.json.`,
      );
    }
    return { steps: generation.steps, tokenizer, startId: tokenizer.specialIds.bos ?? endId, endId, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/**
 * Translates a text by its most probable segmentation into phrases of the table, each by its most probable translation, in the order
 * of the source. Words that the table lacks stay, as do numbers and addresses as a whole (`splitIntoUnits`).
 *
 * @throws OPTION_UNKNOWN, OPTION_INVALID
 */
export function translateByTable(
  table: TranslationTable,
  text: string,
  options: PhraseOptions = {},
): PhraseOutput {
  requireTable(table);
  requireText(text, 'text');
  const search = phraseSearchOf(readOptions(phraseOptionsSchema, options, 'phrase translation'));
  const units = splitIntoUnits(text, (word) => translates(table, word));
  const { phrases, score } = bestSegmentation(units.length, findPhrases(table, units, search));
  return { text: joinWords(phrases.map(({ translations }) => translations[0].target)), score };
}

function phraseSearchOf({
  translations,
  copyProbability,
}: z.output<typeof phraseOptionsSchema>): PhraseSearch {
  return { translations, copyScore: Math.log(copyProbability) };
}

/** How texts are translated together. */
export interface PhraseRun {
  /** Texts searched for at once. Default 16. */
  batchSize?: number;
  /** Number of the first text among all, from 0, for callers that come in portions. Default 0. */
  firstIndex?: number;
  onProgress?: (done: number, total: number) => void;
  /** Ends the run with ABORTED. */
  signal?: AbortSignal;
}

/**
 * Translates texts by a table and a language model of the target language, through the beam search that serves every model: of all
 * segmentations, translations of their phrases, and orders within `reordering`, the one whose probability by both is the highest,
 * as far as the beam reaches.
 *
 * @throws OPTION_UNKNOWN, OPTION_INVALID, OPTION_CONFLICT; INPUT_INVALID for a text longer than the language model's positions; ABORTED
 */
export async function translateByPhrases(
  table: TranslationTable,
  model: LanguageModel,
  texts: readonly string[],
  given: PhraseSearchOptions = {},
  run: PhraseRun = {},
): Promise<PhraseOutput[]> {
  requireTable(table);
  requireObject(model, 'model', 'the parts of a language model, as loadLanguageModel gives it');
  requireOptionNames(run, ['batchSize', 'firstIndex', 'onProgress', 'signal'], 'A run of translateByPhrases');
  const { batchSize = 16, firstIndex = 0, onProgress, signal } = run;
  requireIntegerOption('batchSize', batchSize, 1);
  requireIntegerOption('firstIndex', firstIndex, 0);
  requireTexts(texts, 'texts', (index) => inputName(firstIndex + index));
  const options = resolvePhraseOptions(given);
  const search = phraseSearchOf(options);
  const sources = texts.map((text, index) => {
    const words = splitIntoUnits(text, (word) => translates(table, word));
    return { index, name: inputName(firstIndex + index), words, phrases: findPhrases(table, words, search) };
  });
  const outputs = texts.map((): PhraseOutput => ({ text: '', score: 0 }));
  const filled = sources.filter(({ words }) => words.length > 0);
  // Those of like length end together.
  filled.sort((a, b) => b.words.length - a.words.length);
  const tokensOf = createTokenForms(model.tokenizer);
  for (let at = 0; at < filled.length; at += batchSize) {
    const batch = filled.slice(at, at + batchSize);
    const known = await tokensOf(
      batch.flatMap(({ phrases }) =>
        phrases.flatMap(({ translations }) => translations.map(({ target }) => target)),
      ),
    );
    const sentences = batch.map(({ words, phrases }) =>
      createSentence(words.length, phrases, known, {
        weight: options.tableWeight,
        reordering: options.reordering,
        jumpPenalty: options.jumpPenalty,
        endId: model.endId,
      }),
    );
    refuseLong(batch, sentences, model);
    const found = await searchSentences(model, sentences, options, signal);
    batch.forEach(({ index }, slot) => {
      outputs[index] = found[slot];
    });
    onProgress?.(texts.length - filled.length + at + batch.length, texts.length);
  }
  return outputs;
}

type ResolvedOptions = z.output<typeof phraseOptionsSchema> & Required<z.output<typeof phraseSearchSchema>>;

/** Checks options and fills in the defaults. @throws OPTION_UNKNOWN, OPTION_INVALID, OPTION_CONFLICT */
export function resolvePhraseOptions(given: PhraseSearchOptions): ResolvedOptions {
  const schema = phraseOptionsSchema.extend(phraseSearchSchema.shape);
  const { jumpPenalty, ...options } = readOptions(schema, given, 'phrase translation');
  if (jumpPenalty !== undefined && options.reordering === 0) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `jumpPenalty ${jumpPenalty} has no effect with reordering 0, which knows no jumps: raise reordering, or leave it out.`,
    );
  }
  return { ...options, jumpPenalty: jumpPenalty ?? 0.5 };
}

function refuseLong(
  batch: readonly { name: string; words: readonly unknown[] }[],
  sentences: readonly PhraseSentence[],
  { steps }: LanguageModel,
): void {
  const slot = sentences.findIndex(({ longest }) => longest >= steps.maxPositions);
  if (slot < 0) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${batch[slot].name} has ${batch[slot].words.length} words, which may become ${sentences[slot].longest} tokens, and the language model has ${steps.maxPositions} positions; split it.`,
  );
}

async function searchSentences(
  { steps, startId, endId }: LanguageModel,
  sentences: readonly PhraseSentence[],
  { numBeams, wordReward }: ResolvedOptions,
  signal: AbortSignal | undefined,
): Promise<PhraseOutput[]> {
  const maxNewTokens = Math.max(...sentences.map(({ longest }) => longest));
  const options = resolveGenerationOptions({
    numBeams,
    maxNewTokens,
    ...(wordReward !== 0 ? { wordReward } : numBeams > 1 ? { lengthPenalty: 0 } : {}),
    ...(signal && { signal }),
  });
  const rules = { decoderStartTokenId: startId, eosTokenIds: [endId], padTokenId: endId };
  const inputs = sentences.map((_, place) => ({ inputIds: [place] }));
  const found = await generate(createPhraseModel(steps, sentences), inputs, options, rules, {
    batchSize: sentences.length,
  });
  return found.map(({ sequences: [{ ids, score }] }, slot) => ({
    // The table's own spelling: a tokenizer may have unknown tokens for it.
    text: joinWords(sentences[slot].targetsOf(ids)),
    score: score + sentences[slot].start.value,
  }));
}
