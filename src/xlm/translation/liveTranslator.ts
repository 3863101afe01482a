import type { EncoderDecoder } from '../../decoder/encoderDecoder.js';
import { createStepModel } from '../../decoder/stepModel.js';
import type { CompileOptions } from '../../engine/program.js';
import { createInterruption } from '../../generation/abort.js';
import type { ForcedWords } from '../../generation/constraints.js';
import { generate } from '../../generation/generate.js';
import { type GenerationOptions, resolveGenerationOptions } from '../../generation/options.js';
import type { TrainStep } from '../../training/trainStep.js';
import type { Direction } from './languageCodes.js';

/** Ids that a translator is made with. */
export interface TranslatorIds {
  padTokenId: number;
  /** Ends texts, begins what the decoder reads, and stands before and behind a source. */
  eosTokenId: number;
  /** Token of each language. */
  languages: ReadonlyMap<string, number>;
}

/** What the encoder reads of a text: target language, source language, `</s>`, the text, `</s>`. */
export function sourceOf(
  text: ArrayLike<number>,
  { from, to }: Direction,
  { languages, eosTokenId }: TranslatorIds,
): number[] {
  return [languages.get(to)!, languages.get(from)!, eosTokenId, ...Array.from(text), eosTokenId];
}

/** Translates with the weights that a training step has at the moment. */
export interface LiveTranslator {
  /**
   * Translates texts, all of one language.
   * @param texts ids without special tokens
   * @param options of generation; maxNewTokens by default as `translationLimit` bounds it
   * @param more forceWordsIds: for each text what its translation must contain
   * @returns ids without special tokens at their ends
   */
  translate(
    texts: readonly ArrayLike<number>[],
    direction: Direction,
    options: GenerationOptions,
    more?: { signal?: AbortSignal; forceWordsIds?: readonly ForcedWords[] },
  ): Promise<number[][]>;
  /** Frees the programs. */
  release(): Promise<void>;
}

/** Sentences decoded together at most. */
const largestBatch = 64;

/**
 * Tokens of the longest text that a model can read and write, special tokens not counted.
 * @param lengthMultiple padded lengths are multiples of this, and must fit too
 */
export function textRoom(
  { maxSource, maxTarget }: Pick<EncoderDecoder, 'maxSource' | 'maxTarget'>,
  lengthMultiple: number,
): number {
  const padded = (positions: number) => Math.floor(positions / lengthMultiple) * lengthMultiple;
  // Two languages and two </s> are read with it, one </s> is written.
  return Math.min(padded(maxSource) - 4, padded(maxTarget) - 1);
}

/** Tokens that a translation of a text may have, as the paper's program bounds them: int(1.3 n + 5), n with both `</s>`. */
export function translationLimit(longest: number, room: number): number {
  return Math.min(room, Math.floor(1.3 * (longest + 2) + 5));
}

/**
 * A translator that shares its weights with a step: its programs are compiled once and are fed the step's present buffers at each
 * run, so that an update costs it nothing.
 * @param room tokens of a translation at most: see `textRoom`
 */
export function createLiveTranslator(
  decoder: EncoderDecoder,
  step: Pick<TrainStep, 'weightValue'>,
  ids: TranslatorIds,
  room: number,
  compile: Pick<CompileOptions, 'device' | 'threads'>,
): LiveTranslator {
  const { padTokenId, eosTokenId } = ids;
  const model = createStepModel(decoder, { ...compile, weightValue: step.weightValue });
  const rules = { decoderStartTokenId: eosTokenId, eosTokenIds: [eosTokenId], padTokenId };
  return {
    translate: async (texts, direction, options, { signal, forceWordsIds } = {}) => {
      const interrupt = createInterruption(signal, 'translation');
      const results: number[][] = [];
      // Those of like length together: a batch takes as many steps as its longest output.
      const order = texts.map((_, index) => index).sort((a, b) => texts[b].length - texts[a].length);
      for (let at = 0; at < order.length; at += largestBatch) {
        await interrupt();
        const indices = order.slice(at, at + largestBatch);
        const inputs = indices.map((index) => ({
          inputIds: sourceOf(texts[index], direction, ids),
          ...(forceWordsIds?.[index].length && { forceWordsIds: forceWordsIds[index] }),
        }));
        const maxNewTokens = translationLimit(texts[indices[0]].length, room);
        const resolved = resolveGenerationOptions({ maxNewTokens, ...options });
        const batching = { batchSize: largestBatch, firstIndex: at };
        const outputs = await generate(model, inputs, resolved, rules, batching);
        indices.forEach((index, i) => {
          const { ids: written } = outputs[i].sequences[0];
          results[index] = written.at(-1) === eosTokenId ? written.slice(0, -1) : written;
        });
      }
      return results;
    },
    release: () => model.release(),
  };
}
