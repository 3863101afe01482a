import { PolybeamError } from '../errors.js';
import { type Batches, type BatchingOptions, createBatches, type TokenPair } from '../training/batching.js';
import { permutation } from '../training/random.js';
import type { TrainBatch } from '../training/trainStep.js';
import { createDraws } from './draws.js';
import type { PretrainingObjective } from './objective.js';

/** One objective of a mixture. */
export interface MixedObjective {
  /** Unique in the mixture; part of what its random numbers depend on. */
  name: string;
  /** Share of the batches of its kind of data, beside the weights of the others. */
  weight: number;
  objective: PretrainingObjective;
}

/** What a mixture learns from. Pieces and pairs hold no special tokens. */
export interface PretrainingData {
  text?: readonly ArrayLike<number>[];
  pairs?: readonly TokenPair[];
}

/** How examples are grouped, and how many batches make up an update: those have one objective. */
export type PretrainingBatching = BatchingOptions & { accumulate: number };

/**
 * Batches of a mixture of objectives, corrupted anew in each epoch. Everything is a function of (data, options, epoch, index), so
 * that a run resumed in the middle of an epoch goes on with the very batches that an uninterrupted one has.
 * @throws INPUT_INVALID where an objective has no data that it can use
 */
export function createPretrainingBatches(
  data: PretrainingData,
  mixture: readonly MixedObjective[],
  options: PretrainingBatching,
): Batches {
  const parts = (['text', 'pairs'] as const).flatMap((kind) => {
    const own = mixture.filter(({ objective }) => objective.reads === kind);
    return own.length > 0 ? [batchesOf(examplesOf(data, kind, own), own, options)] : [];
  });
  if (parts.length === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      'No objective reads the held-out data: give data.validation for objectives that read text, data.validationPairs for pairs.',
    );
  }
  return parts.length === 1 ? parts[0] : interleave(parts, options);
}

function examplesOf(
  { text, pairs }: PretrainingData,
  kind: 'text' | 'pairs',
  mixture: readonly MixedObjective[],
): readonly TokenPair[] {
  const given = kind === 'text' ? text?.map((ids): TokenPair => ({ source: ids, target: ids })) : pairs;
  if (given && given.length > 0) return given;
  throw new PolybeamError(
    'INPUT_INVALID',
    `The objective ${mixture[0].name} learns from ${kind === 'text' ? 'running text' : 'pairs of texts'} and there is none: ` +
      `give data.${kind === 'text' ? 'train' : 'pairs'}.`,
  );
}

function batchesOf(
  examples: readonly TokenPair[],
  mixture: readonly MixedObjective[],
  options: PretrainingBatching,
): Batches {
  const { seed, accumulate, lengthMultiple } = options;
  const total = mixture.reduce((sum, { weight }) => sum + weight, 0);
  const choose = (epoch: number, index: number): MixedObjective => {
    let at = createDraws(seed, 'objective', epoch, Math.floor(index / accumulate)).uniform() * total;
    return (
      mixture.find(({ weight }) => {
        at -= weight;
        return at < 0;
      }) ?? mixture[mixture.length - 1]
    );
  };
  return createBatches(examples, options, ({ pairs, members, epoch, index }) => {
    const { name, objective } = choose(epoch, index);
    const batch = objective.batch(
      pairs.map(({ source, target }, i) => ({
        ids: source,
        pair: target,
        draws: createDraws(seed, name, epoch, members[i]),
      })),
      lengthMultiple,
    );
    return { ...batch, task: name };
  });
}

/**
 * Batches of several kinds of data, in random order, an update's batches together. What does not fill an update is left out of its
 * epoch; another epoch's order leaves out others.
 */
function interleave(parts: readonly Batches[], { seed, accumulate, shuffle }: PretrainingBatching): Batches {
  const sum = (of: (part: Batches) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    pairs: sum((part) => part.pairs),
    droppedLong: sum((part) => part.droppedLong),
    droppedEmpty: sum((part) => part.droppedEmpty),
    epoch(epoch) {
      const epochs = parts.map((part) => part.epoch(epoch));
      const groups = epochs.flatMap(({ count }, part) =>
        Array.from({ length: Math.floor(count / accumulate) }, (_, group) => ({
          part,
          first: group * accumulate,
        })),
      );
      const order = permutation(groups.length, seed, 'kinds', shuffle === false ? 0 : epoch);
      return {
        count: groups.length * accumulate,
        build(index): TrainBatch {
          const { part, first } = groups[order[Math.floor(index / accumulate)]];
          return epochs[part].build(first + (index % accumulate));
        },
      };
    },
  };
}
