import { type DataSource, readParallelText } from '../training/data.js';
import type { TrainOptions } from '../training/train.js';
import { readDocuments, type TextSource } from './corpus.js';

/** Texts that a run learns from. */
export interface Texts {
  documents?: string[];
  pairs?: { source: string[]; target: string[] };
}

/**
 * Reads what there is of either kind, and warns of what is left out or was replaced.
 * @throws what `readDocuments` and `readParallelText` throw
 */
export async function readTexts(
  text: readonly TextSource[] | undefined,
  pairs: readonly DataSource[] | undefined,
  { onWarning }: TrainOptions,
): Promise<Texts> {
  const texts: Texts = {};
  let invalid = 0;
  if (text) {
    const found = await readDocuments(text);
    if (found.blank > 0) onWarning?.(`${found.blank} blank lines of text are left out.`);
    invalid += found.invalidLines;
    texts.documents = found.texts;
  }
  if (pairs) {
    const found = await readParallelText(pairs);
    if (found.blank > 0) onWarning?.(`${found.blank} pairs have a blank side and are left out.`);
    invalid += found.invalidLines;
    texts.pairs = found;
  }
  if (invalid > 0)
    onWarning?.(`${invalid} lines are not valid UTF-8; the bad bytes were replaced by U+FFFD.`);
  return texts;
}

/** Every text, both sides of pairs too. */
export function* allTexts({ documents = [], pairs }: Texts): Iterable<string> {
  yield* documents;
  yield* pairs?.source ?? [];
  yield* pairs?.target ?? [];
}
