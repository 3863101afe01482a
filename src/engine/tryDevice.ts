import * as tf from '@tensorflow/tfjs-core';
import { PolybeamError } from '../errors.js';
import { compile } from './compile.js';
import type { Device, Signature, Tensors, TracedFunction } from './program.js';
import { floats, type Value } from './values.js';

/** The smallest program that needs a matrix product and an element-wise function. */
export const probe: {
  fn: TracedFunction;
  signature: Signature;
  feeds: Record<string, Value>;
  wanted: number[];
} = {
  fn: ({ x }): Tensors => ({ y: tf.relu(tf.matMul(x, x, false, true)) }),
  signature: { x: { type: 'float32', shape: ['rows', 2] } },
  feeds: { x: floats([2, 2], new Float32Array([1, 2, -3, 1])) },
  wanted: [5, 0, 0, 10],
};

/** Runs a small program on a device. @throws DEVICE_UNKNOWN, DEVICE_UNAVAILABLE; what the runtime throws */
export async function tryProgram(device: Device): Promise<void> {
  const program = await compile(probe.fn, probe.signature, { device });
  try {
    const { y } = await program.run(probe.feeds);
    if (probe.wanted.some((value, index) => Math.abs(value - y.data[index]) > 1e-3)) {
      throw new PolybeamError(
        'DEVICE_UNAVAILABLE',
        `The device ${device} computed ${y.data}, not ${probe.wanted}.`,
      );
    }
  } finally {
    await program.dispose();
  }
}

/**
 * Refuses an unusable device before long work that needs it at the end. The CPU is not tested: it is always available.
 * @throws DEVICE_UNKNOWN, DEVICE_UNAVAILABLE
 */
export async function requireDevice(device: string): Promise<void> {
  if (device !== 'cpu') await tryProgram(device as Device);
}
