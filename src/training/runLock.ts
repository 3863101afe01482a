import { PolybeamError } from '../errors.js';
import { type FileLock, fileAccess, type LockOwner } from '../files.js';

/** Locks that this process holds, by run directory. */
const locks = new Map<string, FileLock>();

/**
 * Does work in a run directory that no other process works in meanwhile: `<directory>/lock.json` says which one does. A directory whose
 * process was killed is free at once. Does only the work where the file system has no locks.
 * @throws RUN_IN_USE
 */
export async function aloneIn<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const found = await fileAccess().lock?.(`${directory}/lock.json`);
  if (found === undefined) return work();
  if (!('release' in found)) throw inUse(directory, found);
  locks.set(directory, found);
  try {
    return await work();
  } finally {
    locks.delete(directory);
    await found.release();
  }
}

/** What is asked before a checkpoint is written. @throws RUN_IN_USE where `aloneIn` holds no longer: its lock was removed or taken over */
export async function requireAlone(directory: string): Promise<void> {
  const lock = locks.get(directory);
  if (lock === undefined || (await lock.isHeld())) return;
  throw new PolybeamError(
    'RUN_IN_USE',
    `${directory} is no longer this run's: its lock.json was removed or is another process's. Nothing more was written; start again once no other process works there.`,
  );
}

function inUse(directory: string, { process, host, begun }: LockOwner): PolybeamError {
  return new PolybeamError(
    'RUN_IN_USE',
    `${directory} is in use by process ${process} on ${host}, which began at ${begun}: wait for it or stop it, choose another output directory, ` +
      `or remove ${directory}/lock.json if that process is gone.`,
  );
}
