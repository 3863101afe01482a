import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../../test/fixtures/training/memoryFiles.js';
import { setFileAccess } from '../files.js';
import { averageCheckpoints, averageFiles } from './average.js';
import { type RunPointer, saveCheckpoint } from './runCheckpoint.js';
import { writeTensors } from './tensorFiles.js';
import type { TrainTensor } from './trainStep.js';

const weights = (...values: number[]): Map<string, TrainTensor> =>
  new Map([['weights/a', { shape: [values.length], data: Float32Array.from(values) }]]);

describe('averageCheckpoints', () => {
  it('is the mean of the last regular checkpoints', async () => {
    setFileAccess(memoryFiles());
    const run = { directory: 'runs/a', identity: {} };
    let previous: RunPointer | undefined;
    const saved: [number, number[]][] = [
      [10, [100, 100]],
      [20, [1, 2 ** -24]],
      [30, [2, 2 ** -24]],
      [37, [1000, 1000]],
      [40, [4.5, 1]],
      [41, [1000, 1000]],
    ];
    for (const [update, values] of saved) {
      const state = { update, epoch: 0, batchIndex: 0, seconds: 0, lastValidation: 0, badValidations: 0 };
      const regular = update % 10 === 0;
      previous = await saveCheckpoint(run, state, {
        tensors: weights(...values),
        previous,
        keep: 4,
        regular,
      });
    }
    const mean = await averageCheckpoints(run.directory, previous!, 3);
    // float32 sums would lose 2^-24 next to 1
    expect(mean).toEqual(new Map([['a', { shape: [2], data: Float32Array.of(2.5, (1 + 2 ** -23) / 3) }]]));
    const one = await averageCheckpoints(run.directory, previous!, 1);
    expect([...one.get('a')!.data]).toEqual([4.5, 1]);
  });

  it('refuses checkpoints of different models', async () => {
    setFileAccess(memoryFiles());
    const tensor = (...shape: number[]) => ({
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
    });
    await writeTensors('one', new Map([['a', tensor(2, 3)]]));
    await writeTensors('two', new Map([['a', tensor(3, 2)]]));
    await writeTensors(
      'three',
      new Map([
        ['a', tensor(2, 3)],
        ['b', tensor(1)],
      ]),
    );
    await expect(averageFiles(['one', 'two'])).rejects.toMatchObject({
      code: 'WEIGHT_SHAPE',
      message: 'a is [2,3] in one but [3,2] in two: only checkpoints of one model can be averaged.',
    });
    await expect(averageFiles(['one', 'three'])).rejects.toMatchObject({ code: 'WEIGHT_MISSING' });
    await expect(averageFiles(['three', 'one'])).rejects.toMatchObject({
      message: 'b is in three but not in one: only checkpoints of one model can be averaged.',
    });
  });
});
