import type { ParameterSpec } from '../engine/parameters.js';
import { PolybeamError } from '../errors.js';
import { asTasks, mergeParameters, type Objective, parametersByTask, type Tasks } from './objective.js';

/** Weights whose updates have the same scalars. */
export interface WeightGroup {
  /** What follows the names of the scalars' inputs; empty where a task has one group. */
  suffix: string;
  /** Multiplies the learning rate. */
  factor: number;
  /** Tasks that train these weights: their updates count as these weights' own. */
  tasks: readonly string[];
  specs: readonly ParameterSpec[];
}

/** What one task reads and trains. */
export interface TaskPlan {
  objective: Objective;
  /** Weights that its update changes. */
  trained: readonly ParameterSpec[];
  /** Weights that it reads, frozen ones included. */
  used: readonly ParameterSpec[];
  /** `trained` in parts. */
  groups: readonly WeightGroup[];
}

/** Which weights there are, which of them are trained, and by which task. */
export interface StepPlan {
  specs: readonly ParameterSpec[];
  trained: readonly ParameterSpec[];
  tasks: ReadonlyMap<string, TaskPlan>;
}

/** Learning-rate factor of a weight in the updates of a task; 0 freezes it there. */
export type WeightFactors = (name: string, task: string) => number;

/**
 * Plans a step.
 * @throws OPTION_INVALID for a factor that is negative or no number, or where no weight of a task is left to train
 */
export function planStep(objective: Objective | Tasks, weightFactors: WeightFactors = () => 1): StepPlan {
  const used = parametersByTask(asTasks(objective));
  const factors = new Map<string, Map<string, number>>();
  const trainers = new Map<string, string[]>();
  for (const [task, own] of used) {
    factors.set(task, new Map());
    for (const { name } of own) {
      const factor = checkedFactor(name, weightFactors(name, task));
      factors.get(task)!.set(name, factor);
      if (factor > 0) trainers.set(name, [...(trainers.get(name) ?? []), task]);
    }
  }
  const tasks = new Map<string, TaskPlan>();
  for (const [task, own] of Object.entries(asTasks(objective))) {
    const all = used.get(task)!;
    const trained = all.filter(({ name }) => factors.get(task)!.get(name)! > 0);
    if (trained.length === 0) throw nothingTrained(task, all);
    const groups = groupsOf(trained, factors.get(task)!, trainers);
    tasks.set(task, { objective: own, trained, used: all, groups });
  }
  const specs = mergeParameters(used);
  return { specs, trained: specs.filter(({ name }) => trainers.has(name)), tasks };
}

function checkedFactor(name: string, factor: number): number {
  if (Number.isFinite(factor) && factor >= 0) return factor;
  throw new PolybeamError(
    'OPTION_INVALID',
    `weightFactors gives ${factor} for ${name}: a factor of the learning rate is a number from 0, which freezes the weight.`,
  );
}

function nothingTrained(task: string, all: readonly ParameterSpec[]): PolybeamError {
  const which = task === '' ? '' : ` of task ${task}`;
  return new PolybeamError(
    'OPTION_INVALID',
    `All ${all.length} weights${which} are frozen, so there is nothing to train: freeze fewer.`,
  );
}

/** Groups by factor and by the tasks that train a weight; in the order of their first weights. */
function groupsOf(
  trained: readonly ParameterSpec[],
  factors: ReadonlyMap<string, number>,
  trainers: ReadonlyMap<string, readonly string[]>,
): WeightGroup[] {
  const groups = new Map<string, { factor: number; tasks: readonly string[]; specs: ParameterSpec[] }>();
  for (const spec of trained) {
    const [factor, tasks] = [factors.get(spec.name)!, trainers.get(spec.name)!];
    const key = JSON.stringify([factor, tasks]);
    const group = groups.get(key) ?? { factor, tasks, specs: [] };
    group.specs.push(spec);
    groups.set(key, group);
  }
  return [...groups.values()].map((group, index) => ({ ...group, suffix: index === 0 ? '' : `/${index}` }));
}
