import { requireUnchanged, type StoredWeight } from '../engine/weights.js';
import { fileAccess } from '../files.js';

/** Weights that are one in the model, by the names that repeat it: the name of the first. */
export type TiedNames = Readonly<Record<string, string>>;

/**
 * Leaves one name to each tied weight, as transformers 5 does when it loads: a repetition that is equal goes; where the first
 * name is missing, the first of the others takes it, in the order of `tied`; what differs stays, as a weight of its own.
 *
 * @param weights by the names in the checkpoint; changed in place
 * @param onWarning is called where what should be tied differs
 */
export async function tieWeights(
  weights: Map<string, StoredWeight>,
  tied: TiedNames,
  onWarning: (message: string) => void = () => {},
): Promise<void> {
  for (const [name, first] of Object.entries(tied)) {
    const own = weights.get(name);
    if (!own) continue;
    const found = weights.get(first);
    if (!found) rename(weights, name, first);
    else if (await isSameTensor(own, found)) weights.delete(name);
    else {
      onWarning(
        `${name} differs from ${first}, although config.json ties them; both are used as they are: set tie_word_embeddings to false there to say so.`,
      );
    }
  }
}

/** Whether a name that an index lists stands for a weight that is there under another name. */
export function isTiedElsewhere(name: string, tied: TiedNames, has: (name: string) => boolean): boolean {
  const first = tied[name] ?? name;
  return has(first) || Object.entries(tied).some(([other, target]) => target === first && has(other));
}

/** Parts that are stored beside a weight, such as `name.scale` and `name:int8`, go with it. */
function rename(weights: Map<string, StoredWeight>, from: string, to: string): void {
  for (const suffix of ['', '.scale', ':int8', ':int8:scales', ':int4', ':int4:scales']) {
    const weight = weights.get(from + suffix);
    if (!weight) continue;
    weights.set(to + suffix, weight);
    weights.delete(from + suffix);
  }
}

/** The bytes of a stored tensor, or of a part of it: from `start` to before `end`. @throws FILE_CHANGED */
export async function readBytes(
  { data }: StoredWeight,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): Promise<Uint8Array> {
  if (data.kind === 'memory') return data.data.subarray(start, end);
  try {
    return await fileAccess().readRange(
      data.path,
      data.offset + start,
      data.offset + Math.min(data.length, end),
    );
  } finally {
    // Afterwards, since it may change meanwhile; and a change explains a failure.
    await requireUnchanged(data);
  }
}

/** Bytes that are compared at a time; the first of them tell most differences. */
const chunk = 2 ** 20;

/** Whether two tensors have one format, shape and content; those at one place in a file are not read. */
export async function isSameTensor(a: StoredWeight, b: StoredWeight): Promise<boolean> {
  if (a.format !== b.format || a.shape.join() !== b.shape.join()) return false;
  const [x, y] = [a.data, b.data];
  if (x.kind === 'file' && y.kind === 'file' && x.path === y.path && x.offset === y.offset) return true;
  const size = x.kind === 'file' ? x.length : x.data.length;
  for (let at = 0; at < size; at += chunk) {
    const [left, right] = [await readBytes(a, at, at + chunk), await readBytes(b, at, at + chunk)];
    if (left.length !== right.length || left.some((byte, index) => byte !== right[index])) return false;
  }
  return true;
}
