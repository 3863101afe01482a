import { PolybeamError } from '../errors.js';
import { anySignal, createEventStream, type EventStream } from '../generation/eventStream.js';
import { createJointModel } from '../generation/jointModel.js';
import { nearestName } from '../generation/nearestName.js';
import type { GenerationOptions } from '../generation/options.js';
import { type Model, makeModel, modelParts } from './model.js';
import { requireGeneration } from './modelInputs.js';
import type { ModelOutput } from './modelOutput.js';
import type { ModelInput } from './modelParts.js';
import type { StreamEvent, StreamInput, StreamOptions } from './modelStream.js';

/** How requests share a model. */
export interface BatcherOptions {
  /** Requests decoded at the same time, at most: an integer from 1. Default 32. */
  batchSize?: number;
  /** Requests that wait for their turn, at most: an integer from 0. One more is refused with QUEUE_FULL. Default 1024. */
  maxWaiting?: number;
}

/** Options of one request: those of `generate`, and languages as for `translate`. */
export type RequestOptions = GenerationOptions & Pick<StreamOptions, 'to' | 'from'>;

/**
 * Serves requests that come one by one, each with its own options, signal and stream. The result of a request is that of
 * `generate` for it alone.
 */
export interface Batcher {
  /** As the model's `generate` for one input. Throws as that, and QUEUE_FULL; ABORTED also while it waits. */
  generate(input: string | ModelInput, options?: GenerationOptions): Promise<ModelOutput>;
  /** As the model's `translate` for one text. */
  translate(text: string, options?: RequestOptions): Promise<string>;
  /** As the model's `stream` for one input. It waits for its turn from its first event on; leaving it makes room. */
  stream(input: StreamInput, options?: RequestOptions): EventStream<StreamEvent>;
  /** Requests that are being decoded. */
  readonly running: number;
  /** Requests that wait. */
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
  requireKnown(options);
  const { batchSize = 32, maxWaiting = 1024 } = options;
  requireInteger('batchSize', batchSize, 1);
  requireInteger('maxWaiting', maxWaiting, 0);
  const parts = model[modelParts];
  const generation = requireGeneration(parts);
  const shared = makeModel({
    ...parts,
    generation: { ...generation, steps: createJointModel(generation.steps) },
  });
  const gate = createGate(batchSize, maxWaiting);
  const one = (input: string | ModelInput) => (typeof input === 'string' ? { text: input } : input);
  return {
    generate: (input, given = {}) =>
      gate.pass(given.signal, async () => (await shared.generate([one(input)], given))[0]),
    translate: (text, given = {}) =>
      gate.pass(given.signal, async () => (await shared.translate([text], given))[0]),
    stream: (input, given = {}) =>
      createEventStream<StreamEvent>((emit, cancelled) => {
        const signal = anySignal(cancelled, given.signal);
        return gate.pass(signal, async () => {
          for await (const event of shared.stream(input, { ...given, signal })) await emit(event);
        });
      }),
    get running() {
      return gate.running();
    },
    get waiting() {
      return gate.waiting();
    },
  };
}

function requireKnown(options: BatcherOptions): void {
  const names: readonly (keyof BatcherOptions)[] = ['batchSize', 'maxWaiting'];
  const unknown = Object.keys(options).find((name) => !(names as readonly string[]).includes(name));
  if (unknown === undefined) return;
  const remedy = `did you mean ${nearestName(unknown, names) ?? names.join(' or ')}?`;
  throw new PolybeamError('OPTION_UNKNOWN', `A batcher has no option "${unknown}"; ${remedy}`);
}

function requireInteger(name: keyof BatcherOptions, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new PolybeamError(
    'OPTION_INVALID',
    `Option ${name} cannot be ${value}: give an integer from ${least}.`,
  );
}

/** Lets `most` pieces of work go on at the same time; the others wait in the order in which they came. */
function createGate(most: number, maxWaiting: number) {
  let running = 0;
  const queue: (() => void)[] = [];

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw aborted(signal);
    if (running < most) {
      running++;
      return;
    }
    if (queue.length >= maxWaiting) {
      throw new PolybeamError(
        'QUEUE_FULL',
        `${running} requests are running and ${queue.length} wait, as many as maxWaiting allows; try again later, or raise maxWaiting.`,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        queue.splice(queue.indexOf(go), 1);
        reject(aborted(signal as AbortSignal));
      };
      const go = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      signal?.addEventListener('abort', leave, { once: true });
      queue.push(go);
    });
  }

  return {
    running: () => running,
    waiting: () => queue.length,
    pass: async <T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
      await enter(signal);
      try {
        return await work();
      } finally {
        const next = queue.shift();
        // The place is handed on.
        if (next) next();
        else running--;
      }
    },
  };
}

function aborted({ reason }: AbortSignal): PolybeamError {
  return new PolybeamError(
    'ABORTED',
    'The request was aborted by its signal before its turn came; send it again to get a result.',
    { cause: reason },
  );
}
