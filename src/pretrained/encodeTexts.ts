import { PolybeamError } from '../errors.js';
import type { ModelParts } from './model.js';

/**
 * Ids of texts; sources are cut to what the model can read, and the beginning of a target has no special tokens.
 *
 * @throws TOKENIZER_MISSING
 */
export async function encodeTexts(
  parts: ModelParts,
  texts: readonly string[],
  role: 'source' | 'target' | 'prefix' = 'source',
) {
  if (!parts.tokenizer) {
    throw new PolybeamError(
      'TOKENIZER_MISSING',
      `${parts.directory} has no tokenizer files, so text cannot be read; give token ids instead.`,
    );
  }
  const cut = role === 'source' && Number.isFinite(parts.maxSource) ? { maxLength: parts.maxSource } : {};
  const side = role === 'source' ? 'source' : 'target';
  return parts.tokenizer.encodeBatch(texts, { side, addSpecialTokens: role !== 'prefix', ...cut });
}

/** @throws INPUT_INVALID for an id that is none */
export function requireKnown(ids: readonly number[], count: number, name: string): void {
  const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= count);
  if (bad === undefined) return;
  throw new PolybeamError('INPUT_INVALID', `${name} holds ${bad}; give ids from 0 to ${count - 1}.`);
}
