import '../../../test/support/engine/runtime.js';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { gradients } from '../gradientRegistry.js';
import { mappedKernels } from '../kernels/index.js';
import { covered, watchCoverage } from './check.contract.js';
import { describeContract, kernelCases } from './suite.contract.js';

watchCoverage(mappedKernels());

describeContract('cpu', 10);

const noLoss = 'its result is not a float, so no loss is made of it';

/** Kernels whose gradient no case takes, and why. */
const undifferentiated: Record<string, string> = {
  ArgMax: noLoss,
  ArgMin: noLoss,
  FloorDiv: noLoss,
  GreaterEqual: noLoss,
  IsFinite: noLoss,
  IsInf: noLoss,
  IsNan: noLoss,
  OneHot: 'it is 0, with respect to integers',
};

it('has a case for every mapped kernel, which records it', () => {
  expect(mappedKernels().filter((kernel) => !covered.kernels.has(kernel))).toEqual([]);
  const named = new Set(kernelCases.map(({ kernel }) => kernel));
  expect([...named].sort()).toEqual(mappedKernels());
});

it('takes every gradient that a mapped kernel has, or says why not', () => {
  const missing = mappedKernels()
    .filter((kernel) => gradients.has(kernel))
    .filter((kernel) => !covered.gradients.has(kernel));
  expect(missing).toEqual(Object.keys(undifferentiated).sort());
});

it('has each gradient that tfjs ships for a mapped kernel', () => {
  const shipped = mappedKernels().filter((kernel) => tf.getGradient(kernel));
  expect(shipped.filter((kernel) => !gradients.has(kernel))).toEqual([]);
});
