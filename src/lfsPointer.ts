import { PolybeamError } from './errors.js';
import { fileAccess } from './files.js';

const beginning = new TextEncoder().encode('version https://git-lfs.github.com/spec/');
/** The specification bounds a pointer so. */
const largest = 1024;

/** Whether a file is a Git LFS pointer: what a clone without Git LFS has in place of a large file. */
export async function isLfsPointer(path: string): Promise<boolean> {
  const size = await fileAccess().size(path);
  if (size === undefined || size < beginning.length || size >= largest) return false;
  const start = await fileAccess().readRange(path, 0, beginning.length);
  return beginning.every((byte, at) => start[at] === byte);
}

/** What readers of files that are kept in Git LFS ask first. @throws FILE_CORRUPT for a pointer, with how to fetch the file */
export async function refuseLfsPointer(path: string): Promise<void> {
  if (!(await isLfsPointer(path))) return;
  throw new PolybeamError(
    'FILE_CORRUPT',
    `${path} is a Git LFS pointer, not the file itself: run git lfs pull in its repository, or download the file.`,
  );
}
