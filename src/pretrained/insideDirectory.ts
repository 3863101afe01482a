import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';

/**
 * Refuses a link that leaves a model directory: a directory from elsewhere could have other files of this machine copied. Hugging
 * Face's cache keeps the files of a snapshot in `blobs` beside it, which is not elsewhere.
 * @throws INPUT_INVALID
 */
export async function requireInside(directory: string, name: string): Promise<void> {
  const files = fileAccess();
  if (!files.realPath) return;
  const inside = await files.realPath(directory);
  const file = await files.realPath(`${directory}/${name}`);
  const blobs = /^(.*)\/snapshots\/[^/]+(\/.*)?$/.exec(inside)?.[1];
  if (file.startsWith(`${inside}/`) || (blobs !== undefined && file.startsWith(`${blobs}/blobs/`))) return;
  // Where there is no such file the path comes back as it is.
  if (file === `${directory}/${name}`) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${directory}/${name} is a link to ${file}, outside of the directory: put the file itself there, or remove the link.`,
  );
}
