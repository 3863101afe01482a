import * as tf from '@tensorflow/tfjs';
import { compile } from '../engine/compile.js';
import type { DropoutSource } from '../engine/ops/dropout.js';
import type { ParameterSpec, Parameters } from '../engine/parameters.js';
import {
  type CompileOptions,
  type Program,
  type Signature,
  type Tensors,
  weightInputPrefix,
} from '../engine/program.js';
import { describeParameters } from '../engine/traceFunction.js';
import { floats, integers, type Value } from '../engine/values.js';
import { PolybeamError } from '../errors.js';
import { adamW, clipScale, globalNorm, type OptimizerConfig, updateScalars } from './adamW.js';
import { threefry } from './random.js';
import type {
  DropoutSeed,
  LossSums,
  TrainBatch,
  TrainStep,
  TrainTensor,
  UpdateOptions,
} from './trainStep.js';

/** A model and an objective as the step sees them: sums over the target tokens of a batch. */
export interface Objective {
  signature: Signature;
  /** Scalars; only `lossSum` is differentiated. `dropout` is undefined in evaluation. */
  loss(p: Parameters, inputs: Tensors, dropout?: DropoutSource): { lossSum: tf.Tensor; nllSum: tf.Tensor };
}

/** A model's weights while it is trained. */
interface TrainState {
  specs: readonly ParameterSpec[];
  /** Two buffers a weight: a step reads one and writes the other, then they change places. */
  weights: Record<string, Value>;
  spare: Record<string, Value>;
  m: Record<string, Value>;
  v: Record<string, Value>;
  /** Made when gradients are first accumulated. */
  gradients?: Record<string, Value>;
}

/** How the step is compiled. */
export type StepOptions = Pick<CompileOptions, 'device' | 'threads' | 'profile'> & {
  optimizer: OptimizerConfig;
};

/** Every weight the objective needs, with how it starts. Given tables are not among them. */
export function trainableParameters(objective: Objective): ParameterSpec[] {
  const specs = describeParameters((inputs, p) => objective.loss(p, inputs), objective.signature);
  return specs.filter((spec) => spec.trainable);
}

/**
 * Compiles forward, backward, clipping and AdamW into one program.
 * @param initial the weights to start from, by name
 */
export async function compileTrainStep(
  objective: Objective,
  initial: ReadonlyMap<string, Float32Array>,
  options: StepOptions,
): Promise<TrainStep> {
  const specs = trainableParameters(objective);
  const state = makeState(specs, initial);
  const build = (kind: 'update' | 'updateAccumulated' | 'accumulate' | 'evaluate') =>
    once(() => compileVariant(objective, specs, kind, options));
  const programs = {
    update: build('update'),
    updateAccumulated: build('updateAccumulated'),
    accumulate: build('accumulate'),
    evaluate: build('evaluate'),
  };
  return {
    update: async (batch, update) => {
      const program = await (update.accumulatedTokens > 0 ? programs.updateAccumulated() : programs.update());
      return runUpdate(program, state, batch, update, options.optimizer);
    },
    accumulate: async (batch, seed) => runAccumulate(await programs.accumulate(), state, batch, seed),
    evaluate: async (batch) => {
      const program = await programs.evaluate();
      return sums(
        await program.run({ ...batchFeeds(batch), ...prefixed(weightInputPrefix, state.weights) }),
        batch,
      );
    },
    tensors: () => tensorsOf(state),
    restore: (tensors) => restore(state, tensors),
    dispose: () => {
      for (const program of Object.values(programs)) void program.made()?.then((made) => made.dispose());
    },
  };
}

/** Compiles on first use: accumulation and evaluation are often not needed. */
function once<T>(make: () => Promise<T>): (() => Promise<T>) & { made: () => Promise<T> | undefined } {
  let made: Promise<T> | undefined;
  const get = () => {
    made ??= make();
    return made;
  };
  return Object.assign(get, { made: () => made });
}

function makeState(specs: readonly ParameterSpec[], initial: ReadonlyMap<string, Float32Array>): TrainState {
  const make = (fill?: ReadonlyMap<string, Float32Array>) =>
    Object.fromEntries(
      specs.map((spec) => {
        const value = floats(spec.shape);
        const from = fill?.get(spec.name);
        if (fill && from?.length !== value.data.length) throw missing(spec, from?.length);
        if (from) (value.data as Float32Array).set(from);
        return [spec.name, value];
      }),
    );
  return { specs, weights: make(initial), spare: make(), m: make(), v: make() };
}

function missing(spec: ParameterSpec, found: number | undefined): PolybeamError {
  const wanted = `[${spec.shape.join(', ')}]`;
  if (found === undefined) {
    return new PolybeamError(
      'WEIGHT_MISSING',
      `No value was given for the weight ${spec.name} ${wanted}; initialize it or load it.`,
    );
  }
  return new PolybeamError(
    'WEIGHT_SHAPE',
    `The weight ${spec.name} wants ${wanted}, it was given ${found} numbers.`,
  );
}

const scalar = { type: 'float32', shape: [] } as const;

/** Signature of a variant, beyond the objective's own inputs and the weights. */
function variantSignature(objective: Objective, specs: readonly ParameterSpec[], kind: string): Signature {
  const signature: Signature = { ...objective.signature };
  if (kind !== 'evaluate') signature['dropout/seed'] = { type: 'int32', shape: [] };
  const add = (prefix: string) => {
    for (const spec of specs) signature[prefix + spec.name] = { type: 'float32', shape: spec.shape };
  };
  if (kind.startsWith('update')) {
    for (const name of ['tokens', 'stepSize', 'epsilon', 'decay']) signature[`optimizer/${name}`] = scalar;
    add('adamM/');
    add('adamV/');
  }
  if (kind === 'accumulate') signature['optimizer/keep'] = scalar;
  if (kind === 'accumulate' || kind === 'updateAccumulated') add('gradients/');
  return signature;
}

function compileVariant(
  objective: Objective,
  specs: readonly ParameterSpec[],
  kind: 'update' | 'updateAccumulated' | 'accumulate' | 'evaluate',
  options: StepOptions,
): Promise<Program> {
  const signature = variantSignature(objective, specs, kind);
  const fn = (inputs: Tensors, p: Parameters): Tensors => {
    if (kind === 'evaluate') return objective.loss(p, inputs);
    const { lossSum, nllSum, gradients } = differentiate(objective, specs, inputs, p);
    if (kind === 'accumulate') {
      const total = specs.map((spec, index) => {
        // Written as a choice, not a product: what an unused accumulator holds must not matter, NaN included.
        const before = tf.where(tf.greater(inputs['optimizer/keep'], 0), inputs[`gradients/${spec.name}`], 0);
        return [`gradients/${spec.name}`, tf.add(gradients[index], before)];
      });
      return { lossSum, nllSum, ...rename(Object.fromEntries(total)) };
    }
    const summed =
      kind === 'update'
        ? gradients
        : gradients.map((gradient, index) => tf.add(gradient, inputs[`gradients/${specs[index].name}`]));
    return { lossSum, nllSum, ...optimize(specs, inputs, p, summed, options.optimizer) };
  };
  return compile(fn, signature, { ...options, weightsAs: 'inputs' });
}

/** Outputs that have the name of an input get a name of their own: `next/...`. */
function rename(outputs: Tensors): Tensors {
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [`next/${name}`, tensor]));
}

function differentiate(
  objective: Objective,
  specs: readonly ParameterSpec[],
  inputs: Tensors,
  p: Parameters,
) {
  const weights = specs.map((spec) => p.get(spec.name, spec.shape, spec.initializer));
  let nllSum: tf.Tensor | undefined;
  const { value, grads } = tf.valueAndGrads(() => {
    const sums = objective.loss(p, inputs, { seed: inputs['dropout/seed'], next: { stream: 0 } });
    nllSum = tf.keep(sums.nllSum);
    return sums.lossSum as tf.Scalar;
  })(weights);
  return { lossSum: value as tf.Tensor, nllSum: nllSum!, gradients: grads };
}

/** Mean gradient, its norm, clipping, and AdamW for every weight. */
function optimize(
  specs: readonly ParameterSpec[],
  inputs: Tensors,
  p: Parameters,
  gradients: readonly tf.Tensor[],
  config: OptimizerConfig,
): Tensors {
  const norm = tf.div(globalNorm(gradients), inputs['optimizer/tokens']);
  const clip = clipScale(norm, config.clipNorm) ?? 1;
  const scale = tf.div(clip, inputs['optimizer/tokens']);
  const scalars = {
    stepSize: inputs['optimizer/stepSize'],
    epsilon: inputs['optimizer/epsilon'],
    decay: inputs['optimizer/decay'],
  };
  const outputs: Tensors = { gradientNorm: norm };
  specs.forEach((spec, index) => {
    const weight = p.get(spec.name, spec.shape, spec.initializer);
    const [m, v] = [inputs[`adamM/${spec.name}`], inputs[`adamV/${spec.name}`]];
    const next = adamW(weight, gradients[index], m, v, scale, scalars, config);
    outputs[`next/${weightInputPrefix}${spec.name}`] = next.weight;
    outputs[`next/adamM/${spec.name}`] = next.m;
    outputs[`next/adamV/${spec.name}`] = next.v;
  });
  return outputs;
}

function prefixed(prefix: string, values: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
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

async function runUpdate(
  program: Program,
  state: TrainState,
  batch: TrainBatch,
  update: UpdateOptions,
  config: OptimizerConfig,
) {
  const scalars = updateScalars(config, update.learningRate, update.update);
  const feeds: Record<string, Value> = {
    ...batchFeeds(batch),
    ...dropoutFeed(update),
    ...prefixed(weightInputPrefix, state.weights),
    ...prefixed('adamM/', state.m),
    ...prefixed('adamV/', state.v),
    ...(update.accumulatedTokens > 0 ? prefixed('gradients/', state.gradients!) : {}),
    'optimizer/tokens': one(batch.targetTokens + update.accumulatedTokens),
    'optimizer/stepSize': one(scalars.stepSize),
    'optimizer/epsilon': one(scalars.epsilon),
    'optimizer/decay': one(scalars.decay),
  };
  const into = {
    ...prefixed(`next/${weightInputPrefix}`, state.spare),
    // Moments are read by their own update alone, element by element: they can be written where they are.
    ...prefixed('next/adamM/', state.m),
    ...prefixed('next/adamV/', state.v),
  };
  const outputs = await program.run(feeds, into);
  [state.weights, state.spare] = [state.spare, state.weights];
  const { lossSum, nllSum, targetTokens } = sums(outputs, batch);
  return {
    loss: lossSum / targetTokens,
    negativeLogLikelihood: nllSum / targetTokens,
    gradientNorm: outputs.gradientNorm.data[0],
    targetTokens,
  };
}

async function runAccumulate(program: Program, state: TrainState, batch: TrainBatch, seed: DropoutSeed) {
  state.gradients ??= Object.fromEntries(state.specs.map((spec) => [spec.name, floats(spec.shape)]));
  const feeds = {
    ...batchFeeds(batch),
    ...dropoutFeed(seed),
    ...prefixed(weightInputPrefix, state.weights),
    ...prefixed('gradients/', state.gradients),
    'optimizer/keep': one(seed.micro > 0 ? 1 : 0),
  };
  return sums(await program.run(feeds, prefixed('next/gradients/', state.gradients)), batch);
}

function sums(outputs: Record<string, Value>, batch: TrainBatch): LossSums {
  return {
    lossSum: outputs.lossSum.data[0],
    nllSum: outputs.nllSum.data[0],
    targetTokens: batch.targetTokens,
  };
}

function tensorsOf(state: TrainState): Map<string, TrainTensor> {
  const tensors = new Map<string, TrainTensor>();
  for (const [prefix, values] of [
    ['weights/', state.weights],
    ['adamM/', state.m],
    ['adamV/', state.v],
  ] as const) {
    for (const [name, value] of Object.entries(values)) {
      tensors.set(prefix + name, { shape: [...value.shape], data: value.data as Float32Array });
    }
  }
  return tensors;
}

function restore(state: TrainState, tensors: Map<string, TrainTensor>): void {
  const live = tensorsOf(state);
  for (const [name, { shape, data }] of live) {
    const given = tensors.get(name);
    const spec = { name, shape, initializer: { kind: 'zeros' }, trainable: true } as const;
    if (given?.data.length !== data.length) throw missing(spec, given?.data.length);
  }
  for (const [name, { data }] of live) data.set(tensors.get(name)!.data);
}
