import { PolybeamError } from '../errors.js';
import { charsmapFault } from './charsmap.js';
import { requireTokenId } from './tokenizerConfig.js';

/** Any part of a tokenizer.json. */
export type JsonObject = Record<string, unknown>;

/**
 * Checks what the native library takes on trust. It ends the process where a template lacks a special token, where steps do not fit
 * each other or where a table leads nowhere; whatever else is wrong it refuses by itself.
 *
 * @param content a parsed tokenizer.json
 * @throws TOKENIZER_INVALID; `path` names the file
 */
export function checkTokenizerJson(content: unknown, path: string): asserts content is JsonObject {
  if (!isObject(content)) throw invalid(path, 'it is not a JSON object');
  const fault =
    modelFault(content.model) ??
    firstFault(stepsOf(content.normalizer, 'normalizers'), normalizerFault) ??
    firstFault(stepsOf(content.pre_tokenizer, 'pretokenizers'), preTokenizerFault) ??
    postProcessorFault(stepsOf(content.post_processor, 'processors')) ??
    firstFault(stepsOf(content.decoder, 'decoders'), decoderFault);
  if (fault !== undefined) throw invalid(path, fault);
  const { model, added_tokens } = content;
  if (isObject(model) && isObject(model.vocab)) {
    for (const [token, id] of Object.entries(model.vocab)) requireTokenId(id, token, path);
  }
  for (const token of Array.isArray(added_tokens) ? added_tokens : []) {
    if (!isObject(token)) throw invalid(path, 'added_tokens holds something that is not a token');
    requireTokenId(token.id, String(token.content), path);
  }
}

/** What the steps say is wrong, the first of them. */
function firstFault(
  steps: readonly JsonObject[],
  faultOf: (step: JsonObject) => string | undefined,
): string | undefined {
  for (const step of steps) {
    const fault = faultOf(step);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Sequences within sequences; the library itself refuses more than these. */
const deepest = 64;

/** The steps of a pipeline, those of sequences included. */
function stepsOf(step: unknown, listName: string, depth = 0): JsonObject[] {
  if (!isObject(step)) return [];
  const list = step[listName];
  const inner =
    Array.isArray(list) && depth < deepest ? list.flatMap((one) => stepsOf(one, listName, depth + 1)) : [];
  return step.type === 'Sequence' ? inner : [step, ...inner];
}

function modelFault(model: unknown): string | undefined {
  if (!isObject(model)) return 'it has no model';
  const { type, continuing_subword_prefix: given, merges, vocab } = model;
  if (!Array.isArray(merges) || (type !== undefined && type !== 'BPE')) return undefined;
  const prefix = typeof given === 'string' ? given : '';
  for (const merge of merges) {
    const [left, right] = sidesOf(merge);
    if (!String(right).startsWith(prefix)) {
      return `the merge ${JSON.stringify(merge)} has a right side without the prefix ${JSON.stringify(prefix)}`;
    }
    if (typeof left !== 'string' || typeof right !== 'string' || !isObject(vocab)) continue;
    // The library cuts a token that is not there, and ends the process.
    const missing = [left, right, left + right.slice(prefix.length)].find(
      (token) => !Object.hasOwn(vocab, token),
    );
    if (missing !== undefined)
      return `the merge ${JSON.stringify(merge)} needs the token ${JSON.stringify(missing)}, which vocab lacks`;
  }
  return undefined;
}

/** A merge is a pair, or in older files a text with a blank between its sides. */
function sidesOf(merge: unknown): unknown[] {
  if (typeof merge === 'string') return merge.split(' ');
  return Array.isArray(merge) ? merge : [];
}

function normalizerFault(step: JsonObject): string | undefined {
  if (step.type !== 'Precompiled' && !('precompiled_charsmap' in step)) return undefined;
  const charsmap = step.precompiled_charsmap;
  const bytes = typeof charsmap === 'string' ? bytesOfBase64(charsmap) : undefined;
  if (!bytes) return 'precompiled_charsmap is not base64';
  const fault = charsmapFault(bytes);
  return fault === undefined ? undefined : `precompiled_charsmap ${fault}`;
}

/** Bytes of canonical base64, with padding. */
function bytesOfBase64(text: string): Uint8Array | undefined {
  try {
    const binary = atob(text);
    return btoa(binary) === text ? Uint8Array.from(binary, (byte) => byte.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

function preTokenizerFault(step: JsonObject): string | undefined {
  return step.type === 'FixedLength' && step.length === 0
    ? 'the pre-tokenizer FixedLength has length 0'
    : undefined;
}

function decoderFault(step: JsonObject): string | undefined {
  if (step.type !== 'Strip' || !step.stop) return undefined;
  return `the decoder Strip has stop ${JSON.stringify(step.stop)}, and the library fails where a token is shorter`;
}

function postProcessorFault(steps: readonly JsonObject[]): string | undefined {
  const template = steps.findIndex(isTemplate);
  const other = steps.slice(template + 1).find((step) => template >= 0 && step.type !== 'ByteLevel');
  if (other) return `the post-processor ${String(other.type)} follows a template`;
  return firstFault(steps.filter(isTemplate), templateFault);
}

function isTemplate(step: JsonObject): boolean {
  return step.type === 'TemplateProcessing' || 'special_tokens' in step;
}

function templateFault({ single, pair, special_tokens }: JsonObject): string | undefined {
  const tokens = isObject(special_tokens) ? special_tokens : {};
  const pieces = [...piecesOf(single), ...piecesOf(pair)];
  const missing = pieces.find(({ special }) => special !== undefined && !Object.hasOwn(tokens, special));
  if (missing) return `the template names ${JSON.stringify(missing.special)}, which special_tokens lacks`;
  const uneven = Object.entries(tokens).find(
    ([, entry]) => !isObject(entry) || lengthOf(entry.ids) !== lengthOf(entry.tokens),
  );
  if (uneven) return `special_tokens has not as many ids as tokens for ${JSON.stringify(uneven[0])}`;
  const sequences = (template: unknown) => piecesOf(template).map(({ sequence }) => sequence);
  if (!sequences(single).includes('A') || sequences(single).includes('B')) {
    return 'the template for one text has no place for it, or one for another';
  }
  const both = sequences(pair);
  return both.includes('A') || both.includes('B')
    ? undefined
    : 'the template for two texts has no place for them';
}

function piecesOf(template: unknown): { special?: string; sequence?: unknown }[] {
  if (!Array.isArray(template)) return [];
  return template.map((piece) => {
    const { SpecialToken, Sequence } = isObject(piece) ? piece : {};
    if (isObject(SpecialToken)) return { special: String(SpecialToken.id) };
    return isObject(Sequence) ? { sequence: Sequence.id } : {};
  });
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : -1;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, fault: string): PolybeamError {
  return new PolybeamError(
    'TOKENIZER_INVALID',
    `${path} cannot be read as a tokenizer (${fault}): fetch it or save the tokenizer again.`,
  );
}
