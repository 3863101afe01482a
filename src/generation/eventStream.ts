import { PolybeamError } from '../errors.js';

/** Events of a computation that waits for its consumer. Each iteration computes anew. */
export interface EventStream<Event> extends AsyncIterable<Event> {
  /** The same as a Web stream; cancelling it ends the computation. */
  toReadableStream(): ReadableStream<Event>;
}

/**
 * Does the work of a stream.
 *
 * @param emit hands over an event, and waits until it has been dealt with, or as long as the stream waits for its reader;
 * it fails once the consumer has left
 * @param signal aborted once the consumer has left
 */
export type Produce<Event> = (emit: (event: Event) => Promise<void>, signal: AbortSignal) => Promise<void>;

/**
 * Makes a stream of what `produce` emits. Nothing is computed before the first event is asked for, and nothing ahead of
 * the consumer: one event waits at most. Leaving the loop or cancelling aborts the work and waits for its end; what goes
 * wrong in it is thrown to the consumer.
 *
 * @param patience milliseconds for which the computation waits for its consumer, all events together; after that it goes on
 * by itself, and all further events wait for the consumer. Default: as long as it takes.
 */
export function createEventStream<Event>(
  produce: Produce<Event>,
  patience = Number.POSITIVE_INFINITY,
): EventStream<Event> {
  return {
    [Symbol.asyncIterator]: () => startIterator(produce, patience),
    toReadableStream: () => {
      const events = startIterator(produce, patience);
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
        // No event is taken before the first read.
        { highWaterMark: 0 },
      );
    },
  };
}

/** The end of an iteration is always handled. */
interface EventIterator<Event> extends AsyncIterableIterator<Event> {
  return(): Promise<IteratorResult<Event>>;
}

/** A call that asks for an event. */
interface Question<Event> {
  resolve: (result: IteratorResult<Event>) => void;
  reject: (reason: unknown) => void;
}

const finished = { done: true, value: undefined } as const;

/** Passes events from a producer to a consumer. */
function createHandover<Event>(patience: number) {
  /** The event that was emitted and not yet taken. */
  const events: Event[] = [];
  let question: Question<Event> | undefined;
  /** Ends the producer's wait, which stands still while its event is with the consumer. */
  let dealtWith = () => {};
  /** After the last event: gives the consumer the end or the error. */
  let last: ((to: Question<Event>) => void) | undefined;
  let left = false;
  let remaining = patience;

  function answer(): void {
    if (!question || (events.length === 0 && !last)) return;
    const to = question;
    question = undefined;
    if (events.length > 0) to.resolve({ done: false, value: events.shift() as Event });
    else last?.(to);
  }

  const end = (reply: (to: Question<Event>) => void) => {
    if (left) return;
    last = (to) => {
      last = ({ resolve }) => resolve(finished);
      reply(to);
    };
    answer();
  };

  return {
    emit: async (event: Event) => {
      if (left) throw cancelled();
      events.push(event);
      answer();
      if (remaining <= 0) return;
      const since = performance.now();
      await patiently((resolve) => {
        dealtWith = resolve;
      }, remaining);
      remaining -= performance.now() - since;
      if (left) throw cancelled();
    },
    /** Requests an event; the consumer has then handled all events before it. */
    ask: (one: Question<Event>) => {
      question = one;
      dealtWith();
      answer();
    },
    done: () => end(({ resolve }) => resolve(finished)),
    fail: (reason: unknown) => end(({ reject }) => reject(reason)),
    leave: () => {
      events.length = 0;
      end(({ resolve }) => resolve(finished));
      left = true;
      dealtWith();
    },
  };
}

function startIterator<Event>(produce: Produce<Event>, patience: number): EventIterator<Event> {
  const controller = new AbortController();
  const { emit, ask, done, fail, leave } = createHandover<Event>(patience);
  let running: Promise<void> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const take = () =>
    new Promise<IteratorResult<Event>>((resolve, reject) => {
      ask({ resolve, reject });
      running ??= produce(emit, controller.signal).then(done, fail);
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
      leave();
      controller.abort(cancelled());
      running ??= Promise.resolve();
      await running;
      return finished;
    },
  };
}

/** Timers of a longer time fire at once. Milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** Waits until `resolve` is called, at most so many milliseconds. */
function patiently(wait: (resolve: () => void) => void, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const finite = patience < Number.POSITIVE_INFINITY;
    const timer = finite ? setTimeout(resolve, Math.min(patience, longestTimer)) : undefined;
    wait(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function cancelled(): PolybeamError {
  return new PolybeamError('ABORTED', 'The stream was cancelled; start another to get the rest.');
}

/** A signal that is aborted with either. */
export function anySignal(own: AbortSignal, given: AbortSignal | undefined): AbortSignal {
  return given ? AbortSignal.any([own, given]) : own;
}
