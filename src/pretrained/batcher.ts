import { PolybeamError } from '../errors.js';
import { anySignal, createEventStream, type EventStream } from '../generation/eventStream.js';
import { batchingNames } from '../generation/inputs.js';
import { createJointModel } from '../generation/jointModel.js';
import { nearestName } from '../generation/nearestName.js';
import type { GenerationOptions, ModelGenerationDefaults } from '../generation/options.js';
import { describeValue, inputName, requireObject } from '../inputs.js';
import { createFairTurns, type TurnRequest } from './fairTurns.js';
import { type Model, makeModel, modelParts, requireModel } from './model.js';
import { readInput, requireGeneration } from './modelInputs.js';
import type { ModelOutput } from './modelOutput.js';
import type { ModelInput, ReadInput } from './modelParts.js';
import type { StreamEvent, StreamOptions } from './modelStream.js';

/** How requests share a model. */
export interface BatcherOptions {
  /** Inputs decoded at the same time, at most: an integer from 1. Default 32. */
  batchSize?: number;
  /**
   * Of these the most that one request has, so that there is room for others at once: an integer from 1. Default half of
   * batchSize.
   */
  window?: number;
  /** Requests that wait for their turn, at most: an integer from 0. One more is refused with QUEUE_FULL. Default 1024. */
  maxWaiting?: number;
  /**
   * Seconds for which a stream keeps its place while it waits for its reader, all events together: a number from 0. After that
   * it is decoded to its end without waiting, and its events wait for the reader. Default 1.
   */
  maxReaderTime?: number;
}

/** Options of one request: those of `generate`, and languages as for `translate`. */
export type RequestOptions = GenerationOptions & Pick<StreamOptions, 'to' | 'from'>;

/**
 * Serves requests that come one by one, each with its own options, signal and stream. The result of a request is that of
 * `generate` for it alone, and so is its failure: whatever one request does, the others finish.
 *
 * A request may be a list. Its inputs are decoded some at a time, in turns with other requests; the first that fails ends the
 * request, and its other inputs are stopped.
 */
export interface Batcher {
  /** As the model's `generate` for one input. Throws as that, and QUEUE_FULL; ABORTED also while it waits. */
  generate(input: ModelInput, options?: RequestOptions): Promise<ModelOutput>;
  /** The same for a list of inputs, which is one request. */
  generate(inputs: readonly ModelInput[], options?: RequestOptions): Promise<ModelOutput[]>;
  /** As the model's `translate` for one input. */
  translate(input: ModelInput, options?: RequestOptions): Promise<string>;
  /** The same for a list of inputs, which is one request. */
  translate(inputs: readonly ModelInput[], options?: RequestOptions): Promise<string[]>;
  /**
   * As the model's `stream` for one input. It waits for its turn from its first event on; leaving it makes room. It waits for
   * its reader no longer than `maxReaderTime`.
   */
  stream(input: ModelInput, options?: RequestOptions): EventStream<StreamEvent>;
  /** Inputs that are being decoded. */
  readonly running: number;
  /** Requests that wait: none of their inputs is being decoded. */
  readonly waiting: number;
}

/**
 * Decodes requests that arrive separately in shared steps: one joins between two steps, and leaves when it is done.
 * Requests with the same number of beams that need the same of the model (bans, penalties, candidates) step together;
 * others take turns.
 *
 * @throws OPTION_UNKNOWN, OPTION_INVALID, MODEL_CANNOT_GENERATE
 */
export function createBatcher(model: Pick<Model, typeof modelParts>, options: BatcherOptions = {}): Batcher {
  requireModel(model);
  const limits = checkOptions(options);
  const parts = model[modelParts];
  const generation = requireGeneration(parts);
  const shared = makeModel({
    ...parts,
    generation: { ...generation, steps: createJointModel(generation.steps) },
  });
  const turns = createFairTurns({ ...limits, places: limits.batchSize });
  const requestOf = (inputs: number, given: RequestOptions): TurnRequest => ({
    inputs,
    rows: rowsOf({ ...generation.defaults, ...given }),
    signal: signalOf(given),
  });
  /** Answers a list with a list, and one input with one result. What is no input is refused before it waits. */
  const serve = async <Result>(given: unknown, own: RequestOptions, work: Work<Result>) => {
    const request = (Array.isArray(given) ? given : [given]) as readonly unknown[];
    const inputs = samePrefixes(request.map((one, index) => readInput(one, inputName(index))));
    const asked = requestOf(inputs.length, own);
    // What is asked of nothing is checked as well.
    if (inputs.length === 0) return work([], own, 0);
    const results = await turns.serve(asked, async (index, signal) => {
      const [result] = await work([inputs[index]], { ...own, signal }, index);
      return result;
    });
    return Array.isArray(given) ? results : results[0];
  };
  const generate: Work<ModelOutput> = (inputs, own, firstIndex) =>
    shared.generate(inputs, own, { firstIndex });
  const translate: Work<string> = (inputs, own, firstIndex) =>
    shared.translate(inputs, { ...own, firstIndex });
  return {
    generate: ((given, own = {}) => serve(given, own, generate)) as Batcher['generate'],
    translate: ((given, own = {}) => serve(given, own, translate)) as Batcher['translate'],
    stream: (input, own = {}) =>
      createEventStream<StreamEvent>(async (emit, cancelled) => {
        const ready = readInput(input, inputName(0));
        const given = { ...own, signal: anySignal(cancelled, signalOf(own)) };
        await turns.serve(requestOf(1, given), async () => {
          for await (const event of shared.stream(ready, given)) await emit(event);
        });
      }, 1000 * limits.maxReaderTime),
    get running() {
      return turns.running();
    },
    get waiting() {
      return turns.waiting();
    },
  };
}

/** Decodes inputs of a request, by the index of the first. */
type Work<Result> = (
  inputs: readonly ModelInput[],
  options: RequestOptions,
  firstIndex: number,
) => Promise<Result[]>;

/** Where any input of a list has a prefix, each has one, since they are decoded one by one: an empty one changes nothing. */
function samePrefixes(inputs: readonly ReadInput[]): readonly ReadInput[] {
  if (inputs.every(({ prefix }) => prefix === undefined)) return inputs;
  return inputs.map((input) => ({ ...input, prefix: input.prefix ?? [] }));
}

/** @throws OPTION_UNKNOWN, OPTION_INVALID */
function checkOptions(options: BatcherOptions): Required<BatcherOptions> {
  requireKnown(options);
  const { batchSize = 32, maxWaiting = 1024, maxReaderTime = 1 } = options;
  requireInteger('batchSize', batchSize, 1);
  const { window = Math.ceil(batchSize / 2) } = options;
  requireInteger('window', window, 1);
  requireInteger('maxWaiting', maxWaiting, 0);
  if (typeof maxReaderTime !== 'number' || !(maxReaderTime >= 0))
    throw invalid('maxReaderTime', maxReaderTime, 'a number of seconds from 0');
  return { batchSize, window, maxWaiting, maxReaderTime };
}

/** Rows that an input takes in the model; at least 1, also for options that will be refused. */
function rowsOf(options: ModelGenerationDefaults): number {
  const { numBeams, numReturnSequences, penaltyAlpha, topK } = options;
  const counts = [numBeams, numReturnSequences, penaltyAlpha ? topK : 1];
  return Math.max(1, ...counts.filter((count) => Number.isFinite(count)).map(Number));
}

/** What a request has no say in, and what each of its inputs says by itself. */
const notOfRequests = [...batchingNames, 'prefixes'] as const;

/** The signal of a request. @throws INPUT_INVALID, OPTION_INVALID; OPTION_UNKNOWN for what would be ignored */
function signalOf(options: RequestOptions): AbortSignal | undefined {
  requireObject(options, 'options', 'options such as numBeams');
  const ignored = notOfRequests.find((name) => name in options && options[name as never] !== undefined);
  if (ignored !== undefined) {
    throw new PolybeamError(
      'OPTION_UNKNOWN',
      `A request of a batcher has no option "${ignored}": ${ignored === 'prefixes' ? 'give each input its prefix' : 'leave it out; createBatcher takes batchSize'}.`,
    );
  }
  const { signal } = options;
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw new PolybeamError(
    'OPTION_INVALID',
    `Option signal cannot be ${describeValue(signal)}: give an AbortSignal.`,
  );
}

function requireKnown(options: BatcherOptions): void {
  requireObject(options, 'options', 'batchSize or maxWaiting');
  const names: readonly (keyof BatcherOptions)[] = ['batchSize', 'window', 'maxWaiting', 'maxReaderTime'];
  const unknown = Object.keys(options).find((name) => !(names as readonly string[]).includes(name));
  if (unknown === undefined) return;
  const remedy = `did you mean ${nearestName(unknown, names) ?? names.join(' or ')}?`;
  throw new PolybeamError('OPTION_UNKNOWN', `A batcher has no option "${unknown}"; ${remedy}`);
}

function requireInteger(name: keyof BatcherOptions, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least)) throw invalid(name, value, `an integer from ${least}`);
}

function invalid(name: keyof BatcherOptions, value: unknown, wanted: string): PolybeamError {
  return new PolybeamError('OPTION_INVALID', `Option ${name} cannot be ${String(value)}: give ${wanted}.`);
}
