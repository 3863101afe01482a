import { PolybeamError } from '../errors.js';
import { requireFunction, requireList, requireObject } from '../inputs.js';
import { compileEager } from './eager.js';
import type { Graph, GraphPort, GraphWeight } from './graph.js';
import { takeHostPart, withHostPart } from './hostPart.js';
import { createOnnxProgram } from './onnxProgram.js';
import type { ParameterSpec } from './parameters.js';
import { applyPasses, passesFor } from './passes/index.js';
import {
  type CompileOptions,
  type Program,
  type Signature,
  type TracedFunction,
  weightInputPrefix,
} from './program.js';
import { guarded } from './programs.js';
import type { WeightPrecision } from './quantize.js';
import { traceFunction } from './traceFunction.js';
import type { AnyValue } from './values.js';
import type { WeightStore } from './weights.js';

/**
 * Compiles a function of tfjs operations into a program. The function runs once, recorded; its gradients, if it
 * computes any, are recorded too. One program serves any size of the named dimensions. Operations are functions of
 * `@tensorflow/tfjs-core` (`tf.square(x)`); methods of tensors (`x.square()`) come with the whole package tfjs alone.
 * @throws KERNEL_UNMAPPED, TRACE_VALUE_READ, TRACE_SHAPE, WEIGHT_MISSING, WEIGHT_SHAPE, DEVICE_UNKNOWN,
 * DEVICE_UNAVAILABLE, OPTION_CONFLICT
 */
export async function compile(
  fn: TracedFunction,
  signature: Signature,
  given: CompileOptions = {},
): Promise<Program> {
  requireFunction(fn, 'fn');
  requireObject(signature, 'signature', 'the types and shapes of inputs by their names');
  for (const [name, input] of Object.entries(signature)) {
    requireObject(input, `signature.${name}`, 'a type and a shape');
    requireList(input.shape, `signature.${name}.shape`, 'sizes');
  }
  requireObject(given, 'options', 'options such as device');
  const options: CompileOptions = given.weightValue ? { ...given, weightsAs: 'inputs' } : given;
  const device = options.device ?? 'cpu';
  const precision = options.weightPrecision ?? 'float32';
  if (precision !== 'float32' && (device !== 'cpu' || options.weightsAs === 'inputs')) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `Weights can be read as ${precision} on the device cpu and as constants only; take weightPrecision float32 on ${device}.`,
    );
  }
  if (device.startsWith('tfjs:')) {
    return guarded(withWeightValues(await compileEager(fn, signature, { ...options, device }), options));
  }
  if (device !== 'cpu' && device !== 'webgpu' && device !== 'cuda') {
    throw new PolybeamError(
      'DEVICE_UNKNOWN',
      `There is no device "${device}"; use cpu, webgpu, cuda or tfjs:<backend>.`,
    );
  }
  const { graph, parameters } = traceFunction(fn, signature, options);
  for (const port of graph.inputs) port.asWeight = signature[port.name]?.asWeight;
  applyPasses(graph, options.passes ?? passesFor(device), precision);
  const program = await createProgram(graph, parameters, { ...options, device });
  return guarded(withWeightValues(program, options));
}

/** A program over a graph, in two parts if one of them is better computed on the host. */
async function createProgram(
  graph: Graph,
  parameters: readonly ParameterSpec[],
  options: CompileOptions,
): Promise<Program> {
  const hostGraph = options.device === 'webgpu' ? takeHostPart(graph) : undefined;
  const program = await createOnnxProgram(graph, parameters, options);
  if (!hostGraph) return program;
  const { profile, ...rest } = options;
  const hostOptions: CompileOptions = {
    ...rest,
    device: 'cpu',
    keep: [],
    ...(profile && { profile: `${profile}-host` }),
  };
  try {
    return withHostPart(program, await createOnnxProgram(hostGraph, parameters, hostOptions));
  } catch (error) {
    await program.dispose();
    throw error;
  }
}

/** Wraps a program whose weights are fed at each run, so that callers need not feed them. */
function withWeightValues(program: Program, { weightValue }: CompileOptions): Program {
  if (!weightValue) return program;
  const isWeight = ({ name }: GraphPort) => name.startsWith(weightInputPrefix);
  const names = program.inputs.filter(isWeight).map(({ name }) => name);
  return {
    ...program,
    inputs: program.inputs.filter((port) => !isWeight(port)),
    run: (feeds, into) => {
      const all: Record<string, AnyValue> = { ...feeds };
      for (const name of names) all[name] = weightValue(name.slice(weightInputPrefix.length));
      return program.run(all, into);
    },
  };
}

/** The weights of a function that its program on the CPU would have as constants; nothing is compiled or read. */
export function constantWeights(
  fn: TracedFunction,
  signature: Signature,
  weights: WeightStore,
  precision: WeightPrecision,
): GraphWeight[] {
  const { graph } = traceFunction(fn, signature, { weights });
  applyPasses(graph, passesFor('cpu'), precision);
  return [...graph.weights.values()];
}
