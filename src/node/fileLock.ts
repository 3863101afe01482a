import { randomUUID } from 'node:crypto';
import { link, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FileLock, LockOwner } from '../files.js';
import { makeDirectory } from './makeDirectory.js';

/** What a lock file says of the process that has it. */
interface Owner extends LockOwner {
  /** What tells processes of one running system from those of others: their numbers mean nothing elsewhere. */
  machine: string;
  /** When the process began, in the system's own unit: numbers of processes are used again. */
  started?: string;
  /** Of this lock alone. */
  token: string;
}

/** How often an owner says that it is alive, and how long it may be silent where nobody can ask for its process; milliseconds. */
export interface Pulse {
  heartbeat: number;
  silence: number;
}

const pulse: Pulse = { heartbeat: 10_000, silence: 600_000 };

/**
 * Takes a file as a lock: it is made whole, or is there already. A file of a process that is dead, or silent where that cannot be known,
 * is taken over.
 * @returns the lock, or the live owner
 */
export async function lockFile(path: string, { heartbeat, silence } = pulse): Promise<FileLock | LockOwner> {
  await makeDirectory(dirname(path));
  const own: Owner = {
    process: process.pid,
    host: hostname(),
    begun: new Date().toISOString(),
    machine: await machineName(),
    started: await startOf(process.pid),
    token: randomUUID(),
  };
  const text = `${JSON.stringify(own)}\n`;
  const temporary = `${path}.${own.token}.tmp`;
  try {
    for (;;) {
      await writeFile(temporary, text);
      if (await claim(temporary, path, text)) return held(path, text, heartbeat);
      const found = await read(path);
      if (!found) continue;
      // By the clock of the disk that both files lie on.
      const quiet = (await stat(temporary)).mtimeMs - found.touched;
      if (await isAlive(found.owner, own.machine, quiet, silence)) return found.owner ?? unknownOwner;
      await removeStale(path, found.text, `${path}.${own.token}.stale`);
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

const unknownOwner: LockOwner = { process: 0, host: 'unknown', begun: 'unknown' };

/** Puts the file in place unless there is one. */
async function claim(temporary: string, path: string, text: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
  }
  try {
    // File systems without hard links: for a moment the file is there and empty.
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** What a lock file says now; undefined where it has gone, `owner` undefined where it says nothing that makes sense. */
async function read(path: string): Promise<{ text: string; owner?: Owner; touched: number } | undefined> {
  try {
    const [text, { mtimeMs: touched }] = [await readFile(path, 'utf8'), await stat(path)];
    return { text, touched, owner: parse(text) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner | null;
    return typeof owner?.process === 'number' && typeof owner.host === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive(
  owner: Owner | undefined,
  machine: string,
  quiet: number,
  silence: number,
): Promise<boolean> {
  if (owner === undefined || owner.machine !== machine) return quiet < silence;
  if (!exists(owner.process)) return false;
  const started = await startOf(owner.process);
  return started === undefined || owner.started === undefined ? quiet < silence : started === owner.started;
}

function exists(id: number): boolean {
  try {
    // Signal 0 only asks.
    process.kill(id, 0);
    return true;
  } catch (error) {
    // A process of another user may not be asked, and is there.
    return codeOf(error) !== 'ESRCH';
  }
}

/** On Linux this boot and the name space of process numbers, which containers have of their own; elsewhere the host. */
async function machineName(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** On Linux: clock ticks since the boot, which stand twenty fields behind the name, which is in parentheses. */
async function startOf(id: number): Promise<string | undefined> {
  try {
    const status = await readFile(`/proc/${id}/stat`, 'utf8');
    return status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Removes a lock whose owner is dead, and puts back one that another process took meanwhile. */
async function removeStale(path: string, text: string, aside: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== text) await claim(aside, path, await readFile(aside, 'utf8'));
  await rm(aside, { force: true });
}

/** A thread of its own, since computing may keep the main one for minutes. */
const beat = `
const { workerData: { path, milliseconds } } = require('node:worker_threads');
const { utimesSync } = require('node:fs');
setInterval(() => {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {}
}, milliseconds);
`;

function held(path: string, text: string, milliseconds: number): FileLock {
  const worker = new Worker(beat, { eval: true, workerData: { path, milliseconds } });
  worker.unref();
  const isHeld = async () => (await read(path))?.text === text;
  return {
    isHeld,
    release: async () => {
      await worker.terminate();
      if (await isHeld()) await rm(path, { force: true });
    },
  };
}
