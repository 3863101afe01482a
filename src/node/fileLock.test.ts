import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FileLock } from '../files.js';
import { lockFile } from './fileLock.js';

const script = new URL('../../test/fixtures/training/lockHolder.ts', import.meta.url).pathname;
let path: string;
let children: ChildProcess[];
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'polybeam-lock-')), 'run/lock.json');
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that takes the lock, says "held" or who has it, and keeps it. */
async function holder(): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [data] = await once(child.stdout!, 'data');
  return { child, said: String(data).trim() };
}

async function take(): Promise<FileLock> {
  const lock = await lockFile(path);
  if (!('release' in lock)) throw new Error(`held by ${lock.process}`);
  return lock;
}

test('one process has it, and others learn which', async () => {
  const { child, said } = await holder();
  expect(said).toBe('held');
  expect(await lockFile(path)).toMatchObject({ process: child.pid, host: hostname() });
  child.kill('SIGTERM');
  await once(child, 'exit');
  const lock = await take();
  expect(await lockFile(path)).toMatchObject({ process: process.pid });
  await lock.release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('that of a killed process is free at once', async () => {
  const { child } = await holder();
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(path)).toBe(true);
  const lock = await take();
  expect(await lock.isHeld()).toBe(true);
  await lock.release();
});

test('that of a dead process whose number another has now is free', async () => {
  const lock = await take();
  const text = readFileSync(path, 'utf8');
  await lock.release();
  const { started, ...owner } = JSON.parse(text);
  if (started === undefined) return;
  writeFileSync(path, JSON.stringify({ ...owner, started: `${Number(started) - 1}` }));
  await (await take()).release();
});

test('that of another machine holds until it has been silent for long', async () => {
  const other = {
    process: process.pid,
    host: 'node7',
    begun: '2026-01-05T10:00:00.000Z',
    machine: 'another',
    token: '1',
  };
  const lock = await take();
  await lock.release();
  writeFileSync(path, JSON.stringify(other));
  expect(await lockFile(path)).toMatchObject({ host: 'node7', begun: '2026-01-05T10:00:00.000Z' });
  const past = Date.now() / 1000 - 601;
  utimesSync(path, past, past);
  await (await take()).release();
});

test('its heart beats while the process computes', async () => {
  const lock = (await lockFile(path, { heartbeat: 20, silence: 1000 })) as FileLock;
  utimesSync(path, 1, 1);
  const until = Date.now() + 1500;
  // Nothing is awaited, as in a long step.
  while (Date.now() < until && statSync(path).mtimeMs < 2000);
  expect(statSync(path).mtimeMs).toBeGreaterThan(Date.now() - 10_000);
  await lock.release();
});

test('an owner that lost it knows, and leaves that of the next', async () => {
  const lock = await take();
  writeFileSync(path, '{"process":1,"host":"x"}');
  expect(await lock.isHeld()).toBe(false);
  await lock.release();
  expect(readFileSync(path, 'utf8')).toBe('{"process":1,"host":"x"}');
});

test('of many processes that find a dead one together, one takes it', async () => {
  const { child } = await holder();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const said = (await Promise.all(Array.from({ length: 5 }, holder))).map((one) => one.said);
  expect(said.filter((text) => text === 'held')).toHaveLength(1);
  expect(readdirSync(join(path, '..'))).toEqual(['lock.json']);
});
