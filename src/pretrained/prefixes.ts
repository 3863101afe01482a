import { PolybeamError } from '../errors.js';
import { requireIds, requireList } from '../inputs.js';
import { isBlank } from '../text/blank.js';
import { encodeTexts } from './encodeTexts.js';
import type { ModelParts, Prefix, ReadInput } from './modelParts.js';

/**
 * The ids of the prefixes of inputs. A text is encoded as target text, without special tokens. What the vocabulary has no
 * token for could not be in the output, and after an end token nothing comes: both are refused in texts; ids may hold
 * any token.
 *
 * @param nameOf how errors name the input at an index
 * @returns undefined for an input without a prefix
 * @throws INPUT_INVALID, TOKENIZER_MISSING
 */
export async function prefixIds(
  parts: ModelParts,
  inputs: readonly ReadInput[],
  nameOf: (index: number) => string,
): Promise<(readonly number[] | undefined)[]> {
  const texts = inputs.flatMap(({ prefix }) => (isText(prefix) ? [prefix] : []));
  const encoded = texts.length === 0 ? [] : await encodeTexts(parts, texts, 'prefix');
  let next = 0;
  return inputs.map((input, index) => {
    const { prefix } = input;
    if (prefix === undefined) return undefined;
    const name = nameOf(index);
    const ids = isText(prefix) ? encoded[next++].ids : typeof prefix === 'string' ? [] : prefix;
    if (!isText(prefix)) requireIds(ids, `${name}: prefix`, parts.generation?.steps.vocabSize);
    if (ids.length === 0) return [];
    if (isText(prefix)) requireWords(parts, prefix, ids, name);
    if ('text' in input && isBlank(input.text)) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${name}: prefix ${JSON.stringify(prefix)} begins the output of a blank text; leave it blank, too.`,
      );
    }
    return ids;
  });
}

/** Blank is no prefix. */
function isText(prefix: Prefix | undefined): prefix is string {
  return typeof prefix === 'string' && !isBlank(prefix);
}

/** Refuses special tokens, the unknown one first of all. */
function requireWords({ tokenizer }: ModelParts, prefix: string, ids: readonly number[], name: string): void {
  const { unk, ...others } = tokenizer?.specialIds ?? {};
  const shown = `${name}: prefix ${JSON.stringify(prefix)}`;
  if (unk !== undefined && ids.includes(unk)) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${shown} has characters or words that the model's vocabulary lacks; write it otherwise, or give token ids.`,
    );
  }
  const special = ids.find((id) => Object.values(others).includes(id));
  if (special === undefined) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${shown} holds the special token ${tokenizer?.idToToken(special)}; leave it out, or give token ids.`,
  );
}

/** @param texts how many there are @throws INPUT_INVALID for another number of prefixes */
export function requirePrefixes(prefixes: readonly Prefix[] | undefined, texts: number): void {
  if (prefixes === undefined) return;
  requireList(prefixes, 'prefixes', 'texts or lists of token ids');
  if (prefixes.length === texts) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `prefixes has ${prefixes.length} for ${texts} texts; give one for each, '' for none.`,
  );
}
