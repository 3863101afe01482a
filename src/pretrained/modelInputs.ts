import { PolybeamError } from '../errors.js';
import type { GenerationInput } from '../generation/inputs.js';
import { lengthWarning, type ResolvedGenerationOptions } from '../generation/options.js';
import { isBlank } from '../text/blank.js';
import { encodeTexts, requireKnown } from './encodeTexts.js';
import { replaceSourceToken, requireLanguagesBefore } from './languages.js';
import type { ModelInput, ModelParts } from './modelParts.js';
import { prefixIds } from './prefixes.js';

/** What a model generates with. @throws MODEL_DISPOSED, MODEL_CANNOT_GENERATE */
export function requireGeneration(parts: ModelParts): NonNullable<ModelParts['generation']> {
  parts.requireAlive();
  if (parts.generation) return parts.generation;
  throw new PolybeamError(
    'MODEL_CANNOT_GENERATE',
    `${parts.directory} is a ${String(parts.config.model_type)} model without a decoder, so it cannot generate; use forward, or a model with a decoder.`,
  );
}

const warned = new WeakMap<ModelParts, Set<string>>();

/** Warns of lengths that the model's own settings ask for and a search cannot have, once for each model. */
export function warnOfLengths(parts: ModelParts, resolved: ResolvedGenerationOptions): void {
  const warning = lengthWarning(resolved, parts.generation?.defaults ?? {});
  const known = warned.get(parts) ?? new Set();
  if (warning === undefined || known.has(warning)) return;
  warned.set(parts, known.add(warning));
  parts.onWarning(warning);
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
  const prefixes = await prefixIds(parts, inputs, firstIndex);
  let next = 0;
  return inputs.map((input, index) => {
    const name = `Input ${firstIndex + index + 1}`;
    const prefix = prefixes[index];
    if (!('text' in input)) return checkIds(parts, { ...input, prefix }, name);
    const { ids, truncated } = encoded[next++];
    if (truncated) {
      parts.onWarning(
        `${name} is longer than the ${parts.maxSource} tokens the model can read; only its beginning is used: split it into sentences.`,
      );
    }
    const { forceWordsIds } = input;
    const inputIds = isBlank(input.text) ? [] : ids;
    requireLanguagesBefore(parts.languages, inputIds, name);
    return {
      inputIds,
      ...(prefix && { prefix }),
      ...(forceWordsIds && { forceWordsIds }),
    };
  });
}

function checkIds(parts: ModelParts, input: GenerationInput, name: string): GenerationInput {
  requireKnown(input.inputIds, parts.idCounts.inputIds, `${name}: inputIds`);
  requireLanguagesBefore(parts.languages, input.inputIds, name);
  if (input.inputIds.length <= parts.maxSource) return input;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${name} has ${input.inputIds.length} token ids; the model can read ${parts.maxSource}: shorten it.`,
  );
}
