import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../engine/compile.js';
import type { ParameterSpec, Parameters } from '../engine/parameters.js';
import {
  type CompileOptions,
  type Program,
  type Signature,
  type Tensors,
  weightInputPrefix,
} from '../engine/program.js';
import { adamW, clipScale, globalNorm, type OptimizerConfig } from './adamW.js';
import type { Objective } from './objective.js';
import type { TaskPlan } from './stepPlan.js';

/** What a program of the step does. */
export type StepKind = 'update' | 'updateAccumulated' | 'accumulate' | 'evaluate';

/** How the programs are compiled. */
export type StepCompileOptions = Pick<CompileOptions, 'device' | 'threads' | 'profile'> & {
  optimizer: OptimizerConfig;
};

const scalar = { type: 'float32', shape: [] } as const;

/** Scalars of a group's update, without its suffix. */
export const groupScalars = ['stepSize', 'epsilon', 'decay'] as const;

/** Signature of a program, beyond the weights. */
function signatureOf(plan: TaskPlan, kind: StepKind): Signature {
  const signature: Signature = { ...plan.objective.signature };
  if (kind !== 'evaluate') signature['dropout/seed'] = { type: 'int32', shape: [] };
  const add = (prefix: string) => {
    for (const spec of plan.trained) signature[prefix + spec.name] = { type: 'float32', shape: spec.shape };
  };
  if (kind.startsWith('update')) {
    signature['optimizer/tokens'] = scalar;
    for (const { suffix } of plan.groups)
      for (const name of groupScalars) signature[`optimizer/${name}${suffix}`] = scalar;
    add('adamM/');
    add('adamV/');
  }
  if (kind === 'accumulate') signature['optimizer/keep'] = scalar;
  if (kind === 'accumulate' || kind === 'updateAccumulated') add('gradients/');
  return signature;
}

/** Compiles one program of a task. */
export function compileStepProgram(
  plan: TaskPlan,
  kind: StepKind,
  options: StepCompileOptions,
): Promise<Program> {
  const { objective, trained } = plan;
  const fn = (inputs: Tensors, p: Parameters): Tensors => {
    if (kind === 'evaluate') return objective.evaluate?.(p, inputs) ?? objective.loss(p, inputs);
    const { lossSum, nllSum, gradients } = differentiate(objective, trained, inputs, p);
    if (kind === 'accumulate') {
      const total = trained.map((spec, index) => {
        // Written as a choice, not a product: what an unused accumulator holds must not matter, NaN included.
        const before = tf.where(tf.greater(inputs['optimizer/keep'], 0), inputs[`gradients/${spec.name}`], 0);
        // An output that has the name of an input gets a name of its own.
        return [`next/gradients/${spec.name}`, tf.add(gradients[index], before)];
      });
      return { lossSum, nllSum, ...Object.fromEntries(total) };
    }
    const summed =
      kind === 'update'
        ? gradients
        : gradients.map((gradient, index) => tf.add(gradient, inputs[`gradients/${trained[index].name}`]));
    return { lossSum, nllSum, ...optimize(plan, inputs, p, summed, options.optimizer) };
  };
  return compile(fn, signatureOf(plan, kind), { ...options, weightsAs: 'inputs' });
}

function differentiate(
  objective: Objective,
  trained: readonly ParameterSpec[],
  inputs: Tensors,
  p: Parameters,
) {
  const weights = trained.map((spec) => p.get(spec.name, spec.shape, spec.initializer));
  let nllSum: tf.Tensor | undefined;
  const { value, grads } = tf.valueAndGrads(() => {
    const sums = objective.loss(p, inputs, { seed: inputs['dropout/seed'], next: { stream: 0 } });
    nllSum = tf.keep(sums.nllSum);
    return sums.lossSum as tf.Scalar;
  })(weights);
  return { lossSum: value as tf.Tensor, nllSum: nllSum!, gradients: grads };
}

/** Mean gradient, its norm, clipping, and AdamW for every trained weight. */
function optimize(
  { trained, groups }: TaskPlan,
  inputs: Tensors,
  p: Parameters,
  gradients: readonly tf.Tensor[],
  config: OptimizerConfig,
): Tensors {
  const norm = tf.div(globalNorm(gradients), inputs['optimizer/tokens']);
  const clip = clipScale(norm, config.clipNorm) ?? 1;
  const scale = tf.div(clip, inputs['optimizer/tokens']);
  const gradientOf = new Map(trained.map((spec, index) => [spec, gradients[index]]));
  const outputs: Tensors = { gradientNorm: norm };
  for (const { suffix, specs } of groups) {
    const scalars = {
      stepSize: inputs[`optimizer/stepSize${suffix}`],
      epsilon: inputs[`optimizer/epsilon${suffix}`],
      decay: inputs[`optimizer/decay${suffix}`],
    };
    for (const spec of specs) {
      const weight = p.get(spec.name, spec.shape, spec.initializer);
      const [m, v] = [inputs[`adamM/${spec.name}`], inputs[`adamV/${spec.name}`]];
      const next = adamW(weight, gradientOf.get(spec)!, m, v, scale, scalars, config);
      outputs[`next/${weightInputPrefix}${spec.name}`] = next.weight;
      outputs[`next/adamM/${spec.name}`] = next.m;
      outputs[`next/adamV/${spec.name}`] = next.v;
    }
  }
  return outputs;
}
