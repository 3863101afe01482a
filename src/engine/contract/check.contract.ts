import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../compile.js';
import { gradients } from '../gradientRegistry.js';
import { rangeTo } from '../ops/sizes.js';
import type { Device, Program, Signature, Tensors, TracedFunction } from '../program.js';
import { traceBackendName } from '../traceBackend.js';
import type { Value } from '../values.js';
import {
  type DeviceLimits,
  dimensionNames,
  fillInput,
  type KernelCase,
  randomNumbers,
  type Scenario,
} from './scenario.contract.js';

// By a name that the compiler does not follow: its types would give tensors methods that tfjs-core does not have.
const wholeTfjs: string = '@tensorflow/tfjs';
await import(wholeTfjs);

/** The gradients that tfjs ships. */
const shipped = [...gradients.keys()].map((kernel) => tf.getGradient(kernel)).filter((config) => config);

/** Kernels recorded and gradients taken while tracing, since the suite began. */
export const covered = { kernels: new Set<string>(), gradients: new Set<string>() };

/** Counts what is recorded, so that a case that never reaches its kernel is noticed. */
export function watchCoverage(kernels: readonly string[]): void {
  for (const kernelName of kernels) {
    const kernel = tf.getKernel(kernelName, traceBackendName);
    tf.unregisterKernel(kernelName, traceBackendName);
    tf.registerKernel({
      ...kernel,
      kernelFunc: (call) => {
        covered.kernels.add(kernelName);
        return kernel.kernelFunc(call);
      },
    });
    const gradient = gradients.get(kernelName);
    if (gradient)
      gradients.set(kernelName, { ...gradient, gradFunc: counted(kernelName, gradient.gradFunc) });
  }
}

function counted(kernelName: string, gradFunc: tf.GradFunc): tf.GradFunc {
  return (dy, saved, attributes) => {
    if (tf.getBackend() === traceBackendName) covered.gradients.add(kernelName);
    return gradFunc(dy, saved, attributes);
  };
}

/** Runs with the gradients tfjs ships, not with polybeam's. */
async function withShippedGradients<T>(run: () => Promise<T>): Promise<T> {
  const ours = [...gradients];
  for (const config of shipped) gradients.set(config.kernelName, config);
  try {
    return await run();
  } finally {
    for (const [kernelName, config] of ours) gradients.set(kernelName, config);
  }
}

/** A sum of the outputs with a different factor for each element, so that every gradient element matters. */
function weightedTotal(outputs: readonly tf.Tensor[]): tf.Scalar {
  const terms = outputs
    .filter((output) => output.dtype === 'float32')
    .map((output) => {
      const factors = tf.cos(tf.mul(tf.cast(rangeTo(output.size), 'float32'), 0.7));
      return tf.sum(tf.mul(output, tf.reshape(factors, output.shape)));
    });
  return terms.reduce((sum, term) => tf.add(sum, term)) as tf.Scalar;
}

function asList(outputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(outputs) ? outputs : [outputs];
}

function total(scenario: Scenario, inputs: Tensors): tf.Scalar {
  return weightedTotal(asList(scenario.compute(inputs)));
}

/** The scenario as one function: outputs `out0`, ..., and `gradient/<input>` for each differentiated input. */
function scenarioFunction(scenario: Scenario): TracedFunction {
  return (inputs) => {
    const results: Tensors = {};
    asList(scenario.compute(inputs)).forEach((output, index) => {
      results[`out${index}`] = output;
    });
    const names = scenario.differentiate ?? [];
    if (names.length === 0) return results;
    const slopes = tf.grads((...given: tf.Tensor[]) =>
      total(scenario, { ...inputs, ...Object.fromEntries(names.map((name, index) => [name, given[index]])) }),
    )(names.map((name) => inputs[name]));
    names.forEach((name, index) => {
      results[`gradient/${name}`] = slopes[index];
    });
    return results;
  };
}

/** Central differences of the weighted total, element by element, on eager tfjs. */
async function differences(scenario: Scenario, feeds: Record<string, Value>): Promise<Record<string, Value>> {
  const results: Record<string, Value> = {};
  await tf.setBackend('cpu');
  const at = (name: string, data: Float32Array): number =>
    tf.tidy(() => {
      const inputs = Object.fromEntries(
        Object.entries(feeds).map(([key, value]) => [
          key,
          tf.tensor(
            (key === name ? data : value.data) as never,
            value.shape as number[],
            value.type as tf.NumericDataType,
          ),
        ]),
      );
      return total(scenario, inputs).dataSync()[0];
    });
  const step = 1 / 128;
  for (const name of scenario.differentiate ?? []) {
    const { data, shape } = feeds[name];
    const slope = Float32Array.from(data as Float32Array, (_, index) => {
      const moved = (by: number) =>
        (data as Float32Array).map((value, other) => (other === index ? value + by : value));
      return (at(name, moved(step)) - at(name, moved(-step))) / (2 * step);
    });
    results[`gradient/${name}`] = { type: 'float32', shape, data: slope };
  }
  return results;
}

async function reference(
  kernelCase: KernelCase,
  scenario: Scenario,
  signature: Signature,
): Promise<(feeds: Record<string, Value>) => Promise<Record<string, Value>>> {
  const withoutGradient = kernelCase.wrongGradient !== undefined;
  const fn = scenarioFunction(withoutGradient ? { ...scenario, differentiate: [] } : scenario);
  const eager = await compile(fn, signature, { device: 'tfjs:cpu' });
  return (feeds) =>
    withShippedGradients(async () => ({
      ...(await eager.run(feeds)),
      ...(withoutGradient ? await differences(scenario, feeds) : {}),
    }));
}

/** Compiles a scenario once for the device and compares every run with eager tfjs. */
export async function checkScenario(
  kernelCase: KernelCase,
  scenario: Scenario,
  device: Device,
  seed: number,
  limits: DeviceLimits = {},
): Promise<void> {
  const signature: Signature = {};
  for (const [name, { type, shape }] of Object.entries(scenario.inputs)) signature[name] = { type, shape };
  const random = randomNumbers(seed);
  const allSizes = Array.from({ length: usesNames(scenario) ? 2 : 1 }, () =>
    Object.fromEntries(dimensionNames.map((name) => [name, 1 + Math.floor(random() * 5)])),
  );
  let program: Program | undefined;
  try {
    program = await compile(scenarioFunction(scenario), signature, { device, threads: 1 });
    const expected = await reference(kernelCase, scenario, signature);
    for (const sizes of allSizes) {
      const feeds = Object.fromEntries(
        Object.entries(scenario.inputs).map(([name, input]) => [
          name,
          fillInput(input, sizes, random, limits),
        ]),
      );
      const wanted = await expected(feeds);
      const found = await program.run(feeds);
      for (const [name, value] of Object.entries(wanted)) {
        const byDifferences = kernelCase.wrongGradient !== undefined && name.startsWith('gradient/');
        const ordinary = Math.max(kernelCase.tolerance ?? 1e-4, limits.tolerance ?? 0);
        const tolerance = byDifferences ? 2e-2 : ordinary;
        compareValues(name, value, found[name], tolerance, feeds);
      }
    }
  } catch (error) {
    throw new Error(`${kernelCase.kernel} ${describe(scenario)}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    await program?.dispose();
  }
}

function usesNames(scenario: Scenario): boolean {
  return Object.values(scenario.inputs).some((input) => input.shape.some((size) => typeof size === 'string'));
}

function describe({ inputs, note }: Scenario): string {
  const shapes = Object.entries(inputs).map(([name, { type, shape }]) => `${name}: ${type}[${shape}]`);
  return `${shapes.join(', ')}${note === undefined ? '' : ` ${JSON.stringify(note)}`}`;
}

/** Throws where two values differ; NaN equals NaN. */
export function compareValues(
  name: string,
  wanted: Value,
  found: Value,
  tolerance: number,
  feeds: unknown = undefined,
): void {
  const fail = (what: string): never => {
    const shown = feeds === undefined ? '' : `\nfeeds ${JSON.stringify(feeds, plainArrays)}`;
    const values = `\nwanted ${wanted.data}\nfound  ${found.data}`;
    throw new Error(`${name}: ${what}${values}${shown}`);
  };
  if (wanted.type !== found.type) fail(`type ${found.type}, wanted ${wanted.type}`);
  if (wanted.shape.join() !== found.shape.join()) fail(`shape [${found.shape}], wanted [${wanted.shape}]`);
  for (let i = 0; i < wanted.data.length; i++) {
    const [a, b] = [wanted.data[i], found.data[i]];
    if (Object.is(a, b) || a === b) continue;
    const limit = wanted.type === 'float32' ? tolerance * (1 + Math.abs(a)) : 0;
    if (!(Math.abs(a - b) <= limit)) fail(`element ${i} is ${b}, wanted ${a}`);
  }
}

function plainArrays(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as Float32Array, String) : value;
}
