import { PolybeamError } from '../errors.js';
import { compileEager } from './eager.js';
import type { GraphPort, GraphWeight } from './graph.js';
import { createOnnxProgram } from './onnxProgram.js';
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
 * computes any, are recorded too. One program serves any size of the named dimensions.
 * @throws KERNEL_UNMAPPED, TRACE_VALUE_READ, TRACE_SHAPE, WEIGHT_MISSING, WEIGHT_SHAPE, DEVICE_UNKNOWN,
 * DEVICE_UNAVAILABLE, OPTION_CONFLICT
 */
export async function compile(
  fn: TracedFunction,
  signature: Signature,
  given: CompileOptions = {},
): Promise<Program> {
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
  return guarded(
    withWeightValues(await createOnnxProgram(graph, parameters, { ...options, device }), options),
  );
}

/** A program whose weights are fed at each run, as one that needs no such feeds. */
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

/** The weights of a function as constants of its program on the CPU; nothing is compiled or read. */
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
