import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFairTurns, type TurnLimits, type TurnRequest } from './fairTurns.js';

/** An input in a place. */
interface Held {
  name: string;
  index: number;
  signal: AbortSignal | undefined;
  end: (failure?: Error) => Promise<void>;
}

/** Places whose work ends when the test says so. */
function table(limits: Partial<TurnLimits>) {
  const turns = createFairTurns({ places: 4, window: 4, maxWaiting: 9, ...limits });
  const held: Held[] = [];
  const ask = (name: string, inputs: number, more: Partial<TurnRequest> = {}) => {
    const outcome = turns.serve(
      { inputs, rows: 1, ...more },
      (index, signal) =>
        new Promise<string>((resolve, reject) => {
          const one: Held = {
            name,
            index,
            signal,
            end: async (failure) => {
              held.splice(held.indexOf(one), 1);
              if (failure) reject(failure);
              else resolve(`${name}${index}`);
              for (let tick = 0; tick < 8; tick++) await undefined;
            },
          };
          held.push(one);
        }),
    );
    outcome.catch(() => {});
    return outcome;
  };
  const seen = () => held.map(({ name, index }) => `${name}${index}`);
  const counts = () => {
    const all: Record<string, number> = {};
    for (const { name } of held) all[name] = (all[name] ?? 0) + 1;
    return all;
  };
  return { turns, held, ask, seen, counts };
}

describe('fair turns', () => {
  it('work on a list in order, some at a time, and answer in order', async () => {
    const { turns, held, ask, seen } = table({ window: 2 });
    const list = ask('a', 3);
    expect(seen()).toEqual(['a0', 'a1']);
    expect([turns.running(), turns.waiting()]).toEqual([2, 0]);
    await held[1].end();
    expect(seen()).toEqual(['a0', 'a2']);
    await held[1].end();
    await held[0].end();
    expect(await list).toEqual(['a0', 'a1', 'a2']);
    expect([turns.running(), turns.waiting()]).toEqual([0, 0]);
    expect(await ask('empty', 0)).toEqual([]);
  });

  it('give a newcomer the next place, before a list goes on', async () => {
    const { held, ask, seen } = table({});
    ask('bulk', 200);
    ask('one', 1);
    ask('two', 1);
    expect(seen()).toEqual(['bulk0', 'bulk1', 'bulk2', 'bulk3']);
    await held[2].end();
    await held[0].end();
    expect(seen()).toEqual(['bulk1', 'bulk3', 'one0', 'two0']);
    await held[2].end();
    await held[2].end();
    expect(seen()).toEqual(['bulk1', 'bulk3', 'bulk4', 'bulk5']);
  });

  it('share rows, not inputs, among lists', async () => {
    const { held, ask, counts } = table({ places: 10, window: 10 });
    ask('wide', 99, { rows: 4 });
    ask('narrow', 99);
    for (let turn = 0; turn < 40; turn++) await held[0].end();
    // Two of four rows beside eight of one.
    expect(counts()).toEqual({ wide: 2, narrow: 8 });
  });

  it('never stop a list, however many single inputs come', async () => {
    const { held, ask, counts } = table({ places: 2, window: 2, maxWaiting: 1000 });
    let answered = false;
    ask('list', 10).then(() => {
      answered = true;
    });
    for (let turn = 0; turn < 60; turn++) {
      ask(`one${turn}`, 1);
      // At most every second place is the list's.
      if (turn > 1) expect(counts().list ?? 0).toBeLessThan(2);
      await held[0].end();
    }
    expect(answered).toBe(true);
  });

  it('end a request with its first failure: nothing more of it begins, and what runs is aborted', async () => {
    const { turns, held, ask, seen } = table({ window: 3 });
    const list = ask('bad', 50);
    const good = ask('good', 2);
    expect(seen()).toEqual(['bad0', 'bad1', 'bad2', 'good0']);
    const siblings = [held[0], held[2]];
    let rejected = false;
    list.catch(() => {
      rejected = true;
    });
    await held[1].end(new Error('broken'));
    expect(siblings.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
    // It answers when nothing of it is worked on any more.
    expect([rejected, seen()]).toEqual([false, ['bad0', 'bad2', 'good0', 'good1']]);
    await siblings[0].end(new Error('aborted'));
    await siblings[1].end();
    await expect(list).rejects.toThrow('broken');
    await held[0].end();
    await held[0].end();
    expect(await good).toEqual(['good0', 'good1']);
    expect([turns.running(), turns.waiting()]).toEqual([0, 0]);
  });

  it('count a list as one that waits, and refuse one too many', async () => {
    const { turns, held, ask } = table({ places: 1, window: 1, maxWaiting: 2 });
    ask('first', 1);
    const lists = [ask('a', 200), ask('b', 200)];
    await expect(ask('c', 1)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    expect([turns.running(), turns.waiting()]).toEqual([1, 2]);
    while (held.length > 0) await held[0].end();
    expect((await Promise.all(lists)).map(({ length }) => length)).toEqual([200, 200]);
  });

  it('let a signal end a request that waits, and keep the rest of a list from beginning', async () => {
    const { turns, held, ask, seen } = table({ places: 1, window: 1 });
    ask('first', 1);
    const controller = new AbortController();
    const waiting = ask('a', 1, { signal: controller.signal });
    const list = ask('b', 3, { signal: controller.signal });
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    await expect(list).rejects.toMatchObject({ code: 'ABORTED' });
    expect(turns.waiting()).toBe(0);
    await held[0].end();
    const later = new AbortController();
    const half = ask('c', 3, { signal: later.signal });
    later.abort();
    expect([seen(), held[0].signal?.aborted]).toEqual([['c0'], true]);
    await held[0].end();
    await expect(half).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(ask('d', 1, { signal: later.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect([turns.running(), turns.waiting()]).toEqual([0, 0]);
  });

  it('use every place that somebody may have, and no more', async () => {
    const requests = fc.array(
      fc.record({
        inputs: fc.integer({ min: 1, max: 9 }),
        rows: fc.integer({ min: 1, max: 4 }),
        fails: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        async (given, places, window, picks) => {
          const { turns, held, ask, counts } = table({ places, window, maxWaiting: 99 });
          const outcomes = given.map((request, at) => ask(`${at}`, request.inputs, { rows: request.rows }));
          const left = given.map(({ inputs }) => inputs);
          for (let turn = 0; held.length > 0; turn++) {
            const running = counts();
            const wanted = left.reduce((sum, inputs) => sum + Math.min(inputs, window), 0);
            expect(held).toHaveLength(Math.min(places, wanted));
            expect(turns.running()).toBe(held.length);
            expect(Math.max(...Object.values(running))).toBeLessThanOrEqual(window);
            const one = held[picks[turn % picks.length] % held.length];
            const at = Number(one.name);
            const failure = given[at].fails && one.index === 2 ? new Error('broken') : undefined;
            left[at] = failure || one.signal?.aborted ? (running[one.name] ?? 1) - 1 : left[at] - 1;
            await one.end(failure);
          }
          const states = await Promise.allSettled(outcomes);
          expect(states.map(({ status }) => status)).toEqual(
            given.map(({ fails, inputs }) => (fails && inputs > 2 ? 'rejected' : 'fulfilled')),
          );
          expect([turns.running(), turns.waiting()]).toEqual([0, 0]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
