import { PolybeamError } from './errors.js';

/**
 * What polybeam needs of a file system. Node's is in `src/node/files.ts`; a browser can pass its own
 * (fetch, OPFS, a Map of buffers). Paths use `/`.
 */
export interface FileAccess {
  /** Whole file; throws FILE_NOT_FOUND. */
  read(path: string): Promise<Uint8Array>;
  /** Bytes [start, end) of a file; throws FILE_NOT_FOUND, and FILE_CORRUPT where the file ends before `end`. */
  readRange(path: string, start: number, end: number): Promise<Uint8Array>;
  /** Size in bytes, or undefined where there is no such file. */
  size(path: string): Promise<number | undefined>;
  /**
   * When a file last changed, in milliseconds, or undefined where there is no such file. Without this function nothing that
   * is made from a file is kept beside it.
   */
  modified?(path: string): Promise<number | undefined>;
  /**
   * What tells the content of a file from others that were or will be at this path, without reading it: another where the
   * file is replaced or written to; undefined where there is no such file. Without this function such changes are not
   * noticed.
   */
  version?(path: string): Promise<string | undefined>;
  /**
   * The path of the same file or directory without symbolic links; `path` itself where there is no such file. Without
   * this function paths are taken as they are.
   */
  realPath?(path: string): Promise<string>;
  /** The directory for files that can be made again, of this user; undefined where there is none. It need not exist. */
  cacheDirectory?(): string | undefined;
  /** Names in a directory, sorted; empty where there is no such directory. */
  list(directory: string): Promise<string[]>;
  /**
   * Writes the chunks to a temporary file beside `path`, flushes it to disk and renames it over `path`: a reader sees
   * the old file or the new one, never a part. Throws FILE_WRITE; the old file is then untouched. Makes directories.
   */
  writeAtomic(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Removes temporary files that `writeAtomic` left in a directory because its process was killed; not those of writers
   * that are alive.
   */
  removeLeftovers?(directory: string): Promise<void>;
  /** Appends to a file, making it where it does not exist. */
  append(path: string, text: string): Promise<void>;
  /**
   * Unpacks gzip, all members of it, and checks them against their checksums; throws any error where they are damaged. Where it is
   * left out, the platform's `DecompressionStream` serves, and files are held as a whole.
   */
  gunzip?(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /**
   * Takes a file as a lock, with this process as its owner and a heartbeat, or says which live process has it. Without this function
   * nothing keeps two processes from one run directory.
   */
  lock?(path: string): Promise<FileLock | LockOwner>;
  /** Removes a file or a directory with all in it; no error where it does not exist. */
  remove(path: string): Promise<void>;
}

/** A lock that this process has. */
export interface FileLock {
  /** Whether it has it still: the file may have been removed or taken over. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** The process that has a lock. */
export interface LockOwner {
  /** Its number. */
  process: number;
  host: string;
  /** When it took the lock, ISO 8601. */
  begun: string;
}

let current: FileAccess | undefined;

/** Sets the file system that model loading and training use. The Node entry does it on import. */
export function setFileAccess(files: FileAccess): void {
  current = files;
}

/** The file system in use; throws RUNTIME_MISSING where none was set. */
export function fileAccess(): FileAccess {
  if (!current) {
    throw new PolybeamError(
      'RUNTIME_MISSING',
      'No file system is set: import polybeam in Node, or call setFileAccess() with your own.',
    );
  }
  return current;
}
