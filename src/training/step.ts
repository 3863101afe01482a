import { type Program, weightInputPrefix } from '../engine/program.js';
import { createPrograms, type Programs } from '../engine/programs.js';
import { floats, integers, type Value } from '../engine/values.js';
import { PolybeamError } from '../errors.js';
import { type OptimizerConfig, updateScalars } from './adamW.js';
import type { Objective, Tasks } from './objective.js';
import { threefry } from './random.js';
import { planStep, type TaskPlan, type WeightFactors } from './stepPlan.js';
import { compileStepProgram, type StepCompileOptions, type StepKind } from './stepProgram.js';
import { makeState, restore, type TrainState, tensorsOf, valuesOf } from './stepState.js';
import type { DropoutSeed, LossSums, StepReport, TrainBatch, TrainStep, UpdateOptions } from './trainStep.js';

export { type Objective, type Tasks, trainableParameters } from './objective.js';

/** How the step is compiled. */
export type StepOptions = StepCompileOptions & {
  /**
   * Learning-rate factor of a weight, by its name, in the updates of a task. 0 freezes it: it has no gradient and no part in
   * the gradient's norm, and stays what it was; one that no task trains has no optimizer state, but is saved like the others.
   * Default: 1 for all.
   */
  weightFactors?: WeightFactors;
};

/** A task with its programs, each compiled when it is first run. */
interface CompiledTask {
  name: string;
  plan: TaskPlan;
  programs: Record<StepKind, () => Promise<Program>>;
}

/**
 * Compiles forward, backward, clipping and AdamW into one program, for each of the objectives. A batch's update touches
 * the weights that its task uses and no others; each weight's bias correction counts the updates that touched it.
 * @param objective one, or several by name, which share the weights they both name
 * @param initial the weights to start from, by name
 * @throws WEIGHT_MISSING, WEIGHT_SHAPE; OPTION_INVALID for factors; and where a batch is of no known task, or the
 * micro-batches of one update are of several, INPUT_INVALID
 */
export async function compileTrainStep(
  objective: Objective | Tasks,
  initial: ReadonlyMap<string, Float32Array>,
  { weightFactors, ...options }: StepOptions,
): Promise<TrainStep> {
  const plan = planStep(objective, weightFactors);
  const state = makeState(plan, initial);
  const tasks = new Map<string, CompiledTask>();
  const { get, release } = createPrograms();
  for (const [name, own] of plan.tasks) tasks.set(name, compileTask(name, own, options, get));
  return {
    update: async (batch, update) => {
      const task = taskOf(tasks, batch);
      if (update.accumulatedTokens > 0) requireSameTask(state, task);
      const kind = update.accumulatedTokens > 0 ? 'updateAccumulated' : 'update';
      return runUpdate(await task.programs[kind](), task, state, batch, update, options.optimizer);
    },
    accumulate: async (batch, seed) => {
      const task = taskOf(tasks, batch);
      if (seed.micro > 0) requireSameTask(state, task);
      state.accumulating = task.name;
      return runAccumulate(await task.programs.accumulate(), task, state, batch, seed);
    },
    evaluate: async (batch) => {
      const { programs, plan } = taskOf(tasks, batch);
      const program = await programs.evaluate();
      const outputs = await program.run({ ...batchFeeds(batch), ...weightFeeds(state, plan) });
      const { lossSum: _, nllSum: __, ...further } = outputs;
      const measures = Object.entries(further).map(([name, { data }]) => [name, data[0]] as const);
      return { ...sums(outputs, batch), measures: Object.fromEntries(measures) };
    },
    tensors: () => tensorsOf(state),
    weightValue: (name) => state.weights[name],
    restore: (tensors) => restore(state, tensors),
    dispose: () => void release(),
  };
}

function compileTask(
  name: string,
  plan: TaskPlan,
  options: StepCompileOptions,
  get: Programs['get'],
): CompiledTask {
  const build = (kind: StepKind) => () =>
    get(`${name} ${kind}`, () => compileStepProgram(plan, kind, options));
  const programs = {
    update: build('update'),
    updateAccumulated: build('updateAccumulated'),
    accumulate: build('accumulate'),
    evaluate: build('evaluate'),
  };
  return { name, plan, programs };
}

/** The task a batch is for; a step of one task needs no name. */
function taskOf(tasks: ReadonlyMap<string, CompiledTask>, { task: name }: TrainBatch): CompiledTask {
  const only = tasks.size === 1 ? [...tasks.values()][0] : undefined;
  const found = name === undefined ? only : tasks.get(name);
  if (found) return found;
  const known = [...tasks.keys()].filter((task) => task !== '').join(', ');
  throw new PolybeamError(
    'INPUT_INVALID',
    `A batch is of task ${name ?? 'none'}, but the step has ${known || 'one unnamed objective'}: set batch.task to match.`,
  );
}

function requireSameTask({ accumulating }: TrainState, { name }: CompiledTask): void {
  if (accumulating === name) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `A micro-batch of task ${name} follows one of ${accumulating ?? 'none'} in the same update: ` +
      'accumulate batches of one task.',
  );
}

function prefixed(prefix: string, values: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function weightFeeds({ weights }: TrainState, { used }: TaskPlan): Record<string, Value> {
  return prefixed(weightInputPrefix, valuesOf(weights, used));
}

function batchFeeds(batch: TrainBatch): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(batch.feeds).map(([name, { dtype, shape, data }]) => [name, { type: dtype, shape, data }]),
  );
}

function one(value: number): Value {
  return floats([], Float32Array.of(value));
}

function dropoutFeed({ seed, update, micro }: DropoutSeed): Record<string, Value> {
  const words = new Uint32Array(2);
  threefry(seed, micro, update, 0, words);
  return { 'dropout/seed': integers([], Int32Array.of(words[0] | 0)) };
}

/** The scalars of each group's update. */
function scalarFeeds(
  { groups }: TaskPlan,
  { updates }: TrainState,
  { learningRate, update }: UpdateOptions,
  config: OptimizerConfig,
): Record<string, Value> {
  const feeds: Record<string, Value> = {};
  for (const { suffix, factor, tasks } of groups) {
    // With one task the run's own count is the same.
    const several = Object.keys(updates).length > 0;
    const done = several ? tasks.reduce((sum, task) => sum + updates[task].data[0], 0) : update - 1;
    const scalars = updateScalars(config, learningRate * factor, done + 1);
    feeds[`optimizer/stepSize${suffix}`] = one(scalars.stepSize);
    feeds[`optimizer/epsilon${suffix}`] = one(scalars.epsilon);
    feeds[`optimizer/decay${suffix}`] = one(scalars.decay);
  }
  return feeds;
}

async function runUpdate(
  program: Program,
  { name, plan }: CompiledTask,
  state: TrainState,
  batch: TrainBatch,
  update: UpdateOptions,
  config: OptimizerConfig,
): Promise<StepReport> {
  const of = (values: Record<string, Value>) => valuesOf(values, plan.trained);
  const [spare, m, v] = [of(state.spare), of(state.m), of(state.v)];
  const feeds: Record<string, Value> = {
    ...batchFeeds(batch),
    ...dropoutFeed(update),
    ...weightFeeds(state, plan),
    ...prefixed('adamM/', m),
    ...prefixed('adamV/', v),
    ...(update.accumulatedTokens > 0 ? prefixed('gradients/', of(state.gradients)) : {}),
    'optimizer/tokens': one(batch.targetTokens + update.accumulatedTokens),
    ...scalarFeeds(plan, state, update, config),
  };
  const into = {
    ...prefixed(`next/${weightInputPrefix}`, spare),
    // Moments are read by their own update alone, element by element: they can be written where they are.
    ...prefixed('next/adamM/', m),
    ...prefixed('next/adamV/', v),
  };
  const outputs = await program.run(feeds, into);
  for (const spec of plan.trained) {
    state.spare[spec.name] = state.weights[spec.name];
    state.weights[spec.name] = spare[spec.name];
  }
  if (state.updates[name]) state.updates[name].data[0]++;
  state.accumulating = undefined;
  const { lossSum, nllSum, targetTokens } = sums(outputs, batch);
  return {
    loss: lossSum / targetTokens,
    negativeLogLikelihood: nllSum / targetTokens,
    gradientNorm: outputs.gradientNorm.data[0],
    targetTokens,
  };
}

async function runAccumulate(
  program: Program,
  { plan }: CompiledTask,
  state: TrainState,
  batch: TrainBatch,
  seed: DropoutSeed,
): Promise<LossSums> {
  for (const { name, shape } of plan.trained) state.gradients[name] ??= floats(shape);
  const gradients = valuesOf(state.gradients, plan.trained);
  const feeds = {
    ...batchFeeds(batch),
    ...dropoutFeed(seed),
    ...weightFeeds(state, plan),
    ...prefixed('gradients/', gradients),
    'optimizer/keep': one(seed.micro > 0 ? 1 : 0),
  };
  return sums(await program.run(feeds, prefixed('next/gradients/', gradients)), batch);
}

function sums(outputs: Record<string, Value>, batch: TrainBatch): LossSums {
  return {
    lossSum: outputs.lossSum.data[0],
    nllSum: outputs.nllSum.data[0],
    targetTokens: batch.targetTokens,
  };
}
