import { PolybeamError } from '../errors.js';
import type { GenerationInput } from '../generation/inputs.js';
import {
  type DecodingRules,
  type GenerationOptions,
  lengthWarning,
  type ResolvedGenerationOptions,
} from '../generation/options.js';
import { requireIds, requireKeys, requireList, requireMask, requireText, wrongInput } from '../inputs.js';
import { isBlank } from '../text/blank.js';
import { encodeTexts } from './encodeTexts.js';
import {
  replaceSourceToken,
  requireLanguagesBefore,
  type TranslationRequest,
  translationRequest,
} from './languages.js';
import type { ModelInput, ModelParts, ReadInput } from './modelParts.js';
import { prefixIds } from './prefixes.js';

/** How errors name an input. @param index of it in the call, from 0 */
export type InputNames = (index: number) => string;

/** The languages of a call. */
export interface LanguageOptions {
  /** Target language; must be one the model has. */
  to?: string;
  /** Source language, for models that need it; must be one of the model's. Default: that of its tokenizer. */
  from?: string;
}

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

const keysOfText = ['text', 'prefix', 'forceWordsIds'];
const keysOfIds = ['inputIds', 'attentionMask', 'decoderInputIds', 'prefix', 'forceWordsIds'];

/**
 * One input of a call as an object, after its form was checked. Every function that takes inputs reads them by this one.
 * @throws INPUT_INVALID for what is no input, and for a key that would be ignored
 */
export function readInput(given: unknown, name: string): ReadInput {
  if (typeof given === 'string') return { text: given };
  if (typeof given !== 'object' || given === null || !('text' in given || 'inputIds' in given)) {
    throw wrongInput(name, given, 'give a text, or an object with text or inputIds');
  }
  const input = given as ModelInput & { text?: unknown; inputIds?: unknown };
  if (input.text !== undefined) {
    requireText(input.text, `${name}: text`);
    requireKeys(input, keysOfText, `${name}, a text,`, keysOfIds);
    return input as ReadInput;
  }
  requireKeys(input, keysOfIds, `${name}, of token ids,`);
  const { inputIds, attentionMask, decoderInputIds } = given as Record<string, unknown>;
  requireIds(inputIds, `${name}: inputIds`);
  if (attentionMask !== undefined) requireMask(attentionMask, inputIds.length, `${name}: attentionMask`);
  if (decoderInputIds !== undefined) requireIds(decoderInputIds, `${name}: decoderInputIds`);
  // A text that is undefined would count as one.
  const { text: _, ...read } = given as { text?: undefined } & Extract<ReadInput, { inputIds: unknown }>;
  return read;
}

/** The same for a list of inputs. @param what the caller calls it */
export function readInputs(given: unknown, nameOf: InputNames, what = 'inputs'): ReadInput[] {
  requireList(given, what, 'inputs, which are texts or objects with text or inputIds');
  return Array.from(given, (one, index) => readInput(one, nameOf(index)));
}

/** What a call asks of a model in the way of languages; see `translationRequest`. @throws LANGUAGE_UNKNOWN, INPUT_INVALID */
export function languageRequest(parts: ModelParts, { from, to }: LanguageOptions): TranslationRequest {
  if (from !== undefined) requireText(from, 'Option from');
  if (to !== undefined) requireText(to, 'Option to');
  const { rules } = requireGeneration(parts);
  return translationRequest(parts.languages, { from, to }, rules, parts.directory);
}

/** Inputs as a model takes them, and the rules that they are decoded by. */
export interface PreparedInputs {
  /** Texts after the request's prefix. */
  inputs: ReadInput[];
  prepared: GenerationInput[];
  rules: DecodingRules;
}

/**
 * Reads inputs as the model takes them: texts are put after what names their languages and become ids, ids are checked.
 *
 * @param given from `readInputs`
 * @throws INPUT_INVALID, TOKENIZER_MISSING, OPTION_CONFLICT
 */
export async function prepareRequest(
  parts: ModelParts,
  given: readonly ReadInput[],
  request: TranslationRequest,
  languages: LanguageOptions,
  options: Pick<GenerationOptions, 'forcedBosTokenId'>,
  nameOf: InputNames,
): Promise<PreparedInputs> {
  const { rules } = requireGeneration(parts);
  requireLanguagesHonored(given, request, languages, options, nameOf);
  const inputs = given.map((input) => withPrefix(input, request.prefix));
  const prepared = await prepareInputs(parts, inputs, nameOf, request.sourceId);
  return { inputs, prepared, rules: { ...rules, ...request.rules } };
}

/** Blank stays blank, whatever is put before texts. */
function withPrefix(input: ReadInput, prefix: string): ReadInput {
  return 'text' in input && !isBlank(input.text) ? { ...input, text: prefix + input.text } : input;
}

/**
 * Refuses languages that would be ignored: where something else takes the place of their tokens, and beside token ids, which
 * hold already what would stand before or beside a text.
 */
function requireLanguagesHonored(
  inputs: readonly ReadInput[],
  { prefix, sourceId, rules: { forcedBosTokenId: target } }: TranslationRequest,
  { from, to }: LanguageOptions,
  { forcedBosTokenId: forced }: Pick<GenerationOptions, 'forcedBosTokenId'>,
  nameOf: InputNames,
): void {
  if (target !== undefined && forced !== undefined && forced !== target) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `forcedBosTokenId ${forced} takes the place of ${target}, the token of to "${to}"; leave one of them out.`,
    );
  }
  for (const [index, input] of inputs.entries()) {
    if (!('inputIds' in input) || input.inputIds.length === 0) continue;
    const refuse = (what: string) =>
      new PolybeamError('INPUT_INVALID', `${nameOf(index)} is token ids ${what}, or give a text.`);
    if (prefix !== '') {
      const wanted = to === undefined ? `from "${from}"` : `to "${to}"`;
      throw refuse(
        `that ${wanted} cannot put "${prefix.trim()}" before; begin them with it and leave the language out`,
      );
    }
    if (sourceId !== undefined && !input.inputIds.includes(sourceId)) {
      throw refuse(`without ${sourceId}, the token of from "${from}"; put it among them`);
    }
    const { decoderInputIds: begun = [] } = input;
    if (target !== undefined && begun.length > 0 && !begun.slice(0, 2).includes(target)) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${nameOf(index)}: decoderInputIds [${begun}] has no ${target}, the token of to "${to}", at its beginning; put it there.`,
      );
    }
  }
}

/**
 * Makes ids of texts and checks ids.
 *
 * @param sourceId token of the source language, where it is given
 * @throws INPUT_INVALID, TOKENIZER_MISSING
 */
export async function prepareInputs(
  parts: ModelParts,
  inputs: readonly ReadInput[],
  nameOf: InputNames,
  sourceId?: number,
): Promise<GenerationInput[]> {
  const texts = inputs.flatMap((input) => ('text' in input ? [input.text] : []));
  const encoded = texts.length === 0 ? [] : await encodeTexts(parts, texts);
  if (sourceId !== undefined && parts.tokenizer)
    await replaceSourceToken(encoded, sourceId, parts.languages, parts.tokenizer);
  const prefixes = await prefixIds(parts, inputs, nameOf);
  let next = 0;
  return inputs.map((input, index) => {
    const name = nameOf(index);
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
      ...(forceWordsIds !== undefined && { forceWordsIds }),
    };
  });
}

function checkIds(parts: ModelParts, input: GenerationInput, name: string): GenerationInput {
  requireIds(input.inputIds, `${name}: inputIds`, parts.idCounts.inputIds);
  requireLanguagesBefore(parts.languages, input.inputIds, name);
  if (input.inputIds.length <= parts.maxSource) return input;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${name} has ${input.inputIds.length} token ids; the model can read ${parts.maxSource}: shorten it.`,
  );
}
