import { describe, expect, it } from 'vitest';
import { fakeConfig, fakeRun } from '../../test/fixtures/training/fakeRun.js';
import { memoryFiles } from '../../test/fixtures/training/memoryFiles.js';
import { setFileAccess } from '../files.js';
import { averageCheckpoints } from './average.js';
import type { ProgressState } from './progress.js';
import { openRun } from './runCheckpoint.js';
import type { LogRow } from './runLog.js';
import { type LoopConfig, type TrainLoopOptions, trainLoop } from './trainer.js';

type Files = ReturnType<typeof memoryFiles>;

const logRows = (files: Files): LogRow[] =>
  new TextDecoder()
    .decode(files.contents.get('runs/fake/log.jsonl'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Everything of a finished run that must not depend on interruptions: bits of tensors, checkpoints, log. */
async function outcome(options: TrainLoopOptions, files: Files) {
  const pointer = (await openRun(options.run))!;
  const { seconds: _, ...state } = pointer.state;
  const bits = [...options.step.tensors()].map(([name, { data }]) => [
    name,
    [...new Uint32Array(data.buffer, data.byteOffset, data.length)],
  ]);
  const average = [...(await averageCheckpoints('runs/fake', pointer, 3))];
  const regular = pointer.kept.filter((entry) => entry.regular);
  const log = logRows(files).map(({ seconds: _s, ...row }) => ({ ...row, tokensPerSecond: 0 }));
  return { state, bits, average, regular, log };
}

async function uninterrupted(changes: Partial<LoopConfig> = {}) {
  const files = memoryFiles();
  const options = fakeRun(files, changes);
  const result = await trainLoop(options);
  return { result, files, options, outcome: await outcome(options, files) };
}

describe('trainLoop', () => {
  it('learns, validates, logs and checkpoints', async () => {
    const { result, files, options } = await uninterrupted();
    expect(result).toMatchObject({ reason: 'maxUpdates', resumedFrom: 0 });
    expect(result.state.update).toBe(40);
    const rows = logRows(files);
    const updates = rows.filter((row) => row.type === 'update');
    const validations = rows.filter((row) => row.type === 'validation');
    expect(updates.map((row) => row.update)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    // From 1, of the update that was just done, as progress shows them.
    const updatesOfEpoch = Math.ceil(options.batches.epoch(0).count / 2);
    const epochOf = (update: number) => Math.floor((update - 1) / updatesOfEpoch) + 1;
    expect(validations.some(({ update }) => update % updatesOfEpoch === 0)).toBe(true);
    for (const { update, epoch } of rows) expect([update, epoch]).toEqual([update, epochOf(update)]);
    expect(validations.map((row) => row.update)).toEqual([6, 12, 18, 24, 30, 36]);
    expect(validations.at(-1)!.score).toBeLessThan(0.7 * validations[0].score);
    expect(updates[0].learningRate).toBe(0);
    expect(updates[8].learningRate).toBeCloseTo(0.03, 10);
    expect(result.pointer.kept.map((entry) => entry.update)).toEqual(
      [...new Set([30, 35, 40, result.state.best!.update])].sort((a, b) => a - b),
    );
  });

  it('accumulates within an epoch: every batch is seen once an epoch, the last update may be smaller', async () => {
    const calls: string[] = [];
    const files = memoryFiles();
    const options = fakeRun(files, { budget: { maxEpochs: 2 }, batch: { accumulate: 4 } });
    const { accumulate, update } = options.step;
    let tokens = 0;
    options.step.accumulate = async (batch, seed) => {
      calls.push(`${seed.update}.${seed.micro}`);
      tokens += batch.targetTokens;
      return accumulate(batch, seed);
    };
    options.step.update = async (batch, seed) => {
      calls.push(`${seed.update}.${seed.micro}!`);
      expect(seed.accumulatedTokens).toBe(tokens);
      tokens = 0;
      return update(batch, seed);
    };
    const count = options.batches.epoch(0).count;
    expect(options.batches.epoch(1).count).toBe(count);
    const result = await trainLoop(options);
    expect(result).toMatchObject({ reason: 'maxEpochs', state: { epoch: 2, batchIndex: 0 } });
    const epoch = (first: number) =>
      Array.from({ length: count }, (_, i) => {
        const last = i % 4 === 3 || i === count - 1;
        return `${first + Math.floor(i / 4)}.${i % 4}${last ? '!' : ''}`;
      });
    expect(calls).toEqual([...epoch(1), ...epoch(1 + Math.ceil(count / 4))]);
  });

  it('stops when validation stops improving, whichever way is better', async () => {
    for (const metric of ['loss', 'bleu'] as const) {
      const files = memoryFiles();
      const options = fakeRun(files, {
        validation: { everyUpdates: 2, metric },
        earlyStopping: { patience: 3 },
      });
      const scores = [5, 3, 4, 2, Number.NaN, 3, 2, 1, 1, 1];
      const seen: number[] = [];
      options.validate = async () => {
        const score = scores[seen.length] * (metric === 'loss' ? 1 : -1);
        seen.push(score);
        return { score, values: {} };
      };
      const result = await trainLoop(options);
      expect(result.reason).toBe('earlyStopping');
      expect(seen).toHaveLength(7);
      expect(result.state).toMatchObject({ update: 14, badValidations: 3, best: { update: 8 } });
      expect(Math.abs(result.state.best!.score)).toBe(2);
      expect(result.pointer.kept.map((entry) => entry.update)).toContain(8);
      // Run again, it is still finished.
      const again = await trainLoop({ ...fakeRun(files, options.config), validate: options.validate });
      expect(again).toMatchObject({ reason: 'earlyStopping', resumedFrom: 14, state: { update: 14 } });
    }
  });

  it('spends the minutes of a budget over interruptions, and shows what is left', async () => {
    const files = memoryFiles();
    let clock = 0;
    const shown: ProgressState[] = [];
    const start = (signal?: AbortSignal): TrainLoopOptions => {
      const options = fakeRun(files, { budget: { maxMinutes: 1 } });
      const { update } = options.step;
      options.step.update = async (...given) => {
        clock += 2000;
        return update(...given);
      };
      const progress = { show: (state: ProgressState) => void shown.push(state), note() {}, finish() {} };
      return { ...options, validate: undefined, now: () => clock, progress, signal };
    };
    const controller = new AbortController();
    const first = start(controller.signal);
    const { update } = first.step;
    first.step.update = async (batch, options) => {
      if (options.update === 10) {
        controller.abort();
      }
      return update(batch, options);
    };
    expect(await trainLoop(first)).toMatchObject({
      reason: 'interrupted',
      state: { update: 10, seconds: 20 },
    });
    expect(shown.at(-1)).toMatchObject({ update: 10, fraction: 1 / 3 });
    expect(shown.at(-1)!.secondsLeft).toBeCloseTo(40, 6);
    clock += 1e9;
    const result = await trainLoop(start());
    expect(result).toMatchObject({
      reason: 'maxMinutes',
      resumedFrom: 10,
      state: { update: 30, seconds: 60 },
    });
  });

  it('tells the time left at the pace of the process that resumed the run', async () => {
    const files = memoryFiles();
    let clock = 0;
    const shown: ProgressState[] = [];
    const start = (millisecondsAnUpdate: number, stopAt?: number): TrainLoopOptions => {
      const options = fakeRun(files, { budget: { maxUpdates: 30 } });
      const controller = new AbortController();
      const { update } = options.step;
      options.step.update = async (batch, given) => {
        clock += millisecondsAnUpdate;
        if (given.update === stopAt) controller.abort();
        return update(batch, given);
      };
      const progress = { show: (state: ProgressState) => void shown.push(state), note() {}, finish() {} };
      return { ...options, validate: undefined, now: () => clock, progress, signal: controller.signal };
    };
    await trainLoop(start(60_000, 10));
    expect(shown.at(-1)!.secondsLeft).toBeCloseTo(20 * 60, 6);
    await trainLoop(start(1000, 20));
    expect(shown.at(-1)!.secondsLeft).toBeCloseTo(10, 6);
  });

  it('writes a checkpoint every few minutes', async () => {
    const files = memoryFiles();
    let clock = 0;
    const options = fakeRun(files, {
      budget: { maxUpdates: 20 },
      checkpoints: { ...fakeConfig.checkpoints, everyUpdates: 1000, everyMinutes: 1 },
    });
    const { update } = options.step;
    const saved: number[] = [];
    setFileAccess({
      ...files,
      writeAtomic: async (path, chunks) => {
        if (path.endsWith('latest.json')) saved.push(clock / 1000);
        return files.writeAtomic(path, chunks);
      },
    });
    options.step.update = async (...given) => {
      clock += 25_000;
      return update(...given);
    };
    await trainLoop({ ...options, validate: undefined, now: () => clock });
    expect(saved).toEqual([75, 150, 225, 300, 375, 450, 500]);
  });

  it.each([
    [
      'loss',
      /^The loss became NaN at update 13 \(learning rate 0\.0245\); the checkpoint of update 12 is kept: lower /,
    ],
    ['gradientNorm', /^The gradient norm became NaN at update 13 /],
    ['weights', /^(weights\/bias became NaN or infinite by update 1[45]|The loss became NaN at update 14)/],
  ] as const)(
    'stops on a %s that is not finite and keeps the last good checkpoint',
    async (what, message) => {
      const files = memoryFiles();
      const options = fakeRun(files, {}, { poison: { update: 13, what } });
      await expect(trainLoop(options)).rejects.toMatchObject({
        code: 'TRAINING_DIVERGED',
        message: expect.stringMatching(message),
      });
      const pointer = (await openRun(options.run))!;
      expect(pointer.state.update).toBe(12);
      // The run is whole: without the poison it goes on to the weights of an undisturbed run.
      const healed = fakeRun(files);
      await trainLoop(healed);
      expect(await outcome(healed, files)).toEqual((await uninterrupted()).outcome);
    },
  );

  it('goes on after every possible kill to the same bits, log and averages', async () => {
    const changes = { budget: { maxUpdates: 16 }, checkpoints: { ...fakeConfig.checkpoints, keep: 2 } };
    const expected = await uninterrupted(changes);
    let operations = 0;
    const counted = memoryFiles(new Map(), () => void operations++);
    await trainLoop(fakeRun(counted, changes));
    expect(operations).toBeGreaterThan(50);
    for (let killAt = 1; killAt <= operations; killAt++) {
      let done = 0;
      let killed = false;
      const contents = new Map<string, Uint8Array>();
      const dying = memoryFiles(contents, (operation, path) => {
        if (++done >= killAt) {
          // What a real kill can leave of an append.
          if (!killed && operation === 'append') {
            contents.set(path, Uint8Array.of(...(contents.get(path) ?? []), 123, 34));
          }
          killed = true;
          throw new Error('killed');
        }
      });
      await expect(trainLoop(fakeRun(dying, changes))).rejects.toThrow('killed');
      const files = memoryFiles(contents);
      const options = fakeRun(files, changes);
      await trainLoop(options);
      expect(await outcome(options, files), `killed at write ${killAt}`).toEqual(expected.outcome);
    }
  });

  it('goes on after an interruption at any update to the same bits, log and averages', async () => {
    const expected = await uninterrupted();
    for (let stopAt = 0; stopAt < 40; stopAt++) {
      const files = memoryFiles();
      const controller = new AbortController();
      const options = { ...fakeRun(files), signal: controller.signal };
      const { update } = options.step;
      if (stopAt === 0) {
        controller.abort();
      }
      options.step.update = async (batch, given) => {
        if (given.update === stopAt) {
          controller.abort();
        }
        return update(batch, given);
      };
      const stopped = await trainLoop(options);
      expect(stopped).toMatchObject({ reason: 'interrupted', state: { update: stopAt } });
      const resumed = fakeRun(files);
      expect((await trainLoop(resumed)).resumedFrom).toBe(stopAt);
      expect(await outcome(resumed, files), `interrupted at ${stopAt}`).toEqual(expected.outcome);
    }
  });

  it('validates again where the interruption came during validation', async () => {
    const expected = await uninterrupted();
    const files = memoryFiles();
    const controller = new AbortController();
    const options = { ...fakeRun(files), signal: controller.signal };
    options.validate = async () => {
      controller.abort();
      return undefined;
    };
    expect(await trainLoop(options)).toMatchObject({
      reason: 'interrupted',
      state: { update: 6, lastValidation: 0 },
    });
    const resumed = fakeRun(files);
    await trainLoop(resumed);
    expect(await outcome(resumed, files)).toEqual(expected.outcome);
  });

  it('goes further when the budget is raised, as if it had been so from the start', async () => {
    const expected = await uninterrupted();
    const files = memoryFiles();
    await trainLoop(fakeRun(files, { budget: { maxUpdates: 17 } }));
    const resumed = fakeRun(files);
    await trainLoop(resumed);
    expect(await outcome(resumed, files)).toEqual(expected.outcome);
  });

  it('refuses a directory that holds another run', async () => {
    const files = memoryFiles();
    await trainLoop(fakeRun(files));
    await expect(trainLoop(fakeRun(files, { seed: 12 }))).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      message: expect.stringMatching(/^runs\/fake was begun with seed 11, but the configuration now has 12/),
    });
  });

  it('lets the event loop turn, so that Ctrl-C is heard', async () => {
    const controller = new AbortController();
    const options = { ...fakeRun(memoryFiles(), { budget: { maxUpdates: 1e6 } }), signal: controller.signal };
    setTimeout(() => controller.abort(), 60);
    expect((await trainLoop({ ...options, validate: undefined })).reason).toBe('interrupted');
  });
});
