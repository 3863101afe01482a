/** Runs cases that the parent names and says how each ended; a case that ends the process or never ends is the parent's to see. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PolybeamError } from '../../src/errors.js';
import { printable, printableLine } from '../../src/printable.js';
import { makeCase } from './cases.js';
import type { Reader } from './readers.js';

/** A case to run, or the end. */
export interface Task {
  seed: number;
  number: number;
}

/** How a case ended: `fault` says what is wrong, where anything is. */
export interface Outcome {
  number: number;
  fault?: string;
  /** What was thrown, or "read". */
  ended: string;
}

const [readersFile, folder, only] = process.argv.slice(2);
const { readers } = (await import(readersFile)) as { readers: readonly Reader[] };
const chosen = only ? readers.filter(({ name }) => name === only) : readers;

process.on('message', async ({ seed, number }: Task) => {
  process.send!({ number, ...(await run(seed, number)) } satisfies Outcome);
});
process.on('disconnect', () => process.exit());
process.send!({ number: -1, ended: 'ready' } satisfies Outcome);

async function run(seed: number, number: number): Promise<Omit<Outcome, 'number'>> {
  const { reader, path: from, bytes } = makeCase(chosen, seed, number, (path) => readFileSync(path));
  const directory = join(folder, basename(dirname(from)));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(dirname(from), directory, { recursive: true });
  const path = join(directory, basename(from));
  writeFileSync(path, bytes);
  try {
    await reader.read(path);
    return { ended: 'read' };
  } catch (error) {
    return judge(error);
  }
}

/** An error is right that has a code and prints as text. */
function judge(error: unknown): Omit<Outcome, 'number'> {
  const ended = printableLine(String(error)).slice(0, 400);
  if (!(error instanceof PolybeamError)) {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    return { ended, fault: `an error without a code: ${ended}\n${stack.split('\n').slice(1, 6).join('\n')}` };
  }
  if (error.code === 'RUNTIME_MISSING') return { ended, fault: `a wrong code: ${ended}` };
  if (printable(error.message) !== error.message)
    return { ended, fault: `a message that is not printable: ${ended}` };
  return { ended };
}
