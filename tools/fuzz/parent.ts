import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome, Task } from './child.js';

/** What to run. */
export interface FuzzOptions {
  seconds: number;
  seed: number;
  /** Number of the first case. */
  first: number;
  /** Cases at most. */
  cases: number;
  /** Module with `readers`. */
  readers: string;
  /** The only reader to try; '' for all. */
  reader: string;
  /** Where each case lies while it runs. */
  folder: string;
  onFault: (fault: Fault) => void;
  /** Of one case, in milliseconds; default 30,000. */
  longestCase?: number;
}

/** A case that ended wrongly. */
export interface Fault {
  number: number;
  fault: string;
  /** The damaged file, as long as the next case has not begun. */
  file?: string;
}

/** Counts of cases. */
export interface FuzzReport {
  ran: number;
  read: number;
  refused: number;
  faults: number;
}

/** Resident bytes that a case may come to take: a process with all readers loaded takes some 300 MB. */
const mostMemory = 1.5 * 2 ** 30;
const startMs = 120_000;

/** Runs cases, one after the other, in a process that is started again where a case ends it. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seconds, seed, first, cases, onFault, folder, longestCase = 30_000 } = options;
  const report: FuzzReport = { ran: 0, read: 0, refused: 0, faults: 0 };
  const end = performance.now() + seconds * 1000;
  let child: ChildProcess | undefined;
  for (let number = first; number < first + cases && performance.now() < end; number++) {
    child ??= await start(options);
    const ended = await runCase(child, { seed, number }, longestCase);
    report.ran++;
    if (ended.died) child = undefined;
    if (ended.fault !== undefined) {
      report.faults++;
      onFault({ number, fault: ended.fault, file: newestFile(folder) });
    } else if (ended.ended === 'read') report.read++;
    else report.refused++;
  }
  child?.kill('SIGKILL');
  return report;
}

async function start({ readers, folder, reader }: FuzzOptions): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'child.ts');
  const args = ['--import', 'tsx', '--max-old-space-size=1024', script, readers, folder, reader];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const { ended, died } = await outcomeOf(child, startMs);
  if (died) throw new Error(`The process that runs cases does not start: ${ended}`);
  return child;
}

async function runCase(child: ChildProcess, task: Task, limit: number) {
  const outcome = outcomeOf(child, limit);
  child.send(task);
  return outcome;
}

type Ended = Omit<Outcome, 'number'> & { died?: boolean };

/** What the child says, or what became of it. */
async function outcomeOf(child: ChildProcess, limit: number): Promise<Ended> {
  let errors = '';
  const listen = (data: Buffer) => {
    errors = (errors + data).slice(-2000);
  };
  child.stderr!.on('data', listen);
  let watch: NodeJS.Timeout | undefined;
  const begun = performance.now();
  const ended = await new Promise<Ended>((resolve) => {
    const killed = (ended: string) => {
      child.kill('SIGKILL');
      resolve({ ended, fault: ended, died: true });
    };
    child.once('message', (outcome: Outcome) => resolve(outcome));
    child.once('exit', (code, signal) => {
      const ended = `the process ended (${signal ?? code}): ${errors.trim()}`;
      resolve({ ended, fault: ended, died: true });
    });
    watch = setInterval(() => {
      const memory = residentBytes(child.pid!);
      if (memory > mostMemory) killed(`it took ${Math.round(memory / 2 ** 20)} MiB of memory`);
      else if (performance.now() - begun > limit) killed(`it did not end within ${limit / 1000} s`);
    }, 20);
  });
  clearInterval(watch);
  child.removeAllListeners('message').removeAllListeners('exit');
  child.stderr!.removeListener('data', listen);
  return ended;
}

/** Memory of a process where the system tells it (Linux). */
function residentBytes(pid: number): number {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    return Number(pages) * 4096;
  } catch {
    return 0;
  }
}

/** The file that a case wrote last. */
function newestFile(folder: string): string | undefined {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return paths.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}
