import '../../../test/support/engine/runtime.js';
import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { nodeDevices } from '../../node/devices.js';
import { describeContract } from './suite.contract.js';

// Any registered backend can compute; here one that is new, with the kernels of tfjs's own.
tf.registerBackend('twin', tf.findBackendFactory('cpu'));
tf.copyRegisteredKernels('cpu', 'twin');
describeContract('tfjs:twin', 3);

const reason = await nodeDevices.loadTfjsBackend!('tensorflow').then(
  () => undefined,
  (error: Error) => error.message,
);
const floatsOnly = 'TensorFlow has it for floats only';
/** What TensorFlow itself refuses or computes otherwise (seen with 2.15). */
const unlikeTfjs: Record<string, string> = {
  IsFinite: floatsOnly,
  IsInf: floatsOnly,
  IsNan: floatsOnly,
  Step: floatsOnly,
  FloorDiv: 'TensorFlow returns floats for floats',
  ...Object.fromEntries(
    ['Greater', 'GreaterEqual', 'Less', 'LessEqual'].map((kernel) => [
      kernel,
      'TensorFlow orders no booleans',
    ]),
  ),
  'GatherV2 (2)': 'its binding takes no axis from the back',
  UnsortedSegmentSum: 'TensorFlow refuses segments beyond the last',
};

if (reason === undefined) {
  describeContract('tfjs:tensorflow', 3, { finiteOnly: true, tolerance: 1e-3, skip: unlikeTfjs });
} else {
  process.stderr.write(`Kernels on tfjs:tensorflow are not tested: ${reason}\n`);
  describe('kernels on tfjs:tensorflow equal eager tfjs', () => {
    it.skip(reason, () => {});
  });
}
