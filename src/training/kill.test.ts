import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeRun } from '../../test/fixtures/training/fakeRun.js';
import { memoryFiles, prefixedFiles } from '../../test/fixtures/training/memoryFiles.js';
import { nodeFiles } from '../node/files.js';
import { loadCheckpoint, openRun } from './runCheckpoint.js';
import { trainLoop } from './trainer.js';

/** Of 5 ms each: more than the delays below together. */
const updates = 80;
const script = fileURLToPath(new URL('../../test/fixtures/training/runUntilKilled.ts', import.meta.url));

/** Starts a training process; resolves when its loop is about to begin. */
async function startTraining(directory: string): Promise<{ child: ChildProcess; ended: Promise<string> }> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, directory, String(updates)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout!.on('data', (data) => {
      printed += data;
      if (printed.includes('ready')) resolve();
    });
  });
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(printed)));
  await Promise.race([ready, ended]);
  return { child, ended };
}

describe('a training process', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'polybeam-kill-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function finalTensors() {
    const files = prefixedFiles(nodeFiles, directory);
    const run = fakeRun(files).run;
    return loadCheckpoint(run, (await openRun(run))!);
  }

  async function expectedTensors() {
    const options = fakeRun(memoryFiles(), { budget: { maxUpdates: updates } });
    await trainLoop(options);
    return options.step.tensors();
  }

  /** Runs the training and sends a signal some milliseconds after its loop began; returns what it printed last. */
  async function trainUntil(signal: NodeJS.Signals, delay: number): Promise<string> {
    const { child, ended } = await startTraining(directory);
    const timer = setTimeout(() => child.kill(signal), delay);
    const printed = await ended;
    clearTimeout(timer);
    return printed.split('\n')[1];
  }

  it('killed at random moments and stopped by Ctrl-C goes on to bit-identical weights', async () => {
    const delays = [Math.random() * 150, Math.random() * 150, Math.random() * 50];
    const context = `killed after ${delays.slice(0, 2)} ms, interrupted after ${delays[2]} ms`;
    await trainUntil('SIGKILL', delays[0]);
    await trainUntil('SIGKILL', delays[1]);
    const stopped = JSON.parse(await trainUntil('SIGINT', delays[2]));
    expect(stopped, context).toMatchObject({ reason: 'interrupted' });
    const ended = JSON.parse(await trainUntil('SIGKILL', 60_000));
    expect(ended, context).toEqual({ reason: 'maxUpdates', resumedFrom: stopped.update, update: updates });
    expect(await finalTensors(), context).toEqual(await expectedTensors());
    const rows = (await readFile(join(directory, 'runs/fake/log.jsonl'), 'utf8')).trim().split('\n');
    const logged = rows.map((row) => JSON.parse(row)).filter((row) => row.type === 'update');
    const numbers = logged.map((row) => row.update);
    expect(numbers, context).toEqual(Array.from({ length: updates }, (_, i) => i + 1));
  }, 30_000);
});
