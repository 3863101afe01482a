import * as tf from '@tensorflow/tfjs';
import { PolybeamError } from '../errors.js';
import type { GraphPort } from './graph.js';
import { computedWeight, type ParameterSource, type ParameterSpec, scopedParameters } from './parameters.js';
import {
  type CompileOptions,
  type Program,
  type Signature,
  type TracedFunction,
  weightInputPrefix,
} from './program.js';
import { checkStored, describeParameters } from './traceFunction.js';
import { checkFeeds, type Value } from './values.js';

/**
 * A program without a graph: the function runs eagerly on a registered tfjs backend. The reference that graphs are
 * tested against, and the way to devices only tfjs reaches.
 */
export async function compileEager(
  fn: TracedFunction,
  signature: Signature,
  options: CompileOptions,
): Promise<Program> {
  const backend = (options.device ?? '').slice('tfjs:'.length);
  if (!tf.findBackendFactory(backend) || backend === 'polybeam-trace') {
    throw new PolybeamError(
      'DEVICE_UNAVAILABLE',
      `The tfjs backend "${backend}" is not registered; import its package first (for example @tensorflow/tfjs-node-gpu for "tensorflow").`,
    );
  }
  const ports: GraphPort[] = Object.entries(signature).map(([name, port]) => ({ name, ...port }));
  const specs = new Map<string, ParameterSpec>();
  const constants = await loadConstants(fn, signature, options, specs);
  const asInputs = options.weightsAs === 'inputs';
  const trainable = [...specs.values()].filter((spec) => spec.trainable);
  const inputs = asInputs ? [...ports, ...trainable.map(weightPort)] : ports;
  const program: Program & { outputs: GraphPort[] } = {
    inputs,
    outputs: [],
    parameters: [...specs.values()],
    run: async (feeds, into = {}) => {
      checkFeeds(inputs, feeds);
      await tf.setBackend(backend);
      const tensors = tf.tidy(() => {
        const given = Object.fromEntries(ports.map((port) => [port.name, toTensor(feeds[port.name])]));
        return fn(given, scopedParameters(eagerSource(constants, asInputs ? feeds : undefined, options)));
      });
      const outputs: Record<string, Value> = {};
      for (const [name, tensor] of Object.entries(tensors)) outputs[name] = await toValue(tensor, into[name]);
      tf.dispose(tensors);
      return outputs;
    },
    dispose: async () => {
      tf.dispose([...constants.values()]);
      constants.clear();
    },
  };
  return program;
}

function weightPort(spec: ParameterSpec): GraphPort {
  return { name: weightInputPrefix + spec.name, type: 'float32', shape: spec.shape };
}

async function loadConstants(
  fn: TracedFunction,
  signature: Signature,
  options: CompileOptions,
  specs: Map<string, ParameterSpec>,
): Promise<Map<string, tf.Tensor>> {
  for (const spec of describeParameters(fn, signature)) specs.set(spec.name, spec);
  const tensors = new Map<string, tf.Tensor>();
  await tf.setBackend((options.device ?? '').slice('tfjs:'.length));
  for (const spec of specs.values()) {
    if (options.weightsAs === 'inputs' && spec.trainable) continue;
    if (options.weights) checkStored(options.weights, spec);
    const stored = options.weights?.get(spec.name) !== undefined;
    const values = stored ? await options.weights!.read(spec.name) : computedWeight(spec);
    tensors.set(spec.name, tf.tensor(values, spec.shape as number[]));
  }
  return tensors;
}

function eagerSource(
  constants: Map<string, tf.Tensor>,
  feeds: Readonly<Record<string, Value>> | undefined,
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

function toTensor(value: Value): tf.Tensor {
  return tf.tensor(value.data as never, value.shape as number[], value.type);
}

async function toValue(tensor: tf.Tensor, into?: Value): Promise<Value> {
  const data = (await tensor.data()) as Value['data'];
  if (into) {
    into.data.set(data as never);
    return into;
  }
  return { type: tensor.dtype as Value['type'], shape: tensor.shape, data };
}
