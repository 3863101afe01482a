import { PolybeamError } from '../errors.js';
import { anySignal } from '../generation/eventStream.js';

/** How places are shared. */
export interface TurnLimits {
  /** Inputs that are worked on at the same time, at most. */
  places: number;
  /** Of these the most that one request has. */
  window: number;
  /** Requests that wait, at most. */
  maxWaiting: number;
}

/** A request of one or more inputs. */
export interface TurnRequest {
  inputs: number;
  /** What each of its inputs costs, in rows of the model. */
  rows: number;
  signal?: AbortSignal;
}

/** Places that requests take turns in. */
export interface FairTurns {
  /** Inputs that are worked on. */
  running(): number;
  /** Requests of which nothing is worked on. */
  waiting(): number;
  /**
   * Works on the inputs of a request in their order, each when it gets a place. The first failure ends the request: its other
   * inputs are not begun, or aborted by `signal`, and it fails once all of them have ended.
   *
   * @param work on one input, by its index
   * @returns what `work` gives for each input
   * @throws QUEUE_FULL where as many requests wait as may; ABORTED where the request's signal says so before every input had
   * a place; what `work` throws
   */
  serve<Result>(
    request: TurnRequest,
    work: (index: number, signal: AbortSignal | undefined) => Promise<Result>,
  ): Promise<Result[]>;
}

/** A request that is not done. */
interface Open {
  rows: number;
  /** Inputs in a place. */
  running: number;
  /** Inputs that had no place yet. */
  left: number;
  /** When it came or last got a place, by a clock that counts. */
  since: number;
  /** Begins its next input. */
  begin: () => void;
}

/**
 * Shares places among requests: a free one goes to the request that has the fewest rows at that time, among equals to the
 * one that has waited longest. So a request of many inputs delays another by one input at most, and never stops.
 */
export function createFairTurns({ places, window, maxWaiting }: TurnLimits): FairTurns {
  let free = places;
  let clock = 0;
  /** Those with inputs that had no place yet. */
  const open = new Set<Open>();
  const waiting = () => [...open].filter(({ running }) => running === 0).length;

  function next(): Open | undefined {
    let best: Open | undefined;
    for (const one of open) {
      if (one.running >= window) continue;
      const less = best === undefined ? -1 : one.running * one.rows - best.running * best.rows;
      if (best === undefined || less < 0 || (less === 0 && one.since < best.since)) best = one;
    }
    return best;
  }

  function fill(): void {
    while (free > 0) {
      const one = next();
      if (!one) return;
      free--;
      one.running++;
      one.left--;
      one.since = ++clock;
      if (one.left === 0) open.delete(one);
      one.begin();
    }
  }

  const shared: Places = {
    enter: (one) => {
      one.since = ++clock;
      open.add(one);
      fill();
      const others = waiting() - 1;
      if (one.running > 0 || others < maxWaiting) return;
      open.delete(one);
      throw new PolybeamError(
        'QUEUE_FULL',
        `The batcher decodes as many inputs as batchSize ${places} allows, and as many requests wait as maxWaiting ${maxWaiting} allows; try again later, raise maxWaiting, or give inputs that belong together as one list.`,
      );
    },
    leave: (one) => {
      free++;
      one.running--;
      fill();
    },
    withdraw: (one) => {
      one.left = 0;
      open.delete(one);
    },
  };
  return {
    running: () => places - free,
    waiting,
    serve: (request, work) => serve(shared, request, work),
  };
}

/** What a request does with places. */
interface Places {
  /** Asks for a place for each input. @throws QUEUE_FULL */
  enter(one: Open): void;
  /** Gives a place back. */
  leave(one: Open): void;
  /** Asks for no more. */
  withdraw(one: Open): void;
}

/** See `FairTurns.serve`. */
async function serve<Result>(
  { enter, leave, withdraw }: Places,
  { inputs, rows, signal }: TurnRequest,
  work: (index: number, signal: AbortSignal | undefined) => Promise<Result>,
): Promise<Result[]> {
  if (signal?.aborted) throw aborted(signal);
  if (inputs === 0) return [];
  const siblings = new AbortController();
  const both = inputs > 1 ? anySignal(siblings.signal, signal) : signal;
  const results: Result[] = new Array(inputs);
  let failure: { reason: unknown } | undefined;
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const fail = (reason: unknown) => {
    failure ??= { reason };
    withdraw(one);
    siblings.abort(reason);
  };
  const stop = () => {
    if (one.left > 0) fail(aborted(signal as AbortSignal));
    if (one.running === 0) finish();
  };
  const workOn = async (index: number) => {
    results[index] = await work(index, both);
  };
  const begin = () => {
    const ended = workOn(inputs - one.left - 1).catch(fail);
    void ended.then(() => {
      leave(one);
      if (one.running + one.left === 0) finish();
    });
  };
  const one: Open = { rows, running: 0, left: inputs, since: 0, begin };
  enter(one);
  signal?.addEventListener('abort', stop, { once: true });
  await done;
  signal?.removeEventListener('abort', stop);
  if (failure) throw failure.reason;
  return results;
}

function aborted({ reason }: AbortSignal): PolybeamError {
  return new PolybeamError(
    'ABORTED',
    'The request was aborted by its signal before its turn came; send it again to get a result.',
    { cause: reason },
  );
}
