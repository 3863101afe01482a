import { PolybeamError } from '../errors.js';

/** Events of a computation that is only as fast as they are taken. Each iteration computes anew. */
export interface EventStream<Event> extends AsyncIterable<Event> {
  /** The same as a Web stream; cancelling it ends the computation. */
  toReadableStream(): ReadableStream<Event>;
}

/**
 * Does the work of a stream.
 *
 * @param emit hands over an event, and waits until it has been dealt with; it fails once nobody listens any more
 * @param signal aborted once nobody listens any more
 */
export type Produce<Event> = (emit: (event: Event) => Promise<void>, signal: AbortSignal) => Promise<void>;

/**
 * Makes a stream of what `produce` emits. Nothing is computed before the first event is asked for, and nothing ahead of
 * the consumer: one event waits at most. Leaving the loop or cancelling aborts the work and waits for its end; what goes
 * wrong in it is thrown to the consumer.
 */
export function createEventStream<Event>(produce: Produce<Event>): EventStream<Event> {
  return {
    [Symbol.asyncIterator]: () => startIterator(produce),
    toReadableStream: () => {
      const events = startIterator(produce);
      return new ReadableStream<Event>(
        {
          pull: async (controller) => {
            const { done, value } = await events.next();
            if (done) controller.close();
            else controller.enqueue(value);
          },
          cancel: async () => {
            await events.return();
          },
        },
        // Nothing is taken before somebody reads.
        { highWaterMark: 0 },
      );
    },
  };
}

/** What an iteration does in the end is always known. */
interface EventIterator<Event> extends AsyncIterableIterator<Event> {
  return(): Promise<IteratorResult<Event>>;
}

/** How the producer's wait for the consumer ends. */
interface Wait {
  release: () => void;
  refuse: (reason: unknown) => void;
}

function startIterator<Event>(produce: Produce<Event>): EventIterator<Event> {
  const controller = new AbortController();
  const finished: IteratorResult<Event> = { done: true, value: undefined };
  let running: Promise<void> | undefined;
  let closed = false;
  /** The producer stands still while its event is with the consumer. */
  let producer: Wait | undefined;
  let consumer: { resolve: (result: IteratorResult<Event>) => void; reject: (reason: unknown) => void };
  let turn: Promise<unknown> = Promise.resolve();

  const emit = (event: Event) => {
    if (closed) return Promise.reject(cancelled());
    const dealtWith = new Promise<void>((release, refuse) => {
      producer = { release, refuse };
    });
    consumer.resolve({ done: false, value: event });
    return dealtWith;
  };

  const end = (settle: () => void) => {
    closed = true;
    settle();
  };

  /** One event, or the end. */
  const take = () =>
    new Promise<IteratorResult<Event>>((resolve, reject) => {
      if (closed) return resolve(finished);
      consumer = { resolve, reject };
      producer?.release();
      running ??= produce(emit, controller.signal).then(
        () => end(() => consumer.resolve(finished)),
        (reason) => end(() => consumer.reject(reason)),
      );
    });

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => {
      const result = turn.then(take);
      turn = result.catch(() => undefined);
      return result;
    },
    return: async () => {
      closed = true;
      controller.abort(cancelled());
      producer?.refuse(cancelled());
      consumer?.resolve(finished);
      await running;
      return finished;
    },
  };
}

function cancelled(): PolybeamError {
  return new PolybeamError('ABORTED', 'The stream was cancelled; start another to get the rest.');
}

/** A signal that is aborted with either. */
export function anySignal(own: AbortSignal, given: AbortSignal | undefined): AbortSignal {
  return given ? AbortSignal.any([own, given]) : own;
}
