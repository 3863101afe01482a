import type * as tf from '@tensorflow/tfjs';
import type { Dimension, GraphPort } from './graph.js';
import type { ParameterSpec, Parameters } from './parameters.js';
import type { PassName } from './passes/index.js';
import type { Value } from './values.js';
import type { WeightStore } from './weights.js';

/** Named tensors, inside a traced function. */
export type Tensors = Record<string, tf.Tensor>;

/** A function in plain tfjs operations, from inputs and weights to outputs. */
export type TracedFunction = (inputs: Tensors, parameters: Parameters) => Tensors;

/** Types and sizes of the inputs; a size given as a name may differ from run to run. */
export type Signature = Record<string, { type: 'float32' | 'int32' | 'bool'; shape: readonly Dimension[] }>;

/** Where a program runs: ONNX Runtime on the CPU or WebGPU, or any registered tfjs backend without a graph. */
export type Device = 'cpu' | 'webgpu' | `tfjs:${string}`;

/** How matrix products read weights: see `CompileOptions.weightPrecision`. */
export type WeightPrecision = 'float32' | 'int8' | 'int4';

export interface CompileOptions {
  /** Default 'cpu'. */
  device?: Device;
  /** Checkpoint that the weights are taken from. */
  weights?: WeightStore;
  /**
   * 'constants' (default): weights belong to the program, which ONNX Runtime prepacks. 'inputs': each weight is an
   * input `weights/<name>` of every run, as training wants it.
   */
  weightsAs?: 'constants' | 'inputs';
  /**
   * Numbers that matrix products read weights as. Default 'float32'. 'int8' rounds weights (a scale for each output) and,
   * at each run, activations; 'int4' rounds weights in blocks of 32. Only where weights are constants, on the CPU.
   */
  weightPrecision?: WeightPrecision;
  /** Threads for ONNX Runtime on the CPU; default all cores. */
  threads?: number;
  /** Passes over the graph; default those that suit the device. */
  passes?: readonly PassName[];
  /** Writes an ONNX Runtime profile with this path prefix when the program is disposed. */
  profile?: string;
}

/** A compiled function. */
export interface Program {
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** The weights the function asked for. */
  readonly parameters: readonly ParameterSpec[];
  /**
   * Runs once. Values given in `into` are written in place (the same array may be an input where the function reads
   * it before it writes, as with caches); other outputs are new.
   * @throws FEED_INVALID
   */
  run(
    feeds: Readonly<Record<string, Value>>,
    into?: Readonly<Record<string, Value>>,
  ): Promise<Record<string, Value>>;
  /** Frees the session; the program cannot be run afterwards. */
  dispose(): Promise<void>;
}

/** Prefix of weight inputs in programs compiled with `weightsAs: 'inputs'`. */
export const weightInputPrefix = 'weights/';
