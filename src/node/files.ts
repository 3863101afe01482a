import { appendFile, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, sep } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { isatty } from 'node:tty';
import { createGunzip } from 'node:zlib';
import { PolybeamError } from '../errors.js';
import type { FileAccess } from '../files.js';
import { lockFile } from './fileLock.js';
import { makeDirectory } from './makeDirectory.js';
import { removeLeftovers, temporaryName, tidy } from './temporaries.js';

/** Node's file system. */
export const nodeFiles: FileAccess = {
  read: (path) => reading(path, () => readWhole(path)),
  readRange: (path, start, end) => reading(path, () => readRange(path, start, end)),
  size: async (path) => (await statOrUndefined(path))?.size,
  modified: async (path) => (await statOrUndefined(path))?.mtimeMs,
  realPath: async (path) => (await unlessMissing(path, () => realpath(path)))?.replaceAll(sep, '/') ?? path,
  version: async (path) => {
    const found = await unlessMissing(path, () => stat(path, { bigint: true }));
    return found && `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
  },
  cacheDirectory,
  list: async (directory) => {
    return (await unlessMissing(directory, () => readdir(directory)))?.sort() ?? [];
  },
  writeAtomic,
  removeLeftovers,
  append: async (path, text) => {
    await writing(path, 'what was there before is kept, perhaps with a part of the new text', async () => {
      await makeDirectory(dirname(path));
      await appendFile(path, text);
    });
  },
  gunzip,
  lock: (path) => writing(path, 'nothing was begun', () => lockFile(path)),
  remove: (path) =>
    writing(path, 'it is there still, perhaps in part', () => rm(path, { recursive: true, force: true })),
};

/** By the XDG Base Directory Specification, which has relative paths ignored. */
function cacheDirectory(): string | undefined {
  const { XDG_CACHE_HOME: given } = process.env;
  if (given && isAbsolute(given)) return `${given.replaceAll(sep, '/')}/polybeam`;
  try {
    return `${homedir().replaceAll(sep, '/')}/.cache/polybeam`;
  } catch {
    // The system knows no such user.
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

async function statOrUndefined(path: string) {
  const found = await unlessMissing(path, () => stat(path));
  return found?.isFile() ? found : undefined;
}

/** @throws FILE_NOT_FOUND where it is there and cannot be looked at: a loop of links, a directory without permission */
async function unlessMissing<T>(path: string, look: () => Promise<T>): Promise<T | undefined> {
  return reading(path, () =>
    look().catch((error) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
  );
}

/** @throws FILE_NOT_FOUND for a device, which may never end; a pipe or a terminal ends */
async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const status = await file.stat();
    const isDevice = status.isCharacterDevice() || status.isBlockDevice();
    if (isDevice && path !== '/dev/null' && !isatty(file.fd)) {
      throw new PolybeamError('FILE_NOT_FOUND', `${path} is a device, not a file; check the path.`);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PolybeamError) throw error;
    const reason = isMissing(error) ? 'does not exist' : `cannot be read (${(error as Error).message})`;
    throw new PolybeamError('FILE_NOT_FOUND', `${path} ${reason}; check the path.`, { cause: error });
  }
}

async function readRange(path: string, start: number, end: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const truncated = (length: number) =>
      new PolybeamError(
        'FILE_CORRUPT',
        `${path} ends at byte ${length}, before byte ${end}; it is truncated, so copy or download it again.`,
      );
    // Asked first, so that a wrong number in a small file takes no memory.
    const status = await file.stat();
    if (status.isFile() && end > status.size) throw truncated(status.size);
    const bytes = new Uint8Array(end - start);
    let filled = 0;
    while (filled < bytes.length) {
      // Node refuses to read 2 GiB or more at once.
      const wanted = Math.min(bytes.length - filled, 1 << 30);
      const { bytesRead } = await file.read(bytes, filled, wanted, start + filled);
      if (bytesRead === 0) throw truncated(start + filled);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** @param outcome what a failure leaves behind */
async function writing<T>(path: string, outcome: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof PolybeamError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const remedy =
      code === 'ENOSPC' ? 'free some disk space and run again' : 'check the path and its permissions';
    throw new PolybeamError(
      'FILE_WRITE',
      `${path} could not be written (${(error as Error).message}); ${outcome}: ${remedy}.`,
      { cause: error },
    );
  }
}

async function* gunzip(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // An error of either stream ends the other, and the loop.
  const unpacked = pipeline(Readable.from(chunks), createGunzip({ chunkSize: 1 << 20 }), () => {});
  for await (const chunk of unpacked) yield chunk;
}

async function writeAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = temporaryName(path);
  await writing(path, 'what was there before is untouched', async () => {
    await makeDirectory(dirname(path));
    await tidy(dirname(path));
    try {
      const file = await open(temporary, 'w');
      try {
        for await (const chunk of chunks) await file.writeFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      await syncDirectory(dirname(path));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

/** Makes a rename last through a power cut, where the system can: Windows opens no directories. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
