import { PolybeamError } from '../errors.js';
import { nearestName } from '../generation/nearestName.js';
import type { DecodingRules } from '../generation/options.js';
import type { MarianTokenizer } from '../text/marianTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { Architecture } from './architectures/definition.js';
import type { RawConfig } from './config.js';

/** What a model translates, as far as its directory says. */
export interface ModelLanguages {
  source?: string;
  /** Target languages; empty where the directory says nothing. */
  targets: readonly string[];
  /** Text before the source that selects the target language; for models of several targets. */
  prefixes: ReadonlyMap<string, string>;
  /** Tokens that stand beside the source and begin the target, by language; empty where a model has none. */
  tokenIds: ReadonlyMap<string, number>;
  /** Where two languages begin every source: see `Architecture.languagesBefore`. */
  before?: LanguagesBefore;
}

/** Languages of a model whose sources begin with two language tokens, the target's and the source's. */
export interface LanguagesBefore {
  /** Ids of their tokens, by code. */
  ids: ReadonlyMap<string, number>;
  /** Text that says from what into what, put before the source. */
  prefix(from: string, to: string): string;
}

/**
 * Reads languages from config.json (`polybeam.languages`), from language tokens such as `>>fr<<` of the source text, and
 * from those that the architecture says are languages.
 * @param path of config.json, for errors
 * @throws CONFIG_INVALID
 */
export function readLanguages(
  config: RawConfig,
  tokenizer: Tokenizer | undefined,
  { languageToken, languagesBefore }: Pick<Architecture, 'languageToken' | 'languagesBefore'>,
  path: string,
): ModelLanguages {
  if (languagesBefore) return readLanguagesBefore(languagesBefore(config, path), tokenizer);
  const told = (config.polybeam as RawConfig | undefined)?.languages as
    | { source: string; target: string }
    | undefined;
  const prefixes =
    (tokenizer as Partial<MarianTokenizer> | undefined)?.languageTokens ?? new Map<string, string>();
  const tokenIds = new Map<string, number>();
  for (const token of languageToken ? (tokenizer?.addedTokens ?? []) : []) {
    const code = languageToken!
      .exec(token)
      ?.slice(1)
      .find((group) => group !== undefined);
    const id = tokenizer!.tokenToId(token);
    if (code !== undefined && id !== undefined) tokenIds.set(code, id);
  }
  const several = [...prefixes.keys(), ...tokenIds.keys()].sort();
  return {
    source: told?.source,
    targets: several.length > 0 ? several : told ? [told.target] : [],
    prefixes,
    tokenIds,
  };
}

function readLanguagesBefore(
  ids: ReadonlyMap<string, number>,
  tokenizer: Tokenizer | undefined,
): ModelLanguages {
  const token = (id: number | undefined) => (id === undefined ? '' : (tokenizer?.idToToken(id) ?? ''));
  const end = tokenizer?.specialTokens.eos ?? '';
  return {
    targets: [...ids.keys()].sort(),
    prefixes: new Map(),
    tokenIds: new Map(),
    before: { ids, prefix: (from, to) => `${token(ids.get(to))}${token(ids.get(from))}${end}` },
  };
}

/** How a model gets the languages of a translation. */
export interface TranslationRequest {
  /** Text before the source. */
  prefix: string;
  /** The token to stand beside the source in place of the one that the tokenizer writes. */
  sourceId?: number;
  /** What decoding begins with. */
  rules: Partial<Pick<DecodingRules, 'decoderStartTokenId' | 'forcedBosTokenId'>>;
}

/**
 * What to tell a model so that it translates `from` one language `to` another. The target's token is forced as the
 * first one; where decoding starts from a language's token (the first mBART), it takes that place.
 * @param from undefined: what the tokenizer says by itself
 * @param to undefined: whatever the model writes by itself
 * @throws LANGUAGE_UNKNOWN
 */
export function translationRequest(
  languages: ModelLanguages,
  { from, to }: { from?: string; to?: string },
  rules: DecodingRules,
  directory: string,
): TranslationRequest {
  const request: TranslationRequest = { prefix: '', rules: {} };
  if (languages.before) {
    return from === undefined && to === undefined
      ? request
      : { ...request, prefix: bothLanguages(languages, languages.before, { from, to }, directory) };
  }
  if (from !== undefined) {
    const sources = languages.source === undefined ? [...languages.tokenIds.keys()] : [languages.source];
    requireLanguage(from, sources.sort(), directory, ['translate from', 'from']);
    request.sourceId = languages.tokenIds.get(from);
  }
  if (to === undefined) return request;
  requireLanguage(to, languages.targets, directory, ['translate into', 'into']);
  const prefix = languages.prefixes.get(to);
  if (prefix !== undefined) request.prefix = `${prefix} `;
  const targetId = languages.tokenIds.get(to);
  if (targetId === undefined) return request;
  const startsWithLanguage = [...languages.tokenIds.values()].some((id) => id === rules.decoderStartTokenId);
  request.rules = startsWithLanguage ? { decoderStartTokenId: targetId } : { forcedBosTokenId: targetId };
  return request;
}

/** The prefix for a pair of languages; one that is not given is the other where there are two. @throws LANGUAGE_UNKNOWN */
function bothLanguages(
  { targets }: ModelLanguages,
  { prefix }: LanguagesBefore,
  { from, to }: { from?: string; to?: string },
  directory: string,
): string {
  if (from !== undefined) requireLanguage(from, targets, directory, ['translate from', 'from']);
  if (to !== undefined) requireLanguage(to, targets, directory, ['translate into', 'into']);
  const other = (given: string | undefined) =>
    targets.length === 2 ? targets.find((one) => one !== given) : undefined;
  const [source, target] = [from ?? other(to), to ?? other(from)];
  if (source !== undefined && target !== undefined) return prefix(source, target);
  const given = from === undefined ? 'to' : 'from';
  throw new PolybeamError(
    'LANGUAGE_UNKNOWN',
    `${directory} needs the languages from and to, and got only ${given} "${from ?? to}"; give both, of ${targets.join(', ')}.`,
  );
}

/** @throws INPUT_INVALID where two languages begin every source of a model and do not begin this one, or are all of it */
export function requireLanguagesBefore(
  { before }: Pick<ModelLanguages, 'before'>,
  ids: readonly number[],
  name: string,
): void {
  if (!before || ids.length === 0) return;
  const known = new Set(before.ids.values());
  if (known.has(ids[0]) && known.has(ids[1])) {
    if (ids.length > 2) return;
    throw new PolybeamError(
      'INPUT_INVALID',
      `${name} is two languages, ${ids.join(', ')}, and no text: put the text's ids behind them, or leave it empty.`,
    );
  }
  const languages = [...before.ids].map(([code, id]) => `${id} (${code})`).join(', ');
  throw new PolybeamError(
    'INPUT_INVALID',
    `${name} begins with the ids ${ids.slice(0, 2).join(', ')}, where the model reads the language to write and the one to read: ` +
      `translate from one language to another, or begin ids with two of ${languages}.`,
  );
}

function requireLanguage(
  language: string,
  known: readonly string[],
  directory: string,
  [verb, preposition]: [string, string],
): void {
  if (known.includes(language)) return;
  if (known.length === 0) {
    throw new PolybeamError(
      'LANGUAGE_UNKNOWN',
      `${directory} does not say which languages it translates ${preposition}, so "${language}" cannot be checked; leave it out.`,
    );
  }
  // `fr` for `fr_XX`.
  const near = known.find((code) => code.startsWith(`${language}_`)) ?? nearestName(language, known);
  throw new PolybeamError(
    'LANGUAGE_UNKNOWN',
    `${directory} does not ${verb} "${language}"; it knows ${known.join(', ')}${near ? ` (did you mean ${near}?)` : ''}.`,
  );
}

/**
 * Puts the source language's token in place of the one that the tokenizer wrote, which is the first or, in older
 * models, the last.
 * @param sequences are changed
 * @throws LANGUAGE_UNKNOWN where the tokenizer writes none
 */
export async function replaceSourceToken(
  sequences: readonly { ids: number[] }[],
  sourceId: number,
  languages: ModelLanguages,
  tokenizer: Tokenizer,
): Promise<void> {
  const ids = new Set(languages.tokenIds.values());
  const { ids: template } = await tokenizer.encode('');
  const place = template.findIndex((id) => ids.has(id));
  if (place < 0) {
    throw new PolybeamError(
      'LANGUAGE_UNKNOWN',
      'The tokenizer adds no language token to texts, so the model takes no source language; leave it out.',
    );
  }
  for (const sequence of sequences) {
    sequence.ids[place === 0 ? 0 : sequence.ids.length + place - template.length] = sourceId;
  }
}
