import * as tf from '@tensorflow/tfjs-core';
import { PolybeamError } from '../errors.js';
import { countRun, replaceContent } from './deviceValues.js';
import { useGradients } from './gradientRegistry.js';
import type { GraphPort } from './graph.js';
import { computedWeight, type ParameterSource, type ParameterSpec, scopedParameters } from './parameters.js';
import {
  type CompileOptions,
  type Device,
  type Program,
  residentOutputs,
  type Signature,
  type Tensors,
  type TracedFunction,
  weightInputPrefix,
} from './program.js';
import { deviceHost } from './runtime.js';
import { traceBackendName } from './traceBackend.js';
import { traceFunction } from './traceFunction.js';
import {
  type AnyValue,
  checkFeeds,
  checkInto,
  type DeviceContent,
  isOnDevice,
  type Value,
} from './values.js';

/**
 * A program without a graph: the function runs eagerly on a registered tfjs backend. It is the reference in tests of
 * graphs, and supports devices that only tfjs supports.
 */
export async function compileEager(
  fn: TracedFunction,
  signature: Signature,
  options: CompileOptions,
): Promise<Program> {
  const backend = (options.device ?? '').slice('tfjs:'.length);
  await requireBackend(backend);
  const ports: GraphPort[] = Object.entries(signature).map(([name, port]) => ({ name, ...port }));
  // Recording finds the weights, which may depend on the checkpoint, and the sizes of the outputs.
  const { graph, parameters } = traceFunction(fn, signature, options);
  const constants = await loadConstants(backend, parameters, options);
  const asInputs = options.weightsAs === 'inputs';
  const trainable = parameters.filter((spec) => spec.trainable);
  const inputs = asInputs ? [...ports, ...trainable.map(weightPort)] : ports;
  const place = {
    device: `tfjs:${backend}` as Device,
    resident: residentOutputs(graph.outputs, options),
  };
  return {
    ...place,
    inputs,
    outputs: graph.outputs,
    parameters,
    run: async (feeds, into = {}) => {
      checkFeeds(inputs, feeds, place);
      checkInto(graph.outputs, into, place);
      await useBackend(backend);
      useGradients();
      const tensors = tf.tidy(() => {
        const given = Object.fromEntries(ports.map((port) => [port.name, toTensor(feeds[port.name])]));
        const source = eagerSource(constants, asInputs ? feeds : undefined, options);
        return ownTensors(fn(given, scopedParameters(source)));
      });
      const outputs: Record<string, Value> = {};
      for (const [name, tensor] of Object.entries(tensors)) {
        const target = into[name];
        if (target && isOnDevice(target)) replaceContent(target, contentOf(tensor));
        else if (place.resident.includes(name)) tensor.dispose();
        else outputs[name] = await toValue(tensor, target);
      }
      countRun(feeds, outputs);
      return outputs;
    },
    dispose: async () => {
      tf.dispose([...constants.values()]);
      constants.clear();
    },
  };
}

/** Registers a tfjs backend, by importing its package if the host can. */
async function requireBackend(backend: string): Promise<void> {
  if (backend === traceBackendName) {
    throw new PolybeamError(
      'DEVICE_UNKNOWN',
      `There is no device "tfjs:${backend}": that backend records and computes nothing.`,
    );
  }
  await loadBackend(backend);
  if (!tf.findBackendFactory(backend)) {
    throw new PolybeamError(
      'DEVICE_UNAVAILABLE',
      `The tfjs backend "${backend}" is not registered; import its package first (for example @tensorflow/tfjs-node-gpu for "tensorflow").`,
    );
  }
}

/**
 * Registers a backend whose package is known: tfjs's own for the CPU here, others by the host. Does nothing where it is
 * registered already, or no package is known.
 *
 * @returns name and version of what the host has loaded
 * @throws DEVICE_UNAVAILABLE where the package cannot be loaded
 */
export async function loadBackend(backend: string): Promise<string | undefined> {
  if (tf.findBackendFactory(backend)) return undefined;
  if (backend !== 'cpu') return deviceHost().loadTfjsBackend?.(backend);
  await import('@tensorflow/tfjs-backend-cpu');
  return undefined;
}

/** Makes a registered backend the one that computes; its driver may fail. */
async function useBackend(backend: string): Promise<void> {
  const ready = tf.getBackend() === backend || (await tf.setBackend(backend));
  if (!ready) {
    throw new PolybeamError(
      'DEVICE_UNAVAILABLE',
      `The tfjs backend "${backend}" is registered but could not start here.`,
    );
  }
  // Another program may have selected its own backend while this one waited.
  if (tf.getBackend() !== backend) void tf.setBackend(backend);
}

function weightPort(spec: ParameterSpec): GraphPort {
  return { name: weightInputPrefix + spec.name, type: 'float32', shape: spec.shape };
}

async function loadConstants(
  backend: string,
  parameters: readonly ParameterSpec[],
  options: CompileOptions,
): Promise<Map<string, tf.Tensor>> {
  const tensors = new Map<string, tf.Tensor>();
  await useBackend(backend);
  for (const spec of parameters) {
    if (options.weightsAs === 'inputs' && spec.trainable) continue;
    const stored = options.weights?.get(spec.name) !== undefined;
    const values = stored ? await options.weights!.read(spec.name) : computedWeight(spec);
    tensors.set(spec.name, tf.tensor(values, spec.shape as number[]));
  }
  return tensors;
}

function eagerSource(
  constants: Map<string, tf.Tensor>,
  feeds: Readonly<Record<string, AnyValue>> | undefined,
  options: CompileOptions,
): ParameterSource {
  const made = new Map<string, tf.Tensor>();
  return {
    get: (spec) => {
      const known = constants.get(spec.name) ?? made.get(spec.name);
      if (known) return known;
      const tensor = toTensor(feeds![weightInputPrefix + spec.name]);
      made.set(spec.name, tensor);
      return tensor;
    },
    has: (name, byDefault) => (options.weights ? options.weights.get(name) !== undefined : byDefault),
  };
}

/** Each output as a separate tensor that can be freed by itself: a function may return its input. */
function ownTensors(outputs: Tensors): Tensors {
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tf.clone(tensor)]));
}

/** A tensor of the host's data, or the one that a device value holds. */
function toTensor(value: AnyValue): tf.Tensor {
  if (isOnDevice(value)) return value.content!.tensor as tf.Tensor;
  return tf.tensor(value.data as never, value.shape as number[], value.type as tf.NumericDataType);
}

function contentOf(tensor: tf.Tensor): DeviceContent {
  const { dtype, shape } = tensor;
  return { type: dtype as Value['type'], shape, tensor, free: () => tensor.dispose() };
}

/** Reads a tensor and frees it. */
async function toValue(tensor: tf.Tensor, into?: Value): Promise<Value> {
  const data = (await tensor.data()) as Value['data'];
  tensor.dispose();
  if (into) {
    into.data.set(data as never);
    return into;
  }
  return { type: tensor.dtype as Value['type'], shape: tensor.shape, data };
}
