import * as tf from '@tensorflow/tfjs-core';
import { compile } from './compile.js';
import { loadBackend } from './eager.js';
import { encodeModel } from './onnxModel.js';
import { attention } from './ops/attention.js';
import { gelu } from './ops/gelu.js';
import { layerNorm } from './ops/layerNorm.js';
import { linear } from './ops/linear.js';
import type { Device, Program, Signature, Tensors } from './program.js';
import { deviceHost, onnxRuntime } from './runtime.js';
import { traceBackendName } from './traceBackend.js';
import { traceFunction } from './traceFunction.js';
import { probe, tryProgram } from './tryDevice.js';
import { floats, type Value } from './values.js';

/** The result of `listDevices` for one device. */
export interface DeviceStatus {
  name: Device;
  /** Whether a test program ran on it with the right result. */
  available: boolean;
  /** Version of the runtime, for example 'onnxruntime 1.30.0'. */
  version?: string;
  /** Details, in one line. */
  detail: string;
  /** How to install a missing device. */
  howToGet?: string;
}

const howToGet = {
  cpu: 'Install onnxruntime-node (npm install), or call setRuntime(webRuntime(ort)) with onnxruntime-web.',
  webgpu:
    'Install the driver of the GPU with Vulkan (Linux), or update it (Windows, macOS). In software, for tests only: on Debian `apt-get install chromium libvulkan1`, then set VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json and XDG_RUNTIME_DIR=/tmp.',
  cuda: 'On Linux x64 with an NVIDIA driver, CUDA 12 and cuDNN 9: download its provider (node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12), and install koffi. Other GPUs: webgpu.',
  tensorflow:
    'npm install @tensorflow/tfjs-node-gpu (NVIDIA, with CUDA) or @tensorflow/tfjs-node beside polybeam; docs/guides/devices.md says how to build it where its download is blocked.',
};

/** The first line of an error, without the file names of native code before it. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.split('\n').find((part) => part.trim() !== '') ?? text;
  return line.replace(/^.*was false\. /, '').trim();
}

function onnxVersion(): string | undefined {
  const versions = onnxRuntime().env?.versions;
  const version = versions?.node ?? versions?.web ?? versions?.common;
  return version && `onnxruntime ${version}`;
}

async function statusOf(
  name: Device,
  help: string,
  attempt: () => Promise<{ version: string | undefined; detail: string }>,
): Promise<DeviceStatus> {
  try {
    const { version, detail } = await attempt();
    return { name, available: true, ...(version ? { version } : {}), detail };
  } catch (error) {
    return { name, available: false, detail: reasonOf(error), ...(help ? { howToGet: help } : {}) };
  }
}

async function webgpuStatus(): Promise<DeviceStatus> {
  return statusOf('webgpu', howToGet.webgpu, async () => {
    const tryApart = deviceHost().tryWebgpu;
    const { graph } = traceFunction(probe.fn, probe.signature);
    const where = tryApart ? await tryApart(encodeModel(graph, new Map())) : undefined;
    if (where === undefined) await tryProgram('webgpu');
    return {
      version: onnxVersion(),
      detail: `runs programs by ONNX Runtime on ${where ?? 'a GPU'}${how('webgpu')}`,
    };
  });
}

/** `, ` and how the runtime is called, if it is known. */
function how(device: 'cpu' | 'webgpu' | 'cuda'): string {
  const text = onnxRuntime().describe?.(device);
  return text ? `, ${text}` : '';
}

async function cudaStatus(): Promise<DeviceStatus> {
  return statusOf('cuda', howToGet.cuda, async () => {
    await tryProgram('cuda');
    return { version: onnxVersion(), detail: `runs programs by ONNX Runtime's CUDA provider${how('cuda')}` };
  });
}

async function tfjsStatus(backend: string, help: string): Promise<DeviceStatus> {
  return statusOf(`tfjs:${backend}`, help, async () => {
    const loaded = await loadBackend(backend);
    await tryProgram(`tfjs:${backend}`);
    const version = loaded ?? `tfjs ${tf.version_core}`;
    return { version, detail: 'runs functions eagerly, without a graph' };
  });
}

/**
 * Every device that polybeam can run on, each tested with a small program. Missing devices say how to
 * install them. Takes about a second.
 */
export async function listDevices(): Promise<DeviceStatus[]> {
  const cpu = await statusOf('cpu', howToGet.cpu, async () => {
    await tryProgram('cpu');
    return { version: onnxVersion(), detail: `runs programs by ONNX Runtime${how('cpu')}` };
  });
  const known = [await tfjsStatus('cpu', ''), await tfjsStatus('tensorflow', howToGet.tensorflow)];
  const others = Object.keys(tf.engine().registryFactory).filter(
    (backend) => backend !== traceBackendName && !known.some(({ name }) => name === `tfjs:${backend}`),
  );
  const more: DeviceStatus[] = [];
  // Backends that a package brought without being asked for (webgl in Node) are no loss where they do not run.
  for (const backend of others) {
    const status = await tfjsStatus(backend, '');
    if (status.available) more.push(status);
  }
  return [cpu, await webgpuStatus(), await cudaStatus(), ...known, ...more];
}

/** How fast a device is, by two short measurements. */
export interface SpeedReport {
  device: Device;
  /** 10^9 floating-point operations a second, in products of square matrices. */
  gigaflops: number;
  /** Rows and columns of those matrices. */
  matrixSize: number;
  /**
   * Milliseconds of one Transformer layer (512 features, 8 heads, 2048 inner) over 8 x 32 tokens, forward; absent where
   * it would take longer than `longestSeconds`.
   */
  layerMilliseconds?: number;
}

/** Products in the matrix program: enough to make its inputs and outputs a small part. */
const productsInChain = 4;

function chain({ x }: Tensors): Tensors {
  let y = x;
  for (let i = 0; i < productsInChain; i++) y = tf.matMul(y, x);
  return { y: tf.max(y) };
}

const layer = { features: 512, inner: 2048, heads: 8, batch: 8, length: 32 };

/** Additions and multiplications of the layer, in 10^9. */
const layerOperations = (2 * 256 * (4 * 512 ** 2 + 2 * 512 * 2048)) / 1e9;

function transformerLayer(inputs: Tensors): Tensors {
  const { x, query, key, value, output, inner, outer, gain, bias } = inputs;
  const attended = attention(linear(x, query), linear(x, key), linear(x, value), layer.heads);
  const middle = layerNorm(tf.add(x, linear(attended, output)), gain, bias, 1e-5);
  return { y: layerNorm(tf.add(middle, linear(gelu(linear(middle, inner)), outer)), gain, bias, 1e-5) };
}

function layerFeeds(): Record<string, Value> {
  const { features, inner, batch, length } = layer;
  const shapes: Record<string, number[]> = {
    x: [batch, length, features],
    query: [features, features],
    key: [features, features],
    value: [features, features],
    output: [features, features],
    inner: [inner, features],
    outer: [features, inner],
    gain: [features],
    bias: [features],
  };
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, floats(shape, waves(shape, 0.04))]),
  );
}

/** Irregular numbers, the same in every run. */
function waves(shape: readonly number[], scale: number): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length: count }, (_, index) => scale * Math.sin(index * 1.7));
}

/** Milliseconds of the fastest of a few runs; no run begins after `budget` milliseconds. */
async function bestRun(program: Program, feeds: Record<string, Value>, budget: number): Promise<number> {
  const begin = performance.now();
  let best = Number.POSITIVE_INFINITY;
  do {
    const start = performance.now();
    await program.run(feeds);
    best = Math.min(best, performance.now() - start);
  } while (performance.now() - begin < budget);
  return best;
}

async function matrixSpeed(device: Device): Promise<{ gigaflops: number; matrixSize: number }> {
  const program = await compile(chain, { x: { type: 'float32', shape: ['n', 'n'] } }, { device });
  try {
    for (let size = 64; ; size *= 2) {
      const feeds = { x: floats([size, size], waves([size, size], 1 / Math.sqrt(size))) };
      const milliseconds = await bestRun(program, feeds, 100);
      // Small matrices measure the call; large ones on a slow device would take minutes.
      if (milliseconds < 10 && size < 2048) continue;
      const operations = 2 * size ** 3 * productsInChain;
      return { gigaflops: operations / milliseconds / 1e6, matrixSize: size };
    }
  } finally {
    await program.dispose();
  }
}

/**
 * A short check of a device's speed; a few seconds.
 * @param longestSeconds the layer is left out if it would take longer, estimated from the products
 * @throws DEVICE_UNAVAILABLE, DEVICE_UNKNOWN
 */
export async function speedCheck(device: Device, longestSeconds = 3): Promise<SpeedReport> {
  const matrix = await matrixSpeed(device);
  if (layerOperations / matrix.gigaflops > longestSeconds) return { device, ...matrix };
  const feeds = layerFeeds();
  const signature: Signature = Object.fromEntries(
    Object.entries(feeds).map(([name, { shape }]) => [name, { type: 'float32', shape }]),
  );
  const program = await compile(transformerLayer, signature, { device });
  try {
    await program.run(feeds);
    return { device, ...matrix, layerMilliseconds: await bestRun(program, feeds, 300) };
  } finally {
    await program.dispose();
  }
}
