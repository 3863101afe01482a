import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { isShortlist, type Shortlist } from '../generation/shortlist.js';
import { requireText, wrongInput } from '../inputs.js';
import { readBytes } from './openWeights.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

const parts = ['offsets', 'targets', 'always'] as const;

/**
 * Reads a shortlist that `polybeam shortlist` made.
 * @throws FILE_NOT_FOUND, FILE_CORRUPT
 */
export async function loadShortlist(path: string): Promise<Shortlist> {
  requireText(path, 'path');
  if ((await fileAccess().size(path)) === undefined) {
    throw new PolybeamError(
      'FILE_NOT_FOUND',
      `There is no shortlist ${path}; check the path, or make one with polybeam shortlist.`,
    );
  }
  const tensors = await readSafetensors(path);
  const lists: Partial<Record<(typeof parts)[number], Int32Array>> = {};
  for (const part of parts) {
    const tensor = tensors.get(part);
    if (tensor?.format !== 'I32') continue;
    const bytes = await readBytes(tensor);
    lists[part] = new Int32Array(bytes.slice().buffer);
  }
  if (isShortlist(lists)) return lists;
  throw new PolybeamError(
    'FILE_CORRUPT',
    `${path} is no shortlist: it lacks offsets, targets and always in order, as int32; make one with polybeam shortlist.`,
  );
}

/** Writes a shortlist: a safetensors file of `offsets`, `targets` and `always`, int32. Throws FILE_WRITE. */
export async function saveShortlist(path: string, shortlist: Shortlist): Promise<void> {
  requireText(path, 'path');
  if (!isShortlist(shortlist))
    throw wrongInput('shortlist', shortlist, 'give what trainShortlist or loadShortlist gives');
  const tensors = parts.map((name) => {
    const list = shortlist[name];
    const data = new Uint8Array(list.buffer, list.byteOffset, list.byteLength);
    return { name, format: 'I32' as const, shape: [list.length], data };
  });
  await writeSafetensors(path, tensors, { format: 'polybeam shortlist 1' });
}
