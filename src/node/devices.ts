import { execFile } from 'node:child_process';
import type { DeviceHost } from '../engine/runtime.js';
import { PolybeamError } from '../errors.js';
import { bindingPath } from './onnxLibrary.js';

/** Runs a model given on standard input on WebGPU; x is [2, 2]. */
const script = `
const ort = require(process.argv[1]);
const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk)).on('end', async () => {
  const session = await ort.InferenceSession.create(new Uint8Array(Buffer.concat(chunks)), {
    executionProviders: ['webgpu'], logSeverityLevel: 4,
  });
  const x = new ort.Tensor('float32', new Float32Array([1, 2, -3, 1]), [2, 2]);
  const { y } = await session.run({ x });
  process.stdout.write('computed ' + Array.from(y.data, Math.round).join());
  process.exit(0);
});`;

/**
 * Runs a model on WebGPU in a process of its own: a missing adapter is an exception there, a broken driver may end the
 * process.
 */
function tryWebgpu(model: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['-e', script, bindingPath()],
      { timeout: 30_000 },
      (error, stdout, stderr) => {
        if (stdout.includes('computed 5,0,0,10'))
          resolve(inSoftware() ? 'SwiftShader, in software' : 'a GPU');
        else reject(new PolybeamError('DEVICE_UNAVAILABLE', webgpuFailure(stdout, stderr, error)));
      },
    );
    // A child that died before it read its input is reported by the callback.
    child.stdin?.on('error', () => {});
    child.stdin?.end(model);
  });
}

/** Whether Vulkan was told to use the software driver. */
function inSoftware(): boolean {
  return /swiftshader|lvp_icd/i.test(process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES ?? '');
}

function webgpuFailure(stdout: string, stderr: string, error: Error | null): string {
  if (stdout.startsWith('computed')) return `WebGPU gave a wrong result: ${stdout}.`;
  const adapter = /Failed to get a WebGPU adapter: (.*)/.exec(stderr);
  if (adapter) return `no WebGPU adapter (${adapter[1].trim()})`;
  const thrown = /^\w*Error: (.*)$/m.exec(stderr);
  const signal = (error as { signal?: string } | null)?.signal;
  return thrown?.[1] ?? `the process that tried WebGPU ended${signal ? ` by ${signal}` : ''}`;
}

/** Packages that register a tfjs backend in Node, the preferred first. */
const packages: Record<string, readonly string[]> = {
  tensorflow: ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'],
};

async function loadTfjsBackend(backend: string): Promise<string> {
  const reasons: string[] = [];
  for (const name of packages[backend] ?? []) {
    try {
      const loaded = (await import(name)) as { version?: Record<string, string> };
      return `${name} ${loaded.version?.['tfjs-node'] ?? ''}`.trim();
    } catch (error) {
      const message = (error as Error).message.split('\n', 1)[0];
      const missing = /Cannot find (package|module)|Could not resolve/.test(message);
      reasons.push(missing ? `${name} is not installed` : `${name} does not load (${message})`);
    }
  }
  throw new PolybeamError(
    'DEVICE_UNAVAILABLE',
    reasons.length > 0
      ? `The device tfjs:${backend} needs a package: ${reasons.join(', ')}; npm install ${packages[backend][0]}.`
      : `The tfjs backend "${backend}" is not registered; import its package first.`,
  );
}

/** What Node can do about devices. */
export const nodeDevices: DeviceHost = { tryWebgpu, loadTfjsBackend };
