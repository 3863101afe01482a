import { readlinkSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';

/*
 * Files are written under another name before they take their place. The name tells who writes, so that what a killed
 * process left can be told from what is being written.
 */

let count = 0;
let machine: string | undefined;

/** This machine, and on Linux the space its process numbers belong to: several containers may share a disk. */
export function writerName(): string {
  machine ??= `${hostname().slice(0, 64)}_${processSpace()}`.replace(/[^\w-]/g, '_');
  return machine;
}

/** '4026531836' of 'pid:[4026531836]'; '0' where there is no such thing. */
function processSpace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** The name under which a file is written. */
export function temporaryName(path: string): string {
  return `${path}.${writerName()}-${process.pid}-${count++}.tmp`;
}

/** Nobody writes a file for longer than this without a word, in milliseconds. */
const longestSilence = 24 * 60 * 60 * 1000;

/** Removes what killed processes left in a directory; what cannot be removed stays. */
export async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const [, writer, id] = /\.([\w-]+)-(\d+)-\d+\.tmp$/.exec(name) ?? [];
    if (id === undefined) continue;
    const path = `${directory}/${name}`;
    const isDead = writer === writerName() && !isAlive(Number(id));
    if (isDead || (await isOld(path))) await rm(path, { force: true }).catch(() => {});
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > longestSilence;
}

function isAlive(id: number): boolean {
  try {
    // Signal 0 only asks.
    process.kill(id, 0);
    return true;
  } catch (error) {
    // A process of another user may not be asked, and is alive.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Directories that have been looked through. */
const tidied = new Set<string>();

/** `removeLeftovers`, once for each directory. */
export async function tidy(directory: string): Promise<void> {
  if (tidied.has(directory)) return;
  tidied.add(directory);
  await removeLeftovers(directory);
}
