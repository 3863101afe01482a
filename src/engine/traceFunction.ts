import type * as tf from '@tensorflow/tfjs';
import { PolybeamError } from '../errors.js';
import { Dimensions } from './dimensions.js';
import type { Graph } from './graph.js';
import './kernels/index.js';
import { type ParameterSource, type ParameterSpec, scopedParameters } from './parameters.js';
import {
  type CompileOptions,
  type Signature,
  type Tensors,
  type TracedFunction,
  weightInputPrefix,
} from './program.js';
import { recordInto, Trace } from './trace.js';
import type { WeightStore } from './weights.js';

/** Records a function as a graph. Used by `compile`; of use alone to look at what a function became. */
export function traceFunction(
  fn: TracedFunction,
  signature: Signature,
  options: Pick<CompileOptions, 'weights' | 'weightsAs'> = {},
): { graph: Graph; parameters: ParameterSpec[] } {
  // A real number can equal a stand-in by chance; then other stand-ins do not clash, where a misuse clashes again.
  for (let attempt = 0; ; attempt++) {
    try {
      return traceOnce(fn, signature, options, attempt);
    } catch (error) {
      const clash = error instanceof PolybeamError && error.code === 'TRACE_SHAPE';
      if (!clash || attempt === 2) throw error;
    }
  }
}

function traceOnce(
  fn: TracedFunction,
  signature: Signature,
  options: Pick<CompileOptions, 'weights' | 'weightsAs'>,
  attempt: number,
): { graph: Graph; parameters: ParameterSpec[] } {
  const trace = new Trace(new Dimensions(attempt));
  const { source, specs } = tracedSource(trace, options);
  return recordInto(trace, () => {
    const inputs: Tensors = {};
    for (const [name, { type, shape }] of Object.entries(signature))
      inputs[name] = trace.input(name, type, shape);
    const outputs = fn(inputs, scopedParameters(source));
    for (const [name, tensor] of Object.entries(outputs)) trace.output(name, tensor);
    return { graph: trace.finish(), parameters: [...specs.values()] };
  });
}

function tracedSource(trace: Trace, options: Pick<CompileOptions, 'weights' | 'weightsAs'>) {
  const specs = new Map<string, ParameterSpec>();
  const tensors = new Map<string, tf.Tensor>();
  const source: ParameterSource = {
    get: (spec) => {
      const known = tensors.get(spec.name);
      if (known) {
        checkSameShape(specs.get(spec.name)!.shape, spec);
        return known;
      }
      if (options.weights) checkStored(options.weights, spec);
      if (spec.shape.some((size) => trace.dimensions.isMultiple(size))) {
        throw new PolybeamError(
          'TRACE_SHAPE',
          `The weight ${spec.name} has a size of a named dimension: [${spec.shape}].`,
        );
      }
      specs.set(spec.name, spec);
      // Given tables (positions) stay constants even in training: nothing updates them.
      const tensor =
        options.weightsAs === 'inputs' && spec.trainable
          ? trace.input(weightInputPrefix + spec.name, 'float32', spec.shape)
          : trace.weight(spec.name, spec.shape);
      tensors.set(spec.name, tensor);
      return tensor;
    },
    has: (name, byDefault) => (options.weights ? options.weights.get(name) !== undefined : byDefault),
  };
  return { source, specs };
}

function checkSameShape(shape: readonly number[], spec: ParameterSpec): void {
  if (shape.length !== spec.shape.length || shape.some((size, axis) => size !== spec.shape[axis])) {
    throw new PolybeamError(
      'WEIGHT_SHAPE',
      `The weight ${spec.name} is [${shape.join(', ')}] in the checkpoint, the model wants [${spec.shape.join(', ')}]: config.json and weights do not belong together.`,
    );
  }
}

/** Refuses a weight that is missing or has another shape. */
export function checkStored(weights: WeightStore, spec: ParameterSpec): void {
  const stored = weights.get(spec.name);
  if (!stored && spec.initializer.kind === 'values' && !spec.trainable) return;
  if (!stored) {
    throw new PolybeamError(
      'WEIGHT_MISSING',
      `The checkpoint has no weight ${spec.name} [${spec.shape.join(', ')}]; check that config.json describes this checkpoint.`,
    );
  }
  checkSameShape(stored.shape, spec);
}

/** Every weight a function asks for, found by recording it; nothing is computed. */
export function describeParameters(fn: TracedFunction, signature: Signature): ParameterSpec[] {
  return traceFunction(fn, signature).parameters;
}
