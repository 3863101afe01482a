import { PolybeamError } from '../errors.js';

/** The longest time that a search with a signal computes without yielding to other tasks. Milliseconds. */
const breath = 20;

/** Lets timers and events run; by `setImmediate` if it exists, since a timer takes a millisecond or more. */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve);
  });
}

/**
 * A function to call between steps. A model may compute without ever yielding to timers and events, so that no code
 * could call `abort`: with a signal, the search yields from time to time.
 *
 * @param what is aborted, for the message
 * @throws PolybeamError ABORTED with the signal's reason as its cause
 */
export function createInterruption(
  signal: AbortSignal | undefined,
  what = 'search',
): () => Promise<void> | undefined {
  let last = performance.now();
  const check = () => {
    if (!signal?.aborted) return;
    throw new PolybeamError(
      'ABORTED',
      `The ${what} was aborted by its signal; call again without it to get a result.`,
      { cause: signal.reason },
    );
  };
  const pause = async () => {
    await giveWay();
    last = performance.now();
    check();
  };
  return () => {
    check();
    return signal && performance.now() - last > breath ? pause() : undefined;
  };
}
