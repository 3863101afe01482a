import { PolybeamError } from '../errors.js';
import { compileEager } from './eager.js';
import type { GraphWeight } from './graph.js';
import { createOnnxProgram } from './onnxProgram.js';
import { applyPasses, passesFor } from './passes/index.js';
import type { CompileOptions, Program, Signature, TracedFunction, WeightPrecision } from './program.js';
import { traceFunction } from './traceFunction.js';
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
  options: CompileOptions = {},
): Promise<Program> {
  const device = options.device ?? 'cpu';
  const precision = options.weightPrecision ?? 'float32';
  if (precision !== 'float32' && (device !== 'cpu' || options.weightsAs === 'inputs')) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `Weights can be read as ${precision} on the device cpu and as constants only; take weightPrecision float32 on ${device}.`,
    );
  }
  if (device.startsWith('tfjs:')) return compileEager(fn, signature, { ...options, device });
  if (device !== 'cpu' && device !== 'webgpu' && device !== 'cuda') {
    throw new PolybeamError(
      'DEVICE_UNKNOWN',
      `There is no device "${device}"; use cpu, webgpu, cuda or tfjs:<backend>.`,
    );
  }
  const { graph, parameters } = traceFunction(fn, signature, options);
  for (const port of graph.inputs) port.asWeight = signature[port.name]?.asWeight;
  applyPasses(graph, options.passes ?? passesFor(device), precision);
  return createOnnxProgram(graph, parameters, { ...options, device });
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
