import type { Batches, EpochBatches } from '../../training/batching.js';
import { permutation } from '../../training/random.js';

/** Batches of one objective on the texts of one language, or of a pair of them. */
export interface Lane {
  /** Unique; the batches' random numbers depend on it. */
  name: string;
  /** What it learns from; lanes that read the same texts name the same. */
  texts: string;
  /** Share of the updates; all lanes together have 1. */
  share: number;
  /** Epochs of its own; any number names one. */
  batches: Batches;
}

/** Rounds of a lane within an epoch have numbers this far apart. */
const roundStep = 0x10000;

/**
 * Batches of several lanes, each with its share of the updates. An epoch has as many updates as it takes to see all texts once; a
 * lane whose share is larger than that goes through its texts again, another gets a part of them, another one each time. Which
 * lane is when is a permutation of the epoch. Everything is a function of (lanes, options, epoch, index).
 * @param options accumulate: batches of an update, which are all of one lane
 */
export function createLaneBatches(
  lanes: readonly Lane[],
  { seed, accumulate }: { seed: number; accumulate: number },
): Batches {
  const distinct = [...new Map(lanes.map((lane) => [lane.texts, lane.batches])).values()];
  const sum = (of: (batches: Batches) => number) =>
    distinct.reduce((total, batches) => total + of(batches), 0);
  const batchesOfAll = sum((batches) => batches.epoch(0).count);
  // At least one update for the lane with the largest share.
  const updates = Math.max(lanes.length, Math.ceil(batchesOfAll / accumulate));
  let planned: { epoch: number; batches: EpochBatches } | undefined;
  return {
    pairs: sum(({ pairs }) => pairs),
    droppedLong: sum(({ droppedLong }) => droppedLong),
    droppedEmpty: sum(({ droppedEmpty }) => droppedEmpty),
    epoch(epoch) {
      if (planned?.epoch !== epoch)
        planned = { epoch, batches: epochOf(lanes, epoch, updates, seed, accumulate) };
      return planned.batches;
    },
  };
}

function epochOf(
  lanes: readonly Lane[],
  epoch: number,
  updates: number,
  seed: number,
  accumulate: number,
): EpochBatches {
  const turns = lanes.flatMap((lane) => {
    // Rounded over all epochs, so that a small share gets its turn in some of them.
    const until = (epochs: number) => Math.floor(epochs * updates * lane.share + 0.5);
    const own = laneBatches(lane.batches, epoch);
    return Array.from({ length: until(epoch + 1) - until(epoch) }, (_, turn) => ({
      own,
      first: turn * accumulate,
    }));
  });
  const order = permutation(turns.length, seed, 'lanes', epoch);
  return {
    count: turns.length * accumulate,
    build(index) {
      const { own, first } = turns[order[Math.floor(index / accumulate)]];
      return own(first + (index % accumulate));
    },
  };
}

/** The batches of a lane in an epoch of all: round after round through its texts, each in an order of its own. */
function laneBatches(batches: Batches, epoch: number): (index: number) => ReturnType<EpochBatches['build']> {
  const rounds: EpochBatches[] = [];
  return (index) => {
    let left = index;
    for (let round = 0; ; round++) {
      rounds[round] ??= batches.epoch((epoch + round * roundStep) >>> 0);
      if (left < rounds[round].count) return rounds[round].build(left);
      left -= rounds[round].count;
    }
  };
}
