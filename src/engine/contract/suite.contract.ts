import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Device } from '../program.js';
import { arrangeCases } from './arrange.contract.js';
import { checkScenario } from './check.contract.js';
import { elementwiseCases } from './elementwise.contract.js';
import { lookupCases } from './lookup.contract.js';
import { matmulCases } from './matmul.contract.js';
import { operationCases } from './operations.contract.js';
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

function describeCases(
  title: string,
  cases: readonly KernelCase[],
  device: Device,
  runs: number,
  { skip = {}, ...limits }: ContractOptions,
): void {
  const numRuns = Number(process.env.POLYBEAM_CONTRACT_RUNS ?? runs);
  const seed = Number(process.env.POLYBEAM_CONTRACT_SEED ?? 20);
  const endOnFailure = process.env.POLYBEAM_CONTRACT_SHRINK === undefined;
  describe(title, () => {
    cases.forEach((kernelCase, index) => {
      const same = cases.slice(0, index).filter(({ kernel }) => kernel === kernelCase.kernel).length;
      const name = `${kernelCase.kernel}${same > 0 ? ` (${same + 1})` : ''}`;
      const reason = skip[name] ?? skip[kernelCase.kernel];
      const test = reason === undefined ? it : it.skip;
      test(reason === undefined ? name : `${name}: ${reason}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.gen(), fc.integer(), async (g, numbers) => {
            await checkScenario(kernelCase, kernelCase.draw(drawer(g)), device, numbers, limits);
          }),
          { numRuns, seed: seed + index, endOnFailure },
        );
      });
    });
  });
}

interface ContractOptions extends DeviceLimits {
  /** Kernels, or single cases, that the device cannot run, and why. */
  skip?: Record<string, string>;
}

/**
 * The one suite that every device runs: each mapped kernel, each fused operation and their gradients equal eager tfjs
 * (or finite differences) over random shapes and types. POLYBEAM_CONTRACT_RUNS and POLYBEAM_CONTRACT_SEED ask for more,
 * or other, scenarios; POLYBEAM_CONTRACT_SHRINK=1 looks for the smallest that fails.
 */
export function describeContract(device: Device, runs: number, options: ContractOptions = {}): void {
  describeCases(`operations on ${device} equal eager tfjs`, operationCases, device, runs, options);
  describeCases(`kernels on ${device} equal eager tfjs`, kernelCases, device, runs, options);
}
