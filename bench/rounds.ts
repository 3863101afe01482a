import { setTimeout as sleep } from 'node:timers/promises';

/** One implementation of a case. */
export interface Side {
  name: string;
  /** Does the work once. @returns its time in milliseconds */
  run(): Promise<number>;
  /** CPU time so far, in milliseconds, of the process that does the work. */
  cpuMs(): number;
}

/** How a case is measured. */
export interface RoundOptions {
  rounds: number;
  warmUps: number;
  /** Milliseconds before each run, in which thread pools of the other side stop spinning. */
  pauseMs: number;
}

/** Times of each side, and how busy the side that should have been idle was. */
export interface RoundTimes {
  /** [side][round] */
  times: number[][];
  /** CPU time of the idle side as a part of the time that the other side took; 0 where all share one process. */
  disturbance: number;
}

/** What idle sides may use: the clock of a child's CPU time ticks in 10 ms. */
export const toleratedDisturbance = 0.05;

/**
 * Runs the sides in turn, round after round, so that whatever else the machine does falls on all of them alike.
 */
export async function measureRounds(
  sides: readonly Side[],
  { rounds, warmUps, pauseMs }: RoundOptions,
): Promise<RoundTimes> {
  for (const side of sides) for (let i = 0; i < warmUps; i++) await side.run();
  const times: number[][] = sides.map(() => []);
  let measured = 0;
  let disturbed = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      if (sides.length > 1) await sleep(pauseMs);
      const clocks = new Set(sides.map((other) => other.cpuMs).filter((clock) => clock !== side.cpuMs));
      const before = [...clocks].map((clock) => clock());
      times[index].push(await side.run());
      measured += times[index][round];
      [...clocks].forEach((clock, i) => {
        disturbed += clock() - before[i];
      });
    }
  }
  return { times, disturbance: measured === 0 ? 0 : disturbed / measured };
}

/** CPU time of this process in milliseconds. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A side that runs in this process. */
export function ownSide(work: () => Promise<unknown>): Side {
  return {
    name: 'polybeam',
    cpuMs: ownCpuMs,
    run: async () => {
      const start = performance.now();
      await work();
      return performance.now() - start;
    },
  };
}
