import * as tf from '@tensorflow/tfjs-core';
import type { EncoderDecoder } from '../../decoder/encoderDecoder.js';
import { denoisingBatch, denoisingLoss } from '../../pretraining/denoisingLoss.js';
import { createDraws } from '../../pretraining/draws.js';
import { type MassOptions, massRow } from '../../pretraining/mass.js';
import type { VocabularyFacts } from '../../pretraining/vocabularyFacts.js';
import type { Batches, PaddedPairs, TokenPair } from '../../training/batching.js';
import { collatePairs, sequenceToSequence } from '../../training/sequenceToSequence.js';
import type { Objective } from '../../training/step.js';
import type { TrainBatch } from '../../training/trainStep.js';
import type { Direction } from './languageCodes.js';
import { sourceOf, type TranslatorIds } from './liveTranslator.js';
import { addNoise, type NoiseOptions } from './noise.js';
import {
  objectiveOf,
  type Rounds,
  type RoundsOfEpoch,
  streamSeed,
  type TaskBatch,
  type TranslationObjective,
} from './tasks.js';

/** Where a batch stands in its run. */
export interface BatchPlace {
  /** Counted from the beginning of the run. */
  round: number;
  /** For random numbers: a function of the task and of the batch's place in the run. */
  seed: number;
}

/**
 * Translates texts of `direction.from` for back-translation.
 * @param texts ids without special tokens
 * @returns the same of the translations
 */
export type Generate = (
  texts: readonly ArrayLike<number>[],
  direction: Direction,
  place: BatchPlace,
) => Promise<number[][]>;

/** What batches are made with. */
export interface TranslationBatching {
  seed: number;
  ids: TranslatorIds;
  noise: NoiseOptions;
  mass: MassOptions;
  facts: VocabularyFacts;
  /** Lengths are padded to multiples of this. */
  lengthMultiple: number;
  /** Whether the batches of a round that are of one objective make up one update together; otherwise each is one. */
  summed: boolean;
  generate: Generate;
}

/** Objectives whose losses have a weight, which comes with the batch. */
export function translationObjectives(
  model: EncoderDecoder,
  labelSmoothing: number,
): Record<TranslationObjective, Objective> {
  return {
    translation: weighted(sequenceToSequence(model, labelSmoothing)),
    mass: weighted(denoisingLoss(model, labelSmoothing)),
  };
}

function weighted({ signature, loss }: Objective): Objective {
  return {
    signature: { ...signature, lossWeight: { type: 'float32', shape: [] } },
    loss: (p, inputs, dropout) => {
      const { lossSum, nllSum } = loss(p, inputs, dropout);
      return { lossSum: tf.mul(lossSum, inputs.lossWeight), nllSum };
    },
  };
}

/**
 * The batches of a run. Those of back-translation are made when they are asked for, with the weights of that moment, so that a run
 * which goes on from a checkpoint makes the same.
 */
export function translationBatches(
  rounds: Rounds,
  options: TranslationBatching,
): Batches<TrainBatch | Promise<TrainBatch>> {
  return {
    pairs: rounds.examples,
    droppedLong: rounds.droppedLong,
    droppedEmpty: 0,
    epoch: (epoch) => {
      const planned = rounds.epoch(epoch);
      return {
        count: planned.count,
        build: (index) => makeBatch(planned, index, options),
        ...(options.summed && {
          groupSize: (index: number) => {
            const { first, size } = planned.place(index);
            return first + size - index;
          },
        }),
      };
    },
  };
}

function makeBatch(
  rounds: RoundsOfEpoch,
  index: number,
  options: TranslationBatching,
): TrainBatch | Promise<TrainBatch> {
  const batch = rounds.batch(index);
  const weight = batch.weight * (options.summed ? shareOf(rounds, index) : 1);
  const { task, name, padded } = batch;
  const finish = (made: TrainBatch, generation = 0): TrainBatch => ({
    ...made,
    feeds: { ...made.feeds, lossWeight: { dtype: 'float32', shape: [], data: Float32Array.of(weight) } },
    task: objectiveOf(task),
    kind: name,
    seconds: { generation },
  });
  if (task.type === 'mass') return finish(massBatch(padded, task.language, name, options));
  if (task.type === 'denoise') {
    const { language } = task;
    return finish(collate(noisyPairs(padded, name, options), { from: language, to: language }, options));
  }
  if (task.type === 'translate') return finish(collate(padded.pairs, task.direction, options));
  return generatedPairs(batch, task.direction, rounds.place(index).round, options).then(
    ({ pairs, seconds }) => finish(collate(pairs, task.direction, options), seconds),
  );
}

/**
 * What makes a sum of losses over all tokens of an update a sum of means: the update divides by all its tokens, so a batch counts by
 * them over its own.
 */
function shareOf(rounds: RoundsOfEpoch, index: number): number {
  const { first, size } = rounds.place(index);
  const tokens = (at: number) =>
    rounds.batch(at).padded.pairs.reduce((sum, { target }) => sum + target.length + 1, 0);
  let all = 0;
  for (let at = first; at < first + size; at++) all += tokens(at);
  return all / tokens(index);
}

function noisyPairs(
  { pairs, members, epoch }: PaddedPairs,
  name: string,
  { seed, noise, facts }: TranslationBatching,
): TokenPair[] {
  return pairs.map(({ source, target }, at) => ({
    source: addNoise(source, noise, facts, createDraws(seed, name, epoch, members[at])),
    target,
  }));
}

function massBatch(
  { pairs, members, epoch }: PaddedPairs,
  language: string,
  name: string,
  { seed, mass, facts, ids, lengthMultiple }: TranslationBatching,
): TrainBatch {
  // What stands before a text is never masked, and cross-attention looks at no mask.
  const token = ids.languages.get(language)!;
  const around = {
    ...facts,
    prefix: [token, token, ids.eosTokenId],
    suffix: [ids.eosTokenId],
    decoderStartTokenId: ids.eosTokenId,
  };
  const rows = pairs.map(({ source }, at) =>
    massRow({ ids: source, draws: createDraws(seed, name, epoch, members[at]) }, around, mass),
  );
  return denoisingBatch(rows, ids, lengthMultiple);
}

/** Translations of texts into the language that the direction comes from, as sources of them. */
async function generatedPairs(
  { name, padded }: TaskBatch,
  { from, to }: Direction,
  round: number,
  { seed, generate }: TranslationBatching,
): Promise<{ pairs: TokenPair[]; seconds: number }> {
  const started = performance.now();
  const texts = padded.pairs.map(({ target }) => target);
  const place = { round, seed: streamSeed(seed, name, padded.epoch, padded.index) };
  const written = await generate(texts, { from: to, to: from }, place);
  return {
    pairs: texts.map((target, at) => ({ source: written[at], target })),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Pairs without special tokens as encoder and decoder read them. */
function collate(
  given: readonly TokenPair[],
  direction: Direction,
  { ids, lengthMultiple }: TranslationBatching,
): TrainBatch {
  const pairs = given.map(({ source, target }) => ({
    source: sourceOf(source, direction, ids),
    target: [...Array.from(target), ids.eosTokenId],
  }));
  const longest = (side: 'source' | 'target') =>
    Math.ceil(pairs.reduce((length, pair) => Math.max(length, pair[side].length), 0) / lengthMultiple) *
    lengthMultiple;
  return collatePairs(
    { pairs, sourceLength: longest('source'), targetLength: longest('target') },
    { padTokenId: ids.padTokenId, decoderStartTokenId: ids.eosTokenId },
  );
}
