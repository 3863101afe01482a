import { PolybeamError } from '../errors.js';
import { maxTokenId, type TokenizerSettings } from './tokenizerConfig.js';
import { isObject, type JsonObject } from './tokenizerJsonCheck.js';

/** Classes that cut as BERT does. Their settings, or the defaults of these, replace what tokenizer.json says of case and accents. */
export const bertClasses: ReadonlySet<string> = new Set([
  'BertTokenizer',
  'ConvBertTokenizer',
  'DistilBertTokenizer',
  'DPRContextEncoderTokenizer',
  'DPRQuestionEncoderTokenizer',
  'DPRReaderTokenizer',
  'ElectraTokenizer',
  'LayoutLMTokenizer',
  'LxmertTokenizer',
  'MobileBertTokenizer',
  'RetriBertTokenizer',
  'SqueezeBertTokenizer',
  'UnilmTokenizer',
]);

/** Classes of byte-level BPE, whose `add_prefix_space` (default false) replaces what tokenizer.json says. */
const byteLevelClasses = new Set([
  'BartTokenizer',
  'GPT2Tokenizer',
  'LEDTokenizer',
  'MvpTokenizer',
  'RobertaTokenizer',
]);

/** Classes that write the source language beside a text: the token of a language, and the side where it stands. */
const languageClasses = new Map<
  string,
  { standard: string; token: (language: string) => string; side: 'before' | 'after' }
>([
  ['M2M100Tokenizer', { standard: 'en', token: (language) => `__${language}__`, side: 'before' }],
  ['MBart50Tokenizer', { standard: 'en_XX', token: (language) => language, side: 'before' }],
  ['MBartTokenizer', { standard: 'en_XX', token: (language) => language, side: 'after' }],
  ['NllbTokenizer', { standard: 'eng_Latn', token: (language) => language, side: 'before' }],
]);

/**
 * A tokenizer.json as the files beside it have it, by the rules of transformers 5: added tokens and their flags, case and accents of
 * BERT's classes, the space before a text of byte-level ones, and the source language (`src_lang`, `legacy_behaviour`) of
 * translators.
 *
 * @param content a checked tokenizer.json
 * @throws TOKENIZER_INVALID where `src_lang` names a token that is not there
 */
export function withSettings(
  content: JsonObject,
  settings: Partial<TokenizerSettings>,
  path: string,
): JsonObject {
  const { tokenizerClass = '', raw = {}, added = [] } = settings;
  const whole = { ...content, added_tokens: withAdded(content, added) };
  return {
    ...whole,
    ...bertParts(whole, tokenizerClass, raw),
    ...languageParts(whole, settings, path),
    ...spaceParts(whole, tokenizerClass, raw),
  };
}

type Added = TokenizerSettings['added'];

/** The added tokens of tokenizer.json, with the flags that the other files give them, and those that only the other files have. */
function withAdded({ added_tokens, model }: JsonObject, added: Added): JsonObject[] {
  const tokens = (Array.isArray(added_tokens) ? [...added_tokens] : []) as JsonObject[];
  const place = new Map(tokens.map((token, at) => [token.content, at]));
  const idOf = modelIds(model);
  const inOrder = [...added].sort((a, b) => (a.id ?? maxTokenId) - (b.id ?? maxTokenId));
  let next = tokens.reduce((size, { id }) => Math.max(size, (id as number) + 1), idOf.size);
  for (const { token, special, flagged } of inOrder) {
    const at = place.get(token.content);
    if (at !== undefined && !flagged) continue;
    const { content, lstrip, rstrip, singleWord = false, normalized = !special } = token;
    const id = at === undefined ? (idOf.get(content) ?? next++) : tokens[at].id;
    place.set(content, at ?? tokens.length);
    tokens[at ?? tokens.length] = {
      id,
      content,
      single_word: singleWord,
      lstrip,
      rstrip,
      normalized,
      special,
    };
  }
  return tokens;
}

/** Ids of the model's own tokens: a table, or a list with scores. */
function modelIds(model: unknown): Map<unknown, number> {
  const vocab = isObject(model) ? model.vocab : undefined;
  if (Array.isArray(vocab)) return new Map(vocab.map((entry, id) => [entry?.[0], id]));
  return new Map(isObject(vocab) ? (Object.entries(vocab) as [string, number][]) : []);
}

function bertParts({ model }: JsonObject, tokenizerClass: string, raw: JsonObject): JsonObject {
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = raw;
  const isTold = [do_lower_case, strip_accents, tokenize_chinese_chars].some(
    (value) => typeof value === 'boolean',
  );
  const isBert = bertClasses.has(tokenizerClass) || (tokenizerClass === '' && isTold);
  if (!isBert || !isObject(model) || model.type !== 'WordPiece') return {};
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: tokenize_chinese_chars !== false,
      strip_accents: typeof strip_accents === 'boolean' ? strip_accents : null,
      lowercase: do_lower_case !== false,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
  };
}

function languageParts(
  content: JsonObject,
  { namedClass = '', raw = {}, roles }: Partial<TokenizerSettings>,
  path: string,
): JsonObject {
  // The type of a model is not enough: mBART-50 is an mbart, too, and has its languages on the other side.
  const rule = languageClasses.get(namedClass);
  if (!rule) return {};
  const idOf = modelIds(content.model);
  for (const { content: token, id } of content.added_tokens as JsonObject[]) idOf.set(token, id as number);
  const told = typeof raw.src_lang === 'string' ? raw.src_lang : undefined;
  const [language, end] = [rule.token(told ?? rule.standard), roles?.eos ?? '</s>'];
  const missing = [language, end].find((token) => !idOf.has(token));
  if (missing !== undefined && told === undefined) return {};
  if (missing !== undefined) {
    throw new PolybeamError(
      'TOKENIZER_INVALID',
      `${path} has no token ${JSON.stringify(missing)}, which tokenizer_config.json wants beside a text (src_lang ` +
        `${JSON.stringify(told)}): name a language that it has.`,
    );
  }
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const text = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } });
  const isAfter = rule.side === 'after' || (namedClass === 'NllbTokenizer' && raw.legacy_behaviour === true);
  const around = (texts: object[]) =>
    isAfter ? [...texts, special(end), special(language)] : [special(language), ...texts, special(end)];
  const entry = (token: string) => [token, { id: token, ids: [idOf.get(token)], tokens: [token] }];
  return {
    post_processor: {
      type: 'TemplateProcessing',
      single: around([text('A')]),
      pair: around([text('A'), text('B')]),
      special_tokens: Object.fromEntries([language, end].map(entry)),
    },
  };
}

function spaceParts({ pre_tokenizer }: JsonObject, tokenizerClass: string, raw: JsonObject): JsonObject {
  if (!byteLevelClasses.has(tokenizerClass)) return {};
  const withSpace = (step: unknown): unknown => {
    if (!isObject(step)) return step;
    if (Array.isArray(step.pretokenizers))
      return { ...step, pretokenizers: step.pretokenizers.map(withSpace) };
    return step.type === 'ByteLevel' ? { ...step, add_prefix_space: raw.add_prefix_space === true } : step;
  };
  return { pre_tokenizer: withSpace(pre_tokenizer) };
}
