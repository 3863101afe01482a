import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyConfig, trainTiny } from '../../test/support/trainTiny.js';
import { loadModel, train } from '../node.js';
import { openWeights } from '../pretrained/openWeights.js';
import { checkpointPath } from './runCheckpoint.js';

let root: string;

/** The weights of the finished model, byte for byte. */
const finalWeights = (directory: string) => readFile(join(directory, 'run/model/model.safetensors'));

async function fresh(name: string): Promise<string> {
  return mkdtemp(join(root, `${name}-`));
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-train-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('train', () => {
  let whole: string;

  beforeAll(async () => {
    whole = await fresh('whole');
    const result = await trainTiny(whole);
    expect(result).toMatchObject({ reason: 'maxUpdates', updates: 40, resumedFrom: 0 });
  });

  test('makes a model directory that loads and translates', async () => {
    const model = await loadModel(join(whole, 'run/model'));
    const [translation, blank] = await model.translate(['a b c', '  '], {
      to: 'xb',
      numBeams: 2,
      maxNewTokens: 12,
    });
    expect(typeof translation).toBe('string');
    expect(blank).toBe('');
    await expect(model.translate(['a'], { to: 'fr' })).rejects.toMatchObject({ code: 'LANGUAGE_UNKNOWN' });
    await model.dispose();
  });

  test('logs every update and validates with the decoding core', async () => {
    const rows = (await readFile(join(whole, 'run/log.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.filter((row) => row.type === 'update')).toHaveLength(40);
    const validations = rows.filter((row) => row.type === 'validation');
    expect(validations.map((row) => row.update)).toEqual([20, 40]);
    expect(validations[1].values.loss).toBeLessThan(validations[0].values.loss);
    expect(validations[1].values.bleu).toBeGreaterThanOrEqual(0);
  });

  test('starts from a model directory, with its tokenizer', async () => {
    const directory = await fresh('init');
    const init = join(whole, 'run/model');
    const notes: string[] = [];
    const output = { isTerminal: false, write: (text: string) => notes.push(text) };
    const warm = { init, vocabulary: {}, budget: { maxUpdates: 1 }, schedule: { warmupUpdates: 100 } };
    const config = await tinyConfig(directory, { ...warm, checkpoints: { averageLast: 0 } });
    expect(config.vocabulary).toEqual({ tokenizer: init });
    const result = await train(config, { output: output as never });
    expect(notes.join('')).toMatch(/init: (\d+) of \1 weights from/);
    // The first update of a schedule with warm-up has learning rate 0.
    const [before, after] = [await openWeights(init), await openWeights(result.modelDirectory!)];
    for (const name of before.names()) expect(await after.read(name)).toEqual(await before.read(name));
    const wider = await tinyConfig(directory, { ...warm, model: { dModel: 32, attentionHeads: 2 } });
    await expect(train({ ...wider, output: join(directory, 'other') })).rejects.toMatchObject({
      code: 'WEIGHT_SHAPE',
    });
  });

  test('scores validation in lower case where it is told to', async () => {
    const scores: number[] = [];
    for (const lowercase of [false, true]) {
      const directory = await fresh('lowercase');
      const config = await tinyConfig(directory, {
        init: join(whole, 'run/model'),
        vocabulary: {},
        budget: { maxUpdates: 1 },
        validation: { everyUpdates: 1, maxSentences: 60, lowercase },
        checkpoints: { averageLast: 0 },
      });
      const upper = join(directory, 'upper.tsv');
      const lines = (await readFile(join(directory, 'train.tsv'), 'utf8')).split('\n');
      await writeFile(
        upper,
        lines.map((line) => line.replace(/\t.*/, (text) => text.toUpperCase())).join('\n'),
      );
      const validation = config.data.validation!.map((source) => ({ ...source, tsv: upper }));
      const result = await train({ ...config, data: { ...config.data, validation } });
      scores.push(result.best!.score);
    }
    expect(scores[0]).toBe(0);
    expect(scores[1]).toBeGreaterThan(0);
  });

  test('interrupted twice and resumed, gives the same weights bit for bit', async () => {
    const directory = await fresh('interrupted');
    // The first line of progress and a validation's are always written; others depend on the clock.
    const runUntil = (shown: RegExp) => {
      const controller = new AbortController();
      const output = { isTerminal: true, write: (text: string) => shown.test(text) && controller.abort() };
      return trainTiny(directory, { signal: controller.signal, output: output as never });
    };
    expect(await runUntil(/ {2}update 1 /)).toMatchObject({ reason: 'interrupted', updates: 1 });
    expect(await runUntil(/^update 20: /)).toMatchObject({
      reason: 'interrupted',
      resumedFrom: 1,
      updates: 20,
    });
    expect(await trainTiny(directory)).toMatchObject({ reason: 'maxUpdates', resumedFrom: 20 });
    expect(await finalWeights(directory)).toEqual(await finalWeights(whole));
  });

  test('killed with SIGKILL and resumed, gives the same weights bit for bit', async () => {
    const directory = await fresh('killed');
    await killedAfter(directory, 15);
    const second = await trainTiny(directory);
    expect(second.resumedFrom).toBeGreaterThanOrEqual(10);
    expect(second.updates).toBe(40);
    expect(await finalWeights(directory)).toEqual(await finalWeights(whole));
  });

  test('stops where the loss is no number and keeps the last good checkpoint', async () => {
    const directory = await fresh('diverged');
    const schedule = { learningRate: 1e30, warmupUpdates: 0 };
    const config = await tinyConfig(directory, {
      schedule,
      optimizer: { clipNorm: 0 },
      checkpoints: { everyUpdates: 1 },
    });
    const error: Error = await train(config).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'TRAINING_DIVERGED' });
    const failed = Number(/at update (\d+)/.exec(error.message)?.[1]);
    // One update with such a rate is enough; its weights are large, and numbers still.
    const { state } = JSON.parse(await readFile(join(directory, 'run/latest.json'), 'utf8'));
    expect(state.update).toBe(failed - 1);
    const weights = await openWeights(checkpointPath(join(directory, 'run'), state.update));
    for (const name of weights.names()) {
      expect((await weights.read(name)).every(Number.isFinite), name).toBe(true);
    }
  });

  test('refuses to resume another run', async () => {
    const config = await tinyConfig(whole, { seed: 2 });
    await expect(train(config)).rejects.toMatchObject({ code: 'CHECKPOINT_MISMATCH' });
  });
});

/** Trains in a process of its own and kills it once its log has that many updates. */
async function killedAfter(directory: string, updates: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/support/trainTiny.ts', directory], {
    stdio: 'ignore',
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('exit', (_, signal) => resolve(signal)),
  );
  const poll = setInterval(async () => {
    const log = await readFile(join(directory, 'run/log.jsonl'), 'utf8').catch(() => '');
    if (log.split('\n').length > updates) child.kill('SIGKILL');
  }, 5);
  expect(await ended).toBe('SIGKILL');
  clearInterval(poll);
}
