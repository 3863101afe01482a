import type * as tf from '@tensorflow/tfjs-core';
import { PolybeamError } from '../errors.js';
import { disposeValues, emptyDeviceValue } from './deviceValues.js';
import type { Dimension, GraphPort } from './graph.js';
import type { ParameterSpec, Parameters } from './parameters.js';
import type { PassName } from './passes/index.js';
import type { WeightPrecision } from './quantize.js';
import type { AnyValue, DeviceValue, Value } from './values.js';
import type { WeightStore } from './weights.js';

/** Named tensors, inside a traced function. */
export type Tensors = Record<string, tf.Tensor>;

/** A function in plain tfjs operations, from inputs and weights to outputs. */
export type TracedFunction = (inputs: Tensors, parameters: Parameters) => Tensors;

/** Types and sizes of the inputs; a named size may differ from run to run. */
export type Signature = Record<
  string,
  {
    type: 'float32' | 'int32' | 'bool';
    shape: readonly Dimension[];
    /**
     * A matrix [outputs, inputs] that only products read, like a weight: if `weightPrecision` rounds weights, the
     * program takes the feeds of `weightFeeds`.
     */
    asWeight?: boolean;
  }
>;

/** Where a program runs: ONNX Runtime on the CPU, WebGPU or CUDA, or any registered tfjs backend without a graph. */
export type Device = 'cpu' | 'webgpu' | 'cuda' | `tfjs:${string}`;

export interface CompileOptions {
  /** Default 'cpu'. */
  device?: Device;
  /** Checkpoint that the weights are taken from. */
  weights?: WeightStore;
  /**
   * 'constants' (default): weights belong to the program, which ONNX Runtime prepacks. 'inputs': each weight is an
   * input `weights/<name>` of every run, for training.
   */
  weightsAs?: 'constants' | 'inputs';
  /**
   * Returns weights that are inputs and that the caller does not feed; called at each run, for example for those of a
   * running training step (`TrainStep.weightValue`). Nothing is copied or compiled anew when they change; in return nothing
   * is prepacked.
   */
  weightValue?: (name: string) => Value;
  /**
   * Number format of the weights of matrix products. Default 'float32'. 'int8' rounds weights (a scale for each output) and,
   * at each run, activations; 'int4' rounds weights in blocks of 32. Only where weights are constants, on the CPU.
   */
  weightPrecision?: WeightPrecision;
  /** Threads for ONNX Runtime on the CPU; default all cores. */
  threads?: number;
  /** Passes over the graph; default those that suit the device. */
  passes?: readonly PassName[];
  /**
   * Outputs that stay where they are computed, for other runs to read. On a device with its own memory they
   * become device values; with the host's memory this changes nothing. `Program.resident` lists them.
   */
  keep?: readonly string[];
  /** Writes an ONNX Runtime profile with this path prefix when the program is disposed. */
  profile?: string;
}

/** A compiled function. */
export interface Program {
  readonly device: Device;
  /** Outputs that stay on the device: they are written into device values and never returned. */
  readonly resident: readonly string[];
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** The weights that the function reads. */
  readonly parameters: readonly ParameterSpec[];
  /**
   * Runs once. Values given in `into` are written in place (the same value may be an input where the function reads
   * it before it writes, as with caches); other outputs are new. An output that stays on the device is computed into the
   * device value given for it, whose content before is freed after the run; without one it is dropped.
   * @returns the outputs on the host
   * @throws FEED_INVALID, MODEL_DISPOSED
   */
  run(
    feeds: Readonly<Record<string, AnyValue>>,
    into?: Readonly<Record<string, AnyValue>>,
  ): Promise<Record<string, Value>>;
  /**
   * Frees the session when the current run has ended. Later runs are refused (MODEL_DISPOSED);
   * a second call waits for the first.
   */
  dispose(): Promise<void>;
}

/** Prefix of weight inputs in programs compiled with `weightsAs: 'inputs'`. */
export const weightInputPrefix = 'weights/';

/**
 * Runs a program and returns every output, those that stay on the device as values of their own, which the caller
 * disposes.
 */
export async function runKeeping(
  program: Program,
  feeds: Readonly<Record<string, AnyValue>>,
): Promise<Record<string, AnyValue>> {
  const kept: Record<string, DeviceValue> = {};
  for (const name of program.resident) kept[name] = emptyDeviceValue(program.device);
  try {
    return { ...(await program.run(feeds, kept)), ...kept };
  } catch (error) {
    disposeValues(kept);
    throw error;
  }
}

/**
 * The outputs of a program that may stay on its device.
 * @throws OPTION_INVALID where `keep` names something else
 */
export function residentOutputs(outputs: readonly GraphPort[], { keep = [] }: CompileOptions): string[] {
  const unknown = keep.find((name) => !outputs.some((port) => port.name === name));
  if (unknown === undefined) return [...keep];
  throw new PolybeamError(
    'OPTION_INVALID',
    `Option keep names "${unknown}", which is no output; the program has ${outputs.map(({ name }) => name).join(', ')}.`,
  );
}
