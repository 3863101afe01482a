import { PolybeamError } from '../../errors.js';
import {
  type BatchingOptions,
  createBatches,
  type PaddedPairs,
  type TokenPair,
} from '../../training/batching.js';
import { hashString, threefry } from '../../training/random.js';
import { type Direction, directionName } from './languageCodes.js';
import { type WeightSchedule, weightAt } from './lossWeight.js';

/** What a batch of a translator is for. */
export type TranslationTask =
  /** Restore texts of a language that were damaged. */
  | { type: 'denoise'; language: string }
  /** Write a fragment of a text that the encoder does not see (MASS). */
  | { type: 'mass'; language: string }
  /** Translate in a direction, from translations that the model itself makes of texts in `to`. */
  | { type: 'backTranslate'; direction: Direction }
  /** Translate pairs. */
  | { type: 'translate'; direction: Direction };

/** Objectives of a translator by name; each is one program for all languages. */
export type TranslationObjective = 'translation' | 'mass';

/** Denoising, back-translation and pairs are all translation. */
export function objectiveOf(task: TranslationTask): TranslationObjective {
  return task.type === 'mass' ? 'mass' : 'translation';
}

/** A task, what it learns from, and how much it counts. */
export interface WeightedTask {
  task: TranslationTask;
  /** Texts are pairs of one and the same. */
  examples: readonly TokenPair[];
  weight: WeightSchedule;
  /** Batches in a round, on average. Default 1. */
  rate?: number;
}

/** A task's name in logs and for random numbers: `denoise en`, `mass en`, `back en-fr`, `translate en-fr`. */
export function taskName(task: TranslationTask): string {
  if ('language' in task) return `${task.type} ${task.language}`;
  return `${task.type === 'translate' ? 'translate' : 'back'} ${directionName(task.direction)}`;
}

/** One batch to make. */
export interface TaskBatch {
  task: TranslationTask;
  name: string;
  /** What its loss is multiplied by. */
  weight: number;
  padded: PaddedPairs;
}

/** One epoch of a mixture of tasks: rounds, each a batch of every task whose weight is not 0. */
export interface RoundsOfEpoch {
  /** Batches. */
  count: number;
  batch(index: number): TaskBatch;
  /**
   * The round of a batch, counted from the beginning of the run, and the batches of it that are of the same objective: where the first
   * is, and how many there are.
   */
  place(index: number): { round: number; first: number; size: number };
}

/** The rounds of a run, epoch by epoch. */
export interface Rounds {
  /** Examples of all tasks that fit, and those left out for being longer than `maxLength`. */
  examples: number;
  droppedLong: number;
  epoch(epoch: number): RoundsOfEpoch;
}

/**
 * The order in which tasks take turns, as in XLM's program: a round has one batch for each (or as many as its rate says), and each goes
 * through its own texts, in an order of its own, again and again. An epoch is one pass of the task that takes the most rounds for it. A batch is a function of
 * (examples, options, epoch, index) alone.
 * @throws INPUT_INVALID where a task has nothing to learn from
 */
export function planRounds(tasks: readonly WeightedTask[], options: BatchingOptions): Rounds {
  for (const { task, examples } of tasks) requireExamples(task, examples, options.maxLength);
  const streams = tasks.map(({ task, examples, rate = 1 }) =>
    createStream(examples, rate, { ...options, seed: streamSeed(options.seed, taskName(task)) }),
  );
  const longest = Math.max(...streams.map(({ roundsBefore }) => roundsBefore(1)));
  const leading = streams.find(({ roundsBefore }) => roundsBefore(1) === longest)!;
  let planned: { epoch: number; rounds: RoundsOfEpoch } | undefined;
  return {
    examples: streams.reduce((sum, { examples }) => sum + examples, 0),
    droppedLong: streams.reduce((sum, { droppedLong }) => sum + droppedLong, 0),
    epoch: (epoch) => {
      if (planned?.epoch !== epoch) planned = { epoch, rounds: planEpoch(tasks, streams, leading, epoch) };
      return planned.rounds;
    },
  };
}

function requireExamples(task: TranslationTask, examples: readonly TokenPair[], maxLength: number): void {
  const fits = ({ source, target }: TokenPair) => Math.max(source.length, target.length) <= maxLength;
  const whole = examples.filter(({ source, target }) => source.length > 0 && target.length > 0);
  if (whole.some(fits)) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `There is nothing to learn "${taskName(task)}" from: of ${examples.length} texts ${whole.length} have tokens, and all of those ` +
      `are longer than ${maxLength}; give texts, or raise data.maxLength.`,
  );
}

/** A seed for a task's own order. */
export function streamSeed(seed: number, name: string, epoch = 0, index = 0): number {
  const words = new Uint32Array(2);
  threefry(seed, hashString(name), epoch, index, words);
  return words[0];
}

function planEpoch(
  tasks: readonly WeightedTask[],
  streams: readonly Stream[],
  leading: Stream,
  epoch: number,
): RoundsOfEpoch {
  const entries: { round: number; task: number; batch: number; weight: number }[] = [];
  for (let round = leading.roundsBefore(epoch); round < leading.roundsBefore(epoch + 1); round++) {
    tasks.forEach(({ weight: schedule, rate = 1 }, task) => {
      const weight = weightAt(schedule, round);
      if (weight === 0) return;
      for (let batch = Math.floor(round * rate); batch < Math.floor((round + 1) * rate); batch++)
        entries.push({ round, task, batch, weight });
    });
  }
  const together = (a: number, b: number) =>
    entries[a]?.round === entries[b]?.round &&
    objectiveOf(tasks[entries[a].task].task) === objectiveOf(tasks[entries[b].task].task);
  return {
    count: entries.length,
    batch: (index) => {
      const { task, batch, weight } = entries[index];
      const own = tasks[task].task;
      return { task: own, name: taskName(own), weight, padded: streams[task].batch(batch) };
    },
    place: (index) => {
      let [first, end] = [index, index + 1];
      while (together(first - 1, index)) first--;
      while (together(end, index)) end++;
      return { round: entries[index].round, first, size: end - first };
    },
  };
}

/** Batches without end over some examples. */
interface Stream {
  examples: number;
  droppedLong: number;
  /** Rounds that the passes before a pass take. */
  roundsBefore(pass: number): number;
  batch(index: number): PaddedPairs;
}

function createStream(examples: readonly TokenPair[], rate: number, options: BatchingOptions): Stream {
  const batches = createBatches(examples, options, (padded) => padded);
  // Batches before each pass; passes differ in number where lengths fall out differently.
  const before = [0];
  const batchesBefore = (pass: number): number => {
    while (before.length <= pass)
      before.push(before[before.length - 1] + batches.epoch(before.length - 1).count);
    return before[pass];
  };
  return {
    examples: batches.pairs,
    droppedLong: batches.droppedLong,
    roundsBefore: (pass) => Math.ceil(batchesBefore(pass) / rate),
    batch: (index) => {
      let pass = 0;
      while (batchesBefore(pass + 1) <= index) pass++;
      return batches.epoch(pass).build(index - batchesBefore(pass));
    },
  };
}
