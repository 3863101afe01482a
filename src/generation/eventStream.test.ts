import { expect, it } from 'vitest';
import { createEventStream } from './eventStream.js';

/** Counts up for ever, and notes what it was asked for and how it ended. */
function counter(last = Number.POSITIVE_INFINITY, failure?: Error) {
  const log = { begun: 0, emitted: 0, ended: '' };
  const stream = createEventStream<number>(async (emit, signal) => {
    log.begun++;
    try {
      for (let number = 1; number <= last; number++) {
        log.emitted = number;
        await emit(number);
      }
      if (failure) throw failure;
      log.ended = 'done';
    } catch (error) {
      log.ended = `${(error as { code?: string }).code ?? (error as Error).message}, ${signal.aborted}`;
      throw error;
    }
  });
  return { log, stream };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

it('gives every event in order, anew for each iteration, and as a Web stream', async () => {
  const { stream, log } = counter(4);
  expect(await collect(stream)).toEqual([1, 2, 3, 4]);
  expect(await collect(stream)).toEqual([1, 2, 3, 4]);
  expect(await collect(stream.toReadableStream())).toEqual([1, 2, 3, 4]);
  expect(log).toMatchObject({ begun: 3, ended: 'done' });
});

it('computes nothing before it is asked, and nothing ahead', async () => {
  const { stream, log } = counter();
  const iterator = stream[Symbol.asyncIterator]();
  const reader = stream.toReadableStream().getReader();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(log).toMatchObject({ begun: 0, emitted: 0 });
  expect(await iterator.next()).toEqual({ done: false, value: 1 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(log).toMatchObject({ begun: 1, emitted: 1 });
  await iterator.return?.();
  expect(await reader.read()).toEqual({ done: false, value: 1 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(log).toMatchObject({ begun: 2, emitted: 1 });
  await reader.cancel();
});

it('ends the work when the loop is left or the Web stream cancelled', async () => {
  const left = counter();
  for await (const number of left.stream) if (number === 3) break;
  expect(left.log).toEqual({ begun: 1, emitted: 3, ended: 'ABORTED, true' });

  const cancelled = counter();
  const reader = cancelled.stream.toReadableStream().getReader();
  await reader.read();
  await reader.cancel();
  expect(cancelled.log).toEqual({ begun: 1, emitted: 1, ended: 'ABORTED, true' });
  expect(await reader.read()).toEqual({ done: true, value: undefined });
});

it('is left at once while the work takes its time, and waits for its end', async () => {
  let ended = false;
  const stream = createEventStream<number>(async (_, signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
    ended = true;
    throw signal.reason;
  });
  const iterator = stream[Symbol.asyncIterator]();
  const pending = iterator.next();
  await new Promise((resolve) => setTimeout(resolve, 1));
  await iterator.return?.();
  expect(await pending).toEqual({ done: true, value: undefined });
  expect(ended).toBe(true);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

it('throws what went wrong, once', async () => {
  const { stream } = counter(1, new Error('broken'));
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  await expect(iterator.next()).rejects.toThrow('broken');
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  await expect(collect(stream.toReadableStream())).rejects.toThrow('broken');
});

it('answers calls that do not wait for one another in their order', async () => {
  const iterator = counter(2).stream[Symbol.asyncIterator]();
  const answers = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
  expect(answers.map(({ value }) => value)).toEqual([1, 2, undefined]);
});

/** Counts to `last` as fast as it may, and notes when it ended. */
function patientCounter(last: number, patience: number, failure?: Error) {
  const log = { emitted: 0, ended: false };
  const stream = createEventStream<number>(async (emit) => {
    try {
      for (let number = 1; number <= last; number++) {
        log.emitted = number;
        await emit(number);
      }
      if (failure) throw failure;
    } finally {
      log.ended = true;
    }
  }, patience);
  return { log, stream };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it('goes on by itself once its reader has taken too long, and keeps every event for it', async () => {
  const { stream, log } = patientCounter(50, 40);
  const iterator = stream[Symbol.asyncIterator]();
  const taken = [(await iterator.next()).value];
  expect(log).toEqual({ emitted: 1, ended: false });
  await wait(100);
  expect(log).toEqual({ emitted: 50, ended: true });
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) taken.push(next.value);
  expect(taken).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

it('waits for a reader so long in all, not for each event', async () => {
  const { stream, log } = patientCounter(100, 60);
  const taken: number[] = [];
  for await (const number of stream) {
    taken.push(number);
    if (log.ended) continue;
    await wait(15);
  }
  // Some five events were waited for.
  expect(taken).toHaveLength(100);
  const lazy = patientCounter(100, 1e12);
  for await (const number of lazy.stream) {
    expect(lazy.log.emitted).toBe(number);
    if (number === 5) break;
    await wait(3);
  }
});

it('tells a late reader what went wrong after all events before it', async () => {
  const { stream } = patientCounter(3, 1, new Error('broken'));
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  await wait(20);
  expect([(await iterator.next()).value, (await iterator.next()).value]).toEqual([2, 3]);
  await expect(iterator.next()).rejects.toThrow('broken');
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

it('drops what nobody has taken when its reader leaves', async () => {
  const log = { emitted: 0, ended: false };
  const stream = createEventStream<number>(async (emit) => {
    try {
      for (;;) {
        await emit(++log.emitted);
        await wait(1);
      }
    } finally {
      log.ended = true;
    }
  }, 1);
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  await wait(40);
  expect(log.emitted).toBeGreaterThan(3);
  await iterator.return?.();
  expect(log.ended).toBe(true);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});
