import type * as tf from '@tensorflow/tfjs-core';
import { PolybeamError } from '../errors.js';
import { Dimensions } from './dimensions.js';
import { type Graph, pruneAndSort } from './graph.js';
import './kernels/index.js';
import { type ParameterSource, type ParameterSpec, scopedParameters } from './parameters.js';
import {
  type CompileOptions,
  type Signature,
  type Tensors,
  type TracedFunction,
  weightInputPrefix,
} from './program.js';
import { Trace } from './trace.js';
import { recordInto } from './traceBackend.js';
import type { WeightStore } from './weights.js';

/**
 * Records a function as a graph. Used by `compile`; useful by itself to inspect the graph. The function must
 * depend only on its arguments: it is recorded twice, with different primes for named sizes, and a difference is a size
 * that was used as a value or that could not be recognized.
 * @throws TRACE_SHAPE, TRACE_VALUE_READ, KERNEL_UNMAPPED, WEIGHT_MISSING, WEIGHT_SHAPE
 */
export function traceFunction(
  fn: TracedFunction,
  signature: Signature,
  options: Pick<CompileOptions, 'weights' | 'weightsAs'> = {},
): { graph: Graph; parameters: ParameterSpec[] } {
  const hasNames = Object.values(signature).some(({ shape }) =>
    shape.some((size) => typeof size === 'string'),
  );
  if (!hasNames) return traceOnce(fn, signature, options, 0);
  const traces: { graph: Graph; parameters: ParameterSpec[]; lines: string[] }[] = [];
  let failure: unknown;
  // A number of the model can equal a prime by chance; then two of three traces are equal, whereas a misuse differs in all.
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const traced = traceOnce(fn, signature, options, attempt);
      pruneAndSort(traced.graph);
      const lines = describeNodes(traced.graph);
      const alike = traces.find((other) => firstDifference(other.lines, lines) === undefined);
      if (alike) return alike;
      traces.push({ ...traced, lines });
    } catch (error) {
      if (!(error instanceof PolybeamError && error.code === 'TRACE_SHAPE')) throw error;
      failure = error;
    }
  }
  throw failure ?? sizeUsedAsValue(traces[0].lines, traces[1].lines);
}

/** One line for each node, with the constants it reads. */
function describeNodes(graph: Graph): string[] {
  const shown = (name: string): string => {
    const constant = graph.constants.get(name);
    if (!constant) return name;
    return `${constant.type}[${constant.shape}]#${hash(constant.data)}`;
  };
  return graph.nodes.map(
    (node) => `${node.op} ${node.inputs.map(shown).join(' ')} ${JSON.stringify(node.attributes)}`,
  );
}

/** FNV-1a. */
function hash(bytes: Uint8Array): number {
  let result = 0x811c9dc5;
  for (const byte of bytes) result = Math.imul(result ^ byte, 0x01000193);
  return result >>> 0;
}

function firstDifference(a: readonly string[], b: readonly string[]): number | undefined {
  const length = Math.max(a.length, b.length);
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return index;
  return undefined;
}

function sizeUsedAsValue(a: readonly string[], b: readonly string[]): PolybeamError {
  const index = firstDifference(a, b)!;
  return new PolybeamError(
    'TRACE_SHAPE',
    `The size of a named dimension was used as a value in ${a[index]?.split(' ', 1)[0]}, operation ${index + 1} of ${a.length}; use sizeOf(tensor, axis) where a size is computed with.`,
  );
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
      // Fixed tables (positions) stay constants even in training.
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

/** Every weight that a function reads, found by recording it; nothing is computed. */
export function describeParameters(fn: TracedFunction, signature: Signature): ParameterSpec[] {
  return traceFunction(fn, signature).parameters;
}
