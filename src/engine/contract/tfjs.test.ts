import '../../../test/support/engine/runtime.js';
import * as tf from '@tensorflow/tfjs';
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
if (reason === undefined) {
  describeContract('tfjs:tensorflow', 3, { finiteOnly: true, tolerance: 1e-3 });
} else {
  process.stderr.write(`Kernels on tfjs:tensorflow are not tested: ${reason}\n`);
  describe('kernels on tfjs:tensorflow equal eager tfjs', () => {
    it.skip(reason, () => {});
  });
}
