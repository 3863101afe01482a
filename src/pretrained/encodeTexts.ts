import { PolybeamError } from '../errors.js';
import type { DecodingRules } from '../generation/options.js';
import type { EncodedText, Tokenizer } from '../text/tokenizer.js';
import { specialEnds, type TruncationRule, truncateIds } from '../text/truncation.js';
import type { ModelParts } from './modelParts.js';

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

/** What tells how a model's targets begin. */
export interface TargetStart {
  rules: Pick<DecodingRules, 'decoderStartTokenId' | 'forcedBosTokenId'>;
  /** Ids of the tokens of languages. */
  languages: ReadonlySet<number>;
  /** Whether a text follows its source at once, as in a prefix language model. */
  followsSource: boolean;
}

/**
 * Makes of encoded targets what a model writes: languages that the tokenizer puts beside every text are left out, and so are
 * special tokens that it puts before one but that decoding starts from or, where a text follows its source at once, all of them;
 * a forced first token comes first.
 */
export async function targetWriter(
  tokenizer: Tokenizer,
  { rules, languages, followsSource }: TargetStart,
): Promise<(ids: readonly number[]) => number[]> {
  const { decoderStartTokenId: start, forcedBosTokenId } = rules;
  // Where a prompt is a text, nothing is forced and nothing stands for it.
  const forced = start === undefined || forcedBosTokenId === undefined ? [] : [forcedBosTokenId];
  const { before } = await specialEnds(tokenizer);
  return (ids) => {
    const head = ids.slice(0, before).filter((id) => !followsSource && id !== start);
    const words = [...head, ...ids.slice(before)].filter((id) => !languages.has(id));
    return words[0] === forced[0] ? words : [...forced, ...words];
  };
}
