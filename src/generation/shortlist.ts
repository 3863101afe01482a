/** A lexical shortlist: for each source token the tokens that a translation of it may take. Plain data. */
export interface Shortlist {
  /** Source token s may become targets[offsets[s]] up to, but not, targets[offsets[s + 1]]. [source ids + 1] */
  offsets: Int32Array;
  /** Target token ids, of each source token the most probable first. */
  targets: Int32Array;
  /** Ids that belong to every list: special tokens and the most frequent ones. */
  always: Int32Array;
}

const wellFormed = new WeakSet<Shortlist>();

/** Whether a value is a shortlist whose lists are in order and whose ids are not negative; each is looked at once. */
export function isShortlist(value: unknown): value is Shortlist {
  if (wellFormed.has(value as Shortlist)) return true;
  const { offsets, targets, always } = (value ?? {}) as Partial<Shortlist>;
  const isList = (list: unknown): list is Int32Array => list instanceof Int32Array;
  if (!isList(offsets) || !isList(targets) || !isList(always)) return false;
  const fits =
    offsets[0] === 0 &&
    offsets[offsets.length - 1] === targets.length &&
    offsets.every((start, i) => i === 0 || start >= offsets[i - 1]) &&
    [targets, always].every((ids) => ids.every((id) => id >= 0));
  if (fits) wellFormed.add(value as Shortlist);
  return fits;
}
