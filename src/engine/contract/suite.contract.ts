import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Device } from '../program.js';
import { arrangeCases } from './arrange.contract.js';
import { checkScenario } from './check.contract.js';
import { elementwiseCases } from './elementwise.contract.js';
import { lookupCases } from './lookup.contract.js';
import { matmulCases } from './matmul.contract.js';
import { reduceCases } from './reduce.contract.js';
import { type DeviceLimits, drawer, type KernelCase } from './scenario.contract.js';

/** Every case of every mapped kernel. */
export const kernelCases: KernelCase[] = [
  ...elementwiseCases,
  ...arrangeCases,
  ...reduceCases,
  ...lookupCases,
  ...matmulCases,
];

/**
 * The one suite that every device runs: each mapped kernel, and its gradient, equals eager tfjs over random shapes and
 * types. `skip` names kernels a device cannot run, with the reason. POLYBEAM_CONTRACT_RUNS and POLYBEAM_CONTRACT_SEED
 * ask for more, or other, scenarios.
 */
export function describeContract(
  device: Device,
  runs: number,
  options: DeviceLimits & { skip?: Record<string, string> } = {},
): void {
  const { skip = {}, ...limits } = options;
  const numRuns = Number(process.env.POLYBEAM_CONTRACT_RUNS ?? runs);
  const seed = Number(process.env.POLYBEAM_CONTRACT_SEED ?? 20);
  describe(`kernels on ${device} equal eager tfjs`, () => {
    kernelCases.forEach((kernelCase, index) => {
      const reason = skip[kernelCase.kernel];
      const test = reason === undefined ? it : it.skip;
      const same = kernelCases.slice(0, index).filter(({ kernel }) => kernel === kernelCase.kernel).length;
      const name = `${kernelCase.kernel}${same > 0 ? ` (${same + 1})` : ''}`;
      test(reason === undefined ? name : `${name}: ${reason}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.gen(), fc.integer(), async (g, numbers) => {
            await checkScenario(kernelCase, kernelCase.draw(drawer(g)), device, numbers, limits);
          }),
          { numRuns, seed: seed + index, endOnFailure: process.env.POLYBEAM_CONTRACT_SHRINK === undefined },
        );
      });
    });
  });
}
