import type * as tf from '@tensorflow/tfjs-core';
import type { DropoutSource } from '../engine/ops/dropout.js';
import type { ParameterSpec, Parameters } from '../engine/parameters.js';
import type { Signature, Tensors } from '../engine/program.js';
import { describeParameters } from '../engine/traceFunction.js';
import { PolybeamError } from '../errors.js';

/** A model and an objective as the step sees them: sums over the target tokens of a batch. */
export interface Objective {
  signature: Signature;
  /** Scalars; only `lossSum` is differentiated. `dropout` is undefined in evaluation. */
  loss(p: Parameters, inputs: Tensors, dropout?: DropoutSource): { lossSum: tf.Tensor; nllSum: tf.Tensor };
  /**
   * What an evaluation computes where that is more than the loss: scalars `lossSum` and `nllSum`, and further sums by name, such as
   * how many labels were predicted rightly.
   */
  evaluate?(p: Parameters, inputs: Tensors): Tensors;
}

/** Objectives that share weights, by name; a batch says in `task` which one it is for. */
export type Tasks = Readonly<Record<string, Objective>>;

/** Name of an objective that is trained alone. */
const onlyTask = '';

/** One objective as a record of one. */
export function asTasks(objective: Objective | Tasks): Tasks {
  return isObjective(objective) ? { [onlyTask]: objective } : objective;
}

function isObjective(objective: Objective | Tasks): objective is Objective {
  return typeof objective.loss === 'function';
}

/**
 * Every weight the objectives need, each once, with how it starts. Given tables are not among them.
 * @throws WEIGHT_SHAPE where two objectives want one weight in different shapes
 */
export function trainableParameters(objective: Objective | Tasks): ParameterSpec[] {
  return mergeParameters(parametersByTask(asTasks(objective)));
}

/** Every weight that each objective needs, found by recording it. */
export function parametersByTask(tasks: Tasks): Map<string, ParameterSpec[]> {
  // Tasks can be stages of one objective.
  const known = new Map<Objective, ParameterSpec[]>();
  const found = (objective: Objective) => known.get(objective) ?? parametersOf(objective);
  for (const objective of Object.values(tasks)) known.set(objective, found(objective));
  return new Map(Object.entries(tasks).map(([task, objective]) => [task, known.get(objective)!]));
}

function parametersOf(objective: Objective): ParameterSpec[] {
  const specs = describeParameters((inputs, p) => objective.loss(p, inputs), objective.signature);
  return specs.filter((spec) => spec.trainable);
}

/** The weights of all tasks, each once. @throws WEIGHT_SHAPE */
export function mergeParameters(byTask: ReadonlyMap<string, readonly ParameterSpec[]>): ParameterSpec[] {
  const all = new Map<string, ParameterSpec>();
  for (const [task, own] of byTask) {
    for (const spec of own) {
      const known = all.get(spec.name);
      if (known && known.shape.join() !== spec.shape.join()) throw shapesDiffer(known, spec, task);
      if (!known) all.set(spec.name, spec);
    }
  }
  return [...all.values()];
}

function shapesDiffer(known: ParameterSpec, spec: ParameterSpec, task: string): PolybeamError {
  return new PolybeamError(
    'WEIGHT_SHAPE',
    `The weight ${spec.name} is [${known.shape.join(', ')}] in one task and [${spec.shape.join(', ')}] in ${task}: ` +
      'make the sizes equal, or name the weights apart.',
  );
}
