import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PolybeamError } from '../src/errors.js';
import type { Side } from './rounds.js';

/** What a peer answers: `ms` for what was timed, and whatever else the operation returns. */
export type PeerReply = Record<string, unknown> & { ms?: number };

/** A child process that does the peers' work: a JSON line in, a JSON line out, one at a time. */
export interface Peer {
  /** @throws PolybeamError OPTION_INVALID with the child's own words where it fails */
  ask(request: { op: string; [name: string]: unknown }): Promise<PeerReply>;
  /** CPU time so far in milliseconds; 0 where /proc does not tell. */
  cpuMs(): number;
  close(): Promise<void>;
}

const keptStderr = 4000;

/** Starts the child; it says nothing until asked. */
export function startPeer(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Peer {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-keptStderr);
  });
  let failure: PolybeamError | undefined;
  let waiting: { resolve(reply: PeerReply): void; reject(error: Error): void } | undefined;
  const settle = (act: (asked: NonNullable<typeof waiting>) => void) => {
    const asked = waiting;
    waiting = undefined;
    if (asked) act(asked);
  };
  const refusal = (what: string) =>
    new PolybeamError(
      'OPTION_INVALID',
      `--peers ${command} ${what}; name a Python with the packages of tools/requirements-bench.txt.`,
    );
  const fail = (what: string) => {
    failure ??= refusal(what);
    settle((asked) => asked.reject(failure!));
  };
  createInterface({ input: child.stdout }).on('line', (line) =>
    settle(({ resolve, reject }) => {
      const reply = JSON.parse(line) as PeerReply & { error?: string };
      if (reply.error === undefined) resolve(reply);
      else reject(refusal(`fails (${reply.error})`));
    }),
  );
  child.on('error', (error) => fail(`does not start (${error.message})`));
  child.on('close', (code) => fail(`ended with code ${code}: ${lastLine(stderr)}`));
  // A child that has died closes its end; what matters is said by 'close'.
  child.stdin.on('error', () => {});
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        waiting = { resolve, reject };
        child.stdin.write(`${JSON.stringify(request)}\n`);
      }),
    cpuMs: () => cpuMsOf(child),
    close: () => closeChild(child),
  };
}

/** A side whose work is the given request. */
export function peerSide(peer: Peer, name: string, request: Parameters<Peer['ask']>[0]): Side {
  return { name, cpuMs: peer.cpuMs, run: async () => (await peer.ask(request)).ms as number };
}

function closeChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.stdin!.end();
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) || 'it said nothing';
}

/** Ticks of user and system time in /proc/PID/stat, after the command name, which may hold spaces. */
const [userField, systemField] = [11, 12];
const tickMs = 10;

function cpuMsOf({ pid }: ChildProcess): number {
  if (pid === undefined || process.platform !== 'linux') return 0;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[userField]) + Number(fields[systemField])) * tickMs;
  } catch {
    return 0;
  }
}
