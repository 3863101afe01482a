import { PolybeamError } from '../errors.js';
import type { EncodedText } from '../text/tokenizer.js';
import { specialEnds, type TruncationRule, truncateIds } from '../text/truncation.js';
import type { ModelParts } from './model.js';

/**
 * Ids of texts; sources are cut to what the model can read, by the model's own rule where it has one, and the beginning of a
 * target has no special tokens.
 *
 * @throws TOKENIZER_MISSING; CONFIG_INVALID where the rule leaves more than the model can read
 */
export async function encodeTexts(
  parts: Pick<ModelParts, 'tokenizer' | 'directory' | 'maxSource' | 'truncation'>,
  texts: readonly string[],
  role: 'source' | 'target' | 'prefix' = 'source',
) {
  if (!parts.tokenizer) {
    throw new PolybeamError(
      'TOKENIZER_MISSING',
      `${parts.directory} has no tokenizer files, so text cannot be read; give token ids instead.`,
    );
  }
  if (role === 'source' && parts.truncation) return encodeCut(parts, texts, parts.truncation);
  const cut = role === 'source' && Number.isFinite(parts.maxSource) ? { maxLength: parts.maxSource } : {};
  const side = role === 'source' ? 'source' : 'target';
  return parts.tokenizer.encodeBatch(texts, { side, addSpecialTokens: role !== 'prefix', ...cut });
}

/** Sources, of which the rule says what stays: nothing to warn of. */
async function encodeCut(
  { tokenizer, directory, maxSource }: Pick<ModelParts, 'tokenizer' | 'directory' | 'maxSource'>,
  texts: readonly string[],
  rule: TruncationRule,
): Promise<EncodedText[]> {
  const ends = await specialEnds(tokenizer!);
  const most = ends.before + rule.head + rule.tail + ends.after;
  if (most > maxSource) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${directory}/config.json: polybeam.truncation keeps ${most} tokens of a text, special tokens included, but the model can read ${maxSource}: lower head or tail.`,
    );
  }
  const encoded = await tokenizer!.encodeBatch(texts);
  return encoded.map(({ ids }) => ({ ids: truncateIds(ids, ends, rule), truncated: false }));
}

/**
 * A target as the model writes it: languages that the tokenizer puts beside every text are left out, and a forced first token
 * comes first.
 * @param languages ids of the tokens of languages
 */
export function asWritten(
  ids: readonly number[],
  languages: ReadonlySet<number>,
  forcedBosTokenId: number | undefined,
): number[] {
  const words = ids.filter((id) => !languages.has(id));
  const forced = forcedBosTokenId === undefined || words[0] === forcedBosTokenId ? [] : [forcedBosTokenId];
  return [...forced, ...words];
}

/** @throws INPUT_INVALID for an id that is none */
export function requireKnown(ids: readonly number[], count: number, name: string): void {
  const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= count);
  if (bad === undefined) return;
  throw new PolybeamError('INPUT_INVALID', `${name} holds ${bad}; give ids from 0 to ${count - 1}.`);
}
