import { existsSync } from 'node:fs';
import { encodeModel } from '../../../src/engine/onnxModel.js';
import { traceFunction } from '../../../src/engine/traceFunction.js';
import { nodeDevices } from '../../../src/node/devices.js';
import './runtime.js';
import * as tf from '@tensorflow/tfjs-core';

const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';

/**
 * Why WebGPU cannot be tested here, or undefined where it can. Where no GPU answers, Debian's software driver is tried;
 * tests set POLYBEAM_WEBGPU=off to leave WebGPU out.
 */
export async function webgpuUnavailable(): Promise<string | undefined> {
  if (process.env.POLYBEAM_WEBGPU === 'off') return 'POLYBEAM_WEBGPU is off';
  const { graph } = traceFunction(({ x }) => ({ y: tf.relu(tf.matMul(x, x, false, true)) }), {
    x: { type: 'float32', shape: ['rows', 2] },
  });
  const attempt = () =>
    nodeDevices.tryWebgpu!(encodeModel(graph, new Map())).then(
      () => undefined,
      (error: Error) => error.message,
    );
  const reason = await attempt();
  if (reason === undefined) return undefined;
  if (!existsSync(softwareDriver)) return `${reason}, and Debian's chromium and libvulkan1 are not installed`;
  process.env.VK_ICD_FILENAMES = softwareDriver;
  process.env.XDG_RUNTIME_DIR ??= '/tmp';
  return attempt();
}
