import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import '../node/install.js';
import { memoryFiles } from '../../test/fixtures/training/memoryFiles.js';
import type { Parameters } from '../engine/parameters.js';
import type { Tensors } from '../engine/program.js';
import { setFileAccess } from '../files.js';
import { loadCheckpoint, openRun, saveCheckpoint } from './runCheckpoint.js';
import { compileTrainStep, type Objective, type StepOptions, trainableParameters } from './step.js';
import { planStep, type StepPlan } from './stepPlan.js';
import type { TrainBatch, TrainStep } from './trainStep.js';

/*
 * Least squares with a shared matrix and a bias for each task: gradients are written down by hand, and AdamW as PyTorch
 * has it, with a step count for each weight and nothing done to weights that have no gradient.
 */

const [inputs, outputs] = [3, 2];
const optimizer = { adamBeta1: 0.9, adamBeta2: 0.98, adamEpsilon: 1e-6, weightDecay: 0.1, clipNorm: 0.5 };

/** Squared error of x w + bias; `scale` tells tasks apart. */
function leastSquares(bias: string, scale: number): Objective {
  return {
    signature: {
      x: { type: 'float32', shape: ['rows', inputs] },
      y: { type: 'float32', shape: ['rows', outputs] },
    },
    loss: (p: Parameters, { x, y }: Tensors) => {
      const w = p.get('shared.w', [inputs, outputs]);
      const b = p.get(bias, [outputs], { kind: 'zeros' });
      const error = tf.sub(tf.add(tf.matMul(x, w), b), y);
      const lossSum = tf.mul(tf.sum(tf.mul(error, error)), scale);
      return { lossSum, nllSum: lossSum };
    },
  };
}

const tasks = { first: leastSquares('first.b', 1), second: leastSquares('second.b', 3) };
const scales = { first: 1, second: 3 };
type Task = keyof typeof tasks;

/** Reproducible numbers between -1 and 1. */
const numbers = (count: number, from: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * from));

const initial = () =>
  new Map([
    ['shared.w', numbers(inputs * outputs, 1)],
    ['first.b', numbers(outputs, 2)],
    ['second.b', numbers(outputs, 3)],
  ]);

function batchOf(task: Task | undefined, from: number, rows = 4): TrainBatch {
  const feed = (columns: number, seed: number) => ({
    dtype: 'float32' as const,
    shape: [rows, columns],
    data: numbers(rows * columns, from + seed),
  });
  const feeds = { x: feed(inputs, 10), y: feed(outputs, 20) };
  return { feeds, sentences: rows, sourceTokens: rows, targetTokens: rows, task };
}

/** Sum of gradients of some batches of one task, in float64. */
function gradients(weights: Map<string, Float64Array>, task: Task, batches: readonly TrainBatch[]) {
  const [w, b] = [weights.get('shared.w')!, weights.get(`${task}.b`)!];
  const [dw, db] = [new Float64Array(w.length), new Float64Array(b.length)];
  for (const { feeds, sentences } of batches) {
    const [x, y] = [feeds.x.data, feeds.y.data];
    for (let row = 0; row < sentences; row++) {
      for (let o = 0; o < outputs; o++) {
        let error = b[o] - y[row * outputs + o];
        for (let i = 0; i < inputs; i++) error += x[row * inputs + i] * w[i * outputs + o];
        const slope = 2 * scales[task] * error;
        db[o] += slope;
        for (let i = 0; i < inputs; i++) dw[i * outputs + o] += slope * x[row * inputs + i];
      }
    }
  }
  return new Map([
    ['shared.w', dw],
    [`${task}.b`, db],
  ]);
}

/** torch.optim.AdamW with a parameter group for each factor, and torch.nn.utils.clip_grad_norm_. */
function reference(factors: Record<string, number> = {}) {
  const weights = new Map([...initial()].map(([name, data]) => [name, Float64Array.from(data)]));
  const moments = new Map([...weights].map(([name, { length }]) => [name, new Float64Array(length)]));
  const squares = new Map([...weights].map(([name, { length }]) => [name, new Float64Array(length)]));
  const steps = new Map([...weights].map(([name]) => [name, 0]));
  const update = (task: Task, batches: readonly TrainBatch[], learningRate: number) => {
    const tokens = batches.reduce((sum, batch) => sum + batch.targetTokens, 0);
    const own = [...gradients(weights, task, batches)].filter(([name]) => factors[name] !== 0);
    const norm = Math.sqrt(own.flatMap(([, g]) => [...g]).reduce((sum, g) => sum + (g / tokens) ** 2, 0));
    const clip = Math.min(1, optimizer.clipNorm / (norm + 1e-6));
    for (const [name, gradient] of own) {
      const [w, m, v] = [weights.get(name)!, moments.get(name)!, squares.get(name)!];
      const t = steps.get(name)! + 1;
      steps.set(name, t);
      const rate = learningRate * (factors[name] ?? 1);
      // Matrices decay, biases do not.
      const decay = name === 'shared.w' ? rate * optimizer.weightDecay : 0;
      gradient.forEach((sum, i) => {
        const g = (sum / tokens) * clip;
        m[i] = optimizer.adamBeta1 * m[i] + (1 - optimizer.adamBeta1) * g;
        v[i] = optimizer.adamBeta2 * v[i] + (1 - optimizer.adamBeta2) * g * g;
        const [mHat, vHat] = [m[i] / (1 - optimizer.adamBeta1 ** t), v[i] / (1 - optimizer.adamBeta2 ** t)];
        w[i] = w[i] * (1 - decay) - (rate * mHat) / (Math.sqrt(vHat) + optimizer.adamEpsilon);
      });
    }
    return norm;
  };
  return { weights, update };
}

const compileStep = (options: Partial<StepOptions> = {}) =>
  compileTrainStep(tasks, initial(), { device: 'cpu', threads: 1, optimizer, ...options });

const at = (update: number, changes = {}) => ({
  seed: 1,
  update,
  micro: 0,
  learningRate: 0.02,
  accumulatedTokens: 0,
  ...changes,
});

function expectWeights(step: TrainStep, weights: Map<string, Float64Array>): void {
  for (const [name, wanted] of weights) {
    const found = step.tensors().get(`weights/${name}`)!.data;
    wanted.forEach((value, i) => {
      expect(found[i], `${name}[${i}]`).toBeCloseTo(value, 4);
    });
  }
}

const bits = (step: TrainStep) =>
  [...step.tensors()].map(([name, { data }]) => [name, [...new Uint32Array(data.slice().buffer)]]);

/** Which task each update is for: runs of one, so that step counts drift apart. */
const order: Task[] = ['first', 'first', 'second', 'first', 'second', 'first', 'first', 'second'];

describe('a step of several tasks', () => {
  test('has the union of weights, and updates those of the batch’s task as PyTorch would', async () => {
    const step = await compileStep();
    const wanted = reference();
    for (const [index, task] of order.entries()) {
      const before = step.tensors();
      const other = task === 'first' ? 'second.b' : 'first.b';
      const untouched = ['weights', 'adamM', 'adamV'].map((kind) =>
        before.get(`${kind}/${other}`)!.data.slice(),
      );
      const report = await step.update(batchOf(task, index), at(index + 1));
      expect(report.gradientNorm).toBeCloseTo(wanted.update(task, [batchOf(task, index)], 0.02), 4);
      const after = step.tensors();
      expect(['weights', 'adamM', 'adamV'].map((kind) => after.get(`${kind}/${other}`)!.data)).toEqual(
        untouched,
      );
      expectWeights(step, wanted.weights);
    }
    expect(step.tensors().get('updates/first')!.data[0]).toBe(5);
    expect(step.tensors().get('updates/second')!.data[0]).toBe(3);
    step.dispose();
  });

  test('accumulates micro-batches of one task, and refuses those of two', async () => {
    const step = await compileStep();
    const wanted = reference();
    for (const [index, task] of order.entries()) {
      const [a, b] = [batchOf(task, index), batchOf(task, index + 50, 6)];
      await step.accumulate(a, { seed: 1, update: index + 1, micro: 0 });
      await step.update(b, at(index + 1, { micro: 1, accumulatedTokens: 4 }));
      wanted.update(task, [a, b], 0.02);
      expectWeights(step, wanted.weights);
    }
    await step.accumulate(batchOf('first', 1), { seed: 1, update: 9, micro: 0 });
    const refusal = {
      code: 'INPUT_INVALID',
      message: expect.stringContaining('task second follows one of first'),
    };
    await expect(
      step.accumulate(batchOf('second', 1), { seed: 1, update: 9, micro: 1 }),
    ).rejects.toMatchObject(refusal);
    await expect(
      step.update(batchOf('second', 1), at(9, { micro: 1, accumulatedTokens: 4 })),
    ).rejects.toMatchObject(refusal);
    expectWeights(step, wanted.weights);
    step.dispose();
  });

  test('evaluates by the task of the batch', async () => {
    const step = await compileStep();
    const first = await step.evaluate(batchOf('first', 1));
    const second = await step.evaluate(batchOf('second', 1));
    expect(second.lossSum).not.toBeCloseTo(3 * first.lossSum, 3);
    // With the same bias, the losses are those of the scales.
    (step.tensors().get('weights/second.b')!.data as Float32Array).set(initial().get('first.b')!);
    expect((await step.evaluate(batchOf('second', 1))).lossSum).toBeCloseTo(3 * first.lossSum, 3);
    step.dispose();
  });

  test.each([
    ['third', 'A batch is of task third, but the step has first, second: set batch.task to match.'],
    [undefined, 'A batch is of task none, but the step has first, second: set batch.task to match.'],
  ])('refuses a batch of task %s', async (task, message) => {
    const step = await compileStep();
    const refusal = { code: 'INPUT_INVALID', message };
    await expect(step.update(batchOf(task as Task, 1), at(1))).rejects.toMatchObject(refusal);
  });

  test('refuses tasks that want a weight in two shapes', async () => {
    const wide: Objective = {
      signature: { x: { type: 'float32', shape: ['rows', 2] } },
      loss: (p, { x }) => {
        const lossSum = tf.sum(tf.matMul(x, p.get('shared.w', [2, 2])));
        return { lossSum, nllSum: lossSum };
      },
    };
    expect(() => trainableParameters({ ...tasks, wide })).toThrow(
      /shared\.w is \[3, 2\] in one task and \[2, 2\] in wide/,
    );
  });

  test('gives the same bits for one objective with or without a name', async () => {
    const options = { device: 'cpu' as const, threads: 1, optimizer };
    const plain = await compileTrainStep(tasks.first, initial(), options);
    const named = await compileTrainStep({ first: tasks.first }, initial(), options);
    for (let update = 1; update <= 3; update++) {
      await plain.update(batchOf(undefined, update), at(update));
      await named.update(batchOf('first', update), at(update));
    }
    expect(bits(named)).toEqual(bits(plain));
    expect([...plain.tensors().keys()].some((name) => name.startsWith('updates/'))).toBe(false);
  });
});

describe('learning-rate factors', () => {
  const factors: Record<string, number> = { 'shared.w': 0.25, 'first.b': 0 };
  const weightFactors = (name: string) => factors[name] ?? 1;

  test('scale updates and decay as parameter groups of PyTorch, and 0 freezes', async () => {
    const step = await compileStep({ weightFactors });
    const wanted = reference(factors);
    for (const [index, task] of order.entries()) {
      const report = await step.update(batchOf(task, index), at(index + 1));
      // The norm is that of the gradients there are.
      expect(report.gradientNorm).toBeCloseTo(wanted.update(task, [batchOf(task, index)], 0.02), 4);
    }
    expectWeights(step, wanted.weights);
    const names = [...step.tensors().keys()];
    expect(names).toContain('weights/first.b');
    expect(names.filter((name) => name.endsWith('/first.b'))).toEqual(['weights/first.b']);
    expect(step.tensors().get('weights/first.b')!.data).toEqual(initial().get('first.b'));
    step.dispose();
  });

  test('can be those of a task: a weight that joins later counts its own updates, as in PyTorch', async () => {
    // Two stages of one objective; the matrix joins in the second.
    const stages = { early: tasks.first, late: tasks.first };
    const step = await compileTrainStep(stages, initial(), {
      device: 'cpu',
      threads: 1,
      optimizer,
      weightFactors: (name, stage) => (name === 'shared.w' && stage === 'early' ? 0 : 1),
    });
    const frozen: Record<string, number> = { 'shared.w': 0 };
    const wanted = reference(frozen);
    for (let update = 1; update <= 6; update++) {
      const stage = update <= 3 ? 'early' : 'late';
      if (stage === 'late') delete frozen['shared.w'];
      const batch = batchOf('first', update);
      const report = await step.update({ ...batch, task: stage }, at(update));
      expect(report.gradientNorm).toBeCloseTo(wanted.update('first', [batch], 0.02), 4);
      wanted.weights.delete('second.b');
      expectWeights(step, wanted.weights);
    }
    expect(step.tensors().get('weights/shared.w')!.data).not.toEqual(initial().get('shared.w'));
    step.dispose();
  });

  test('that are all 1 change nothing: one group of scalars, without a name of its own', () => {
    const suffixes = (plan: StepPlan, task: string) =>
      plan.tasks.get(task)!.groups.map(({ suffix }) => suffix);
    expect(planStep(tasks.first, () => 1)).toEqual(planStep(tasks.first));
    expect(suffixes(planStep(tasks.first), '')).toEqual(['']);
    // Weights of both tasks count other updates than those of one.
    expect(suffixes(planStep(tasks), 'first')).toEqual(['', '/1']);
  });

  test.each([
    [-0.5, /weightFactors gives -0\.5 for shared\.w/],
    [Number.NaN, /weightFactors gives NaN for shared\.w/],
    [0, /All 2 weights of task first are frozen/],
  ])('of %f for all are refused', async (factor, message) => {
    const refused = compileStep({ weightFactors: () => factor });
    await expect(refused).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('are resumed from a checkpoint to the same bits, with several tasks and frozen weights', async () => {
    setFileAccess(memoryFiles());
    const run = { directory: 'runs/tasks', identity: { seed: 1 } };
    const whole = await compileStep({ weightFactors });
    for (const [index, task] of order.entries()) {
      await whole.update(batchOf(task, index), at(index + 1));
      if (index !== 3) continue;
      const state = { update: 4, epoch: 0, batchIndex: 4, seconds: 0, lastValidation: 0, badValidations: 0 };
      await saveCheckpoint(run, state, { tensors: whole.tensors(), keep: 1, regular: true });
    }
    const resumed = await compileStep({ weightFactors });
    resumed.restore(await loadCheckpoint(run, (await openRun(run))!));
    for (const [index, task] of [...order.entries()].slice(4))
      await resumed.update(batchOf(task, index), at(index + 1));
    expect(bits(resumed)).toEqual(bits(whole));
  });
});
