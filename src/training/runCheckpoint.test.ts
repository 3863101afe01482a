import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../../test/fixtures/training/memoryFiles.js';
import { PolybeamError } from '../errors.js';
import { setFileAccess } from '../files.js';
import {
  loadCheckpoint,
  openRun,
  type Run,
  type RunPointer,
  type RunState,
  type SaveOptions,
  saveCheckpoint,
} from './runCheckpoint.js';
import type { TrainTensor } from './trainStep.js';

const tensors = (value: number): Map<string, TrainTensor> =>
  new Map(
    ['weights/layer.weight', 'adamM/layer.weight', 'adamV/layer.weight'].map((name, i) => [
      name,
      { shape: [2, 3], data: new Float32Array(6).fill(value + i / 8) },
    ]),
  );

const stateAt = (update: number, changes: Partial<RunState> = {}): RunState => ({
  update,
  epoch: 1,
  batchIndex: 7,
  seconds: 12.5,
  lastValidation: 0,
  badValidations: 0,
  ...changes,
});

const identity = { model: { dModel: 128 }, data: { fingerprint: 'f00d' } };

function newRun(beforeWrite?: (operation: string, path: string) => void) {
  const files = memoryFiles(new Map(), beforeWrite);
  setFileAccess(files);
  return { files, directory: 'runs/a', identity };
}

/** Saves a checkpoint for each update in turn. */
async function saveAll(
  run: Run,
  updates: number[],
  changes: (update: number) => Partial<SaveOptions & RunState>,
) {
  let pointer: RunPointer | undefined;
  for (const update of updates) {
    const { best, ...options } = changes(update);
    pointer = await saveCheckpoint(run, stateAt(update, { best }), {
      tensors: tensors(update),
      previous: pointer,
      keep: 2,
      regular: true,
      ...options,
    });
  }
  return pointer!;
}

const checkpointFiles = (run: ReturnType<typeof newRun>) =>
  [...run.files.contents.keys()].filter((path) => path.includes('/checkpoints/')).sort();

describe('saveCheckpoint', () => {
  it('gives back state and tensors', async () => {
    const run = newRun();
    expect(await openRun(run)).toBeUndefined();
    const modelFiles = { 'config.json': '{}', 'vocab.bin': Uint8Array.of(1, 2) };
    const saved = await saveAll(run, [5], () => ({ modelFiles, best: { update: 5, score: 1.5 } }));
    const pointer = await openRun(run);
    expect(pointer).toEqual(saved);
    expect(pointer!.state).toEqual(stateAt(5, { best: { update: 5, score: 1.5 } }));
    expect(await loadCheckpoint(run, pointer!)).toEqual(tensors(5));
    expect(checkpointFiles(run)).toEqual(
      ['config.json', 'model.safetensors', 'optimizer.safetensors', 'vocab.bin'].map(
        (name) => `runs/a/checkpoints/update-00000005/${name}`,
      ),
    );
  });

  it('keeps the last regular checkpoints, the best and the latest, and one optimizer state', async () => {
    const run = newRun();
    await saveAll(run, [1, 2, 3, 4, 5, 6, 7], (update) => ({
      regular: update % 2 === 0,
      best: { update: 1, score: 9 },
    }));
    expect(checkpointFiles(run)).toEqual([
      'runs/a/checkpoints/update-00000001/model.safetensors',
      'runs/a/checkpoints/update-00000004/model.safetensors',
      'runs/a/checkpoints/update-00000006/model.safetensors',
      'runs/a/checkpoints/update-00000007/model.safetensors',
      'runs/a/checkpoints/update-00000007/optimizer.safetensors',
    ]);
    expect((await openRun(run))!.kept).toEqual([
      { update: 1, regular: false },
      { update: 4, regular: true },
      { update: 6, regular: true },
      { update: 7, regular: false },
    ]);
  });

  it('writes the pointer alone where the update is saved already', async () => {
    const run = newRun();
    const previous = await saveAll(run, [5], () => ({}));
    const written: string[] = [];
    setFileAccess({ ...run.files, writeAtomic: async (path) => void written.push(path) });
    await saveCheckpoint(run, stateAt(5, { lastValidation: 5 }), {
      tensors: tensors(5),
      previous,
      keep: 2,
      regular: true,
    });
    expect(written).toEqual(['runs/a/latest.json']);
  });

  it('removes what a killed run left half-written', async () => {
    const run = newRun();
    const stale = ['update-00000003/model.safetensors', 'update-00000006/model.safetensors.tmp'];
    for (const name of stale) {
      run.files.contents.set(`runs/a/checkpoints/${name}`, Uint8Array.of(1));
    }
    await saveAll(run, [6], () => ({}));
    expect(checkpointFiles(run)).toEqual([
      'runs/a/checkpoints/update-00000006/model.safetensors',
      'runs/a/checkpoints/update-00000006/optimizer.safetensors',
    ]);
  });

  it.each(['model.safetensors', 'optimizer.safetensors', 'latest.json'])(
    'a disk that is full at %s leaves the old checkpoint whole, and says so',
    async (name) => {
      let full = false;
      const run = newRun((operation, path) => {
        if (full && operation === 'write' && path.endsWith(name)) {
          throw new PolybeamError('FILE_WRITE', `${path} could not be written: no space left on device.`);
        }
      });
      const previous = await saveAll(run, [5], () => ({}));
      const before = new Map(run.files.contents);
      full = true;
      const options = { tensors: tensors(6), previous, keep: 1, regular: true };
      await expect(saveCheckpoint(run, stateAt(6), options)).rejects.toMatchObject({
        code: 'FILE_WRITE',
        message: expect.stringMatching(
          /^The checkpoint of update 6 could not be saved in runs\/a \(.*no space left on device\); the checkpoint of update 5 is intact: free some space and run the same command to resume\.$/,
        ),
      });
      expect(run.files.contents).toEqual(before);
      expect(await loadCheckpoint(run, (await openRun(run))!)).toEqual(tensors(5));
    },
  );

  it('never saves a weight that is not finite', async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const run = newRun();
      const previous = await saveAll(run, [5], () => ({}));
      const diverged = tensors(6);
      diverged.get('adamV/layer.weight')!.data[4] = bad;
      await expect(
        saveCheckpoint(run, stateAt(6), { tensors: diverged, previous, keep: 1, regular: true }),
      ).rejects.toMatchObject({
        code: 'TRAINING_DIVERGED',
        message: expect.stringMatching(/^adamV\/layer\.weight became NaN or infinite by update 6/),
      });
      expect((await openRun(run))!.state.update).toBe(5);
    }
  });
});

describe('loadCheckpoint', () => {
  it('refuses a checkpoint that was cut short or lost a file', async () => {
    const run = newRun();
    const pointer = await saveAll(run, [5], () => ({}));
    const path = 'runs/a/checkpoints/update-00000005/model.safetensors';
    run.files.contents.set(path, run.files.contents.get(path)!.slice(0, -1));
    await expect(loadCheckpoint(run, pointer)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    run.files.contents.delete(path);
    await expect(loadCheckpoint(run, pointer)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('openRun', () => {
  it('names what differs from the run in the directory', async () => {
    const run = newRun();
    await saveAll(run, [5], () => ({}));
    const opened = (other: Record<string, unknown>) => openRun({ ...run, identity: other });
    await expect(opened({ ...identity, model: { dModel: 256 } })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      message:
        'runs/a was begun with model.dModel 128, but the configuration now has 256: restore the value, or choose ' +
        'another output directory.',
    });
    await expect(opened({ ...identity, data: { fingerprint: 'beef' } })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      message: expect.stringContaining('runs/a was begun with other training data or another vocabulary'),
    });
  });

  it.each(['{"format":1', '{"format":2}', '[]'])('refuses %s', async (text) => {
    const run = newRun();
    run.files.contents.set('runs/a/latest.json', new TextEncoder().encode(text));
    await expect(openRun(run)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringMatching(/^runs\/a\/latest\.json is not the pointer file of a run/),
    });
  });
});
