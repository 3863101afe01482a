import { z } from 'zod';

/** A loss's weight over the rounds of a run: points (round, weight), rounds ascending. */
export type WeightSchedule = readonly (readonly [round: number, weight: number])[];

const point = /^(\d+):(\d+(?:\.\d+)?|\.\d+)$/;

/** A number, or points as the paper's program writes them: "0:1,100000:0.1,300000:0". */
export const weightScheduleSchema = z.union([
  z.number().min(0),
  z.string().refine(isSchedule, 'points such as "0:1,100000:0.1,300000:0", rounds ascending'),
]);

function isSchedule(text: string): boolean {
  const points = text.split(',').map((part) => point.exec(part.trim()));
  return points.every((found, at) => {
    const before = points[at - 1];
    return found !== null && (!before || Number(before[1]) < Number(found[1]));
  });
}

/** The points of a weight that the schema let pass. */
export function readWeightSchedule(given: number | string): WeightSchedule {
  if (typeof given === 'number') return [[0, given]];
  return given.split(',').map((part) => {
    const [, round, weight] = point.exec(part.trim())!;
    return [Number(round), Number(weight)];
  });
}

/** The weight in a round, counted from 0: straight between points, level before the first and after the last. */
export function weightAt(schedule: WeightSchedule, round: number): number {
  const after = schedule.findIndex(([at]) => at > round);
  if (after === 0) return schedule[0][1];
  if (after < 0) return schedule[schedule.length - 1][1];
  const [[from, first], [to, second]] = [schedule[after - 1], schedule[after]];
  return first + ((second - first) * (round - from)) / (to - from);
}

/** The first round from which on, for more than that round, every weight is 0; undefined where there is none. */
export function silentFrom(schedules: readonly WeightSchedule[]): number | undefined {
  const rounds = [...new Set([0, ...schedules.flatMap((schedule) => schedule.map(([round]) => round))])];
  rounds.sort((a, b) => a - b);
  const silent = (round: number) => schedules.every((schedule) => weightAt(schedule, round) === 0);
  return rounds.find((round, at) => silent(round) && silent(((rounds[at + 1] ?? round + 2) + round) / 2));
}
