import { PolybeamError } from '../errors.js';
import type { GenerationInput } from '../generation/generate.js';
import { replaceSourceToken } from './languages.js';
import type { ModelInput, ModelParts } from './model.js';

/** What a model generates with. @throws MODEL_CANNOT_GENERATE */
export function requireGeneration(parts: ModelParts): NonNullable<ModelParts['generation']> {
  if (parts.generation) return parts.generation;
  throw new PolybeamError(
    'MODEL_CANNOT_GENERATE',
    `${parts.directory} is a ${String(parts.config.model_type)} model without a decoder, so it cannot generate; use forward, or a model with a decoder.`,
  );
}

/**
 * Reads inputs as the model takes them: texts become ids, ids are checked.
 *
 * @param firstIndex number of the first input among all of the caller's, who may come in portions
 * @param sourceId token of the source language, where it is given
 * @throws INPUT_INVALID, TOKENIZER_MISSING
 */
export async function prepareInputs(
  parts: ModelParts,
  inputs: readonly ModelInput[],
  firstIndex: number,
  sourceId?: number,
): Promise<GenerationInput[]> {
  const texts = inputs.flatMap((input) => ('text' in input ? [input.text] : []));
  const encoded = texts.length === 0 ? [] : await encodeTexts(parts, texts);
  if (sourceId !== undefined && parts.tokenizer)
    await replaceSourceToken(encoded, sourceId, parts.languages, parts.tokenizer);
  let next = 0;
  return inputs.map((input, index) => {
    const name = `Input ${firstIndex + index + 1}`;
    if (!('text' in input)) return checkIds(parts, input, name);
    const { ids, truncated } = encoded[next++];
    if (truncated) {
      parts.onWarning(
        `${name} is longer than the ${parts.maxSource} tokens the model can read; only its beginning is used: split it into sentences.`,
      );
    }
    const { forceWordsIds } = input;
    return { inputIds: input.text.trim() === '' ? [] : ids, ...(forceWordsIds && { forceWordsIds }) };
  });
}

/** Ids of texts; sources are cut to what the model can read. @throws TOKENIZER_MISSING */
export async function encodeTexts(
  parts: ModelParts,
  texts: readonly string[],
  side: 'source' | 'target' = 'source',
) {
  if (!parts.tokenizer) {
    throw new PolybeamError(
      'TOKENIZER_MISSING',
      `${parts.directory} has no tokenizer files, so text cannot be read; give token ids instead.`,
    );
  }
  const cut = side === 'source' && Number.isFinite(parts.maxSource) ? { maxLength: parts.maxSource } : {};
  return parts.tokenizer.encodeBatch(texts, { side, ...cut });
}

function checkIds(parts: ModelParts, input: GenerationInput, name: string): GenerationInput {
  requireKnown(input.inputIds, parts.idCounts.inputIds, `${name}: inputIds`);
  if (input.inputIds.length <= parts.maxSource) return input;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${name} has ${input.inputIds.length} token ids; the model can read ${parts.maxSource}: shorten it.`,
  );
}

/** @throws INPUT_INVALID for an id that is none */
export function requireKnown(ids: readonly number[], count: number, name: string): void {
  const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= count);
  if (bad === undefined) return;
  throw new PolybeamError('INPUT_INVALID', `${name} holds ${bad}; give ids from 0 to ${count - 1}.`);
}
