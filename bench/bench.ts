import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PolybeamError } from '../src/errors.js';
import { type RoundOptions, toleratedDisturbance } from './rounds.js';
import { memoryRow, type Report } from './rows.js';

/** What the command line says about a run. */
export interface BenchOptions {
  /** Python with the peers' packages; without it polybeam runs alone. */
  peers?: string;
  threads: number;
  rounds: number;
  /** Part of the names of the cases to run. */
  case?: string;
  /** Print ONNX Runtime's own profile instead of times. */
  operators?: boolean;
}

/** A case of a bench, by the name that rows show. */
export interface NamedCase {
  name: string;
  /** Run only where `--case` asks for it. */
  onRequest?: boolean;
}

/**
 * The cases whose name contains `text`, or those that are run by default.
 * @throws PolybeamError OPTION_INVALID where there is none
 */
export function selectCases<Case extends NamedCase>(
  cases: readonly Case[],
  text: string | undefined,
): Case[] {
  if (text === undefined) return cases.filter(({ onRequest }) => !onRequest);
  const selected = cases.filter(({ name }) => name.includes(text));
  if (selected.length > 0) return selected;
  const names = cases.map(({ name }) => `"${name}"`).join(', ');
  throw new PolybeamError('OPTION_INVALID', `--case "${text}" matches none; the cases are ${names}.`);
}

/** Longer than thread pools spin after their last task: GNU OpenMP some milliseconds, ONNX Runtime less. */
const pauseMs = 250;

/** How sides are measured with the given options. */
export function roundOptions(options: BenchOptions, warmUps: number): RoundOptions {
  return { rounds: options.rounds, warmUps, pauseMs };
}

/** Says so where the side that should have been idle was not: then the times are not to be trusted. */
export function noteDisturbance(report: Report, name: string, disturbance: number): void {
  if (disturbance <= toleratedDisturbance) return;
  const percent = Math.round(100 * disturbance);
  report.note(`warning: ${name}: the side that should be idle used ${percent} % of the time; run it again`);
}

/** The script that runs the peers. */
export const peersScript = fileURLToPath(new URL('peers.py', import.meta.url));

/** Calls with a directory that is removed afterwards, also where the bench is interrupted: models are large. */
export async function withTemporaryDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'polybeam-bench-'));
  const interrupted = () => {
    rmSync(directory, { recursive: true, force: true });
    process.exit(interruptedCode);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await use(directory);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await rm(directory, { recursive: true, force: true });
  }
}

/** 128 + 2, as shells count a process that SIGINT ended. */
const interruptedCode = 130;

/** The most memory this process has had resident so far. */
export function reportPeakMemory(report: Report, bench: string): void {
  report.row(memoryRow(bench, 'polybeam peak memory', process.resourceUsage().maxRSS * 1024));
}
