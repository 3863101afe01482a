import { describe, expect, it } from 'vitest';
import { measureRounds, type Side } from './rounds.js';

/** A side that logs its runs and says that each took longer than the last. */
function fakeSide(name: string, log: string[], cpuMs: () => number): Side {
  let runs = 0;
  const run = async () => {
    log.push(name);
    return 100 * ++runs;
  };
  return { name, cpuMs, run };
}

const idle = () => 0;

describe('measureRounds', () => {
  it('warms each side up, then runs them in turn', async () => {
    const log: string[] = [];
    const sides = [fakeSide('own', log, idle), fakeSide('peer', log, idle)];
    const { times, disturbance } = await measureRounds(sides, { rounds: 2, warmUps: 1, pauseMs: 0 });
    expect(log).toEqual(['own', 'peer', 'own', 'peer', 'own', 'peer']);
    expect(times).toEqual([
      [200, 300],
      [200, 300],
    ]);
    expect(disturbance).toBe(0);
  });

  it('tells how much the process that should be idle worked, once for two sides in one process', async () => {
    let clock = 0;
    const busy = () => clock++ * 10;
    const log: string[] = [];
    const sides = [fakeSide('own', log, idle), fakeSide('a', log, busy), fakeSide('b', log, busy)];
    const { disturbance } = await measureRounds(sides, { rounds: 1, warmUps: 0, pauseMs: 0 });
    // Read before and after polybeam's own run alone: 10 ms of 3 x 100.
    expect(disturbance).toBeCloseTo(10 / 300, 10);
  });
});
