import { describe, it } from 'vitest';
import { webgpuUnavailable } from '../../../test/support/engine/webgpu.js';
import { describeContract } from './suite.contract.js';

const reason = await webgpuUnavailable();

if (reason === undefined) {
  // Software is slow: the CPU tries more scenarios; what can differ here is the operator, not the mapping.
  describeContract('webgpu', 2, { finiteOnly: true, tolerance: 5e-3 });
} else {
  process.stderr.write(`Kernels on webgpu are not tested: ${reason}\n`);
  describe('kernels on webgpu equal eager tfjs', () => {
    it.skip(reason, () => {});
  });
}
