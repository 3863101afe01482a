import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import type { AddedToken } from './addedTokens.js';
import { type SpecialTokens, tokenRoles } from './specialTokens.js';

/** What the small JSON files beside a vocabulary say, as far as tokenizers here use it. */
export interface TokenizerSettings {
  /** `tokenizer_class` of tokenizer_config.json, or else of config.json, without a trailing "Fast". */
  namedClass: string | undefined;
  /** The same, or else the class that transformers takes for the `model_type` of config.json. */
  tokenizerClass: string | undefined;
  /** Tokens of roles that the files name. */
  roles: SpecialTokens;
  /** Tokens that are neither text nor one of the roles, by id where the files give one. */
  added: {
    token: AddedToken;
    id: number | undefined;
    special: boolean;
    /** Whether a file says more of the token than its content. */
    flagged: boolean;
  }[];
  modelMaxLength: number | undefined;
  cleanUpTokenizationSpaces: boolean | undefined;
  /** All of tokenizer_config.json. */
  raw: Record<string, unknown>;
}

/**
 * Reads tokenizer_config.json, special_tokens_map.json and added_tokens.json, those that are there.
 *
 * @throws TOKENIZER_INVALID for one that is not a JSON object
 */
export async function readTokenizerSettings(directory: string): Promise<TokenizerSettings> {
  const raw = (await readJsonObject(`${directory}/tokenizer_config.json`)) ?? {};
  const map = (await readJsonObject(`${directory}/special_tokens_map.json`)) ?? {};
  const addedIds = (await readJsonObject(`${directory}/added_tokens.json`)) ?? {};
  const named = { ...map, ...dropNull(raw) };
  const roles: SpecialTokens = {};
  for (const role of tokenRoles) {
    const content = contentOf(named[`${role}_token`]);
    if (content !== undefined) roles[role] = content;
  }
  const length = raw.model_max_length;
  return {
    ...(await readClass(directory, raw)),
    roles,
    added: collectAdded(raw, map, addedIds, directory),
    // transformers writes 1e30 for "no limit".
    modelMaxLength: typeof length === 'number' && length > 0 && length < 1e9 ? length : undefined,
    cleanUpTokenizationSpaces:
      typeof raw.clean_up_tokenization_spaces === 'boolean' ? raw.clean_up_tokenization_spaces : undefined,
    raw,
  };
}

/** Classes by `model_type`, as transformers' AutoTokenizer has them. */
const classOfModelType = new Map([
  ['bart', 'BartTokenizer'],
  ['bert', 'BertTokenizer'],
  ['bert-generation', 'BertGenerationTokenizer'],
  ['gpt2', 'GPT2Tokenizer'],
  ['m2m_100', 'M2M100Tokenizer'],
  ['marian', 'MarianTokenizer'],
  ['mbart', 'MBartTokenizer'],
  ['mt5', 'T5Tokenizer'],
  ['pegasus', 'PegasusTokenizer'],
  ['roformer', 'RoFormerTokenizer'],
  ['t5', 'T5Tokenizer'],
  ['xlm', 'XLMTokenizer'],
  ['xlm-roberta', 'XLMRobertaTokenizer'],
]);

async function readClass(
  directory: string,
  raw: Record<string, unknown>,
): Promise<Pick<TokenizerSettings, 'namedClass' | 'tokenizerClass'>> {
  // Where config.json is damaged, the reader of models says so.
  const config = (await readJsonObject(`${directory}/config.json`).catch(() => undefined)) ?? {};
  const named = [raw.tokenizer_class, config.tokenizer_class].find((name) => typeof name === 'string');
  const namedClass = (named as string | undefined)?.replace(/Fast$/, '');
  const { model_type } = isObject(config.encoder) ? config.encoder : config;
  return { namedClass, tokenizerClass: namedClass ?? classOfModelType.get(String(model_type)) };
}

/** A JSON file's object, or undefined where there is no file; throws TOKENIZER_INVALID where it is something else. */
export async function readJsonObject(path: string): Promise<Record<string, unknown> | undefined> {
  if ((await fileAccess().size(path)) === undefined) return undefined;
  const text = new TextDecoder().decode(await fileAccess().read(path));
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (cause) {
    throw notJson(path, cause);
  }
  throw notJson(path);
}

function notJson(path: string, cause?: unknown): PolybeamError {
  return new PolybeamError(
    'TOKENIZER_INVALID',
    `${path} is not a JSON object: it is damaged, fetch it or save the tokenizer again.`,
    { cause },
  );
}

function collectAdded(
  raw: Record<string, unknown>,
  map: Record<string, unknown>,
  addedIds: Record<string, unknown>,
  directory: string,
): TokenizerSettings['added'] {
  const found = new Map<string, TokenizerSettings['added'][number]>();
  const add = (value: unknown, id: number | undefined, special: boolean) => {
    const content = contentOf(value);
    if (content === undefined || found.has(content)) return;
    const flags = isObject(value) ? value : {};
    const token = {
      content,
      lstrip: flags.lstrip === true,
      rstrip: flags.rstrip === true,
      singleWord: flags.single_word === true,
      // As AddedToken of transformers: what is not special is normalized unless the file says otherwise.
      normalized: typeof flags.normalized === 'boolean' ? flags.normalized : !special && !isRole(content),
    };
    found.set(content, { token, id, special, flagged: isObject(value) });
  };
  const roles = new Set(
    [raw, map].flatMap((one) => tokenRoles.map((role) => contentOf(one[`${role}_token`]))),
  );
  const isRole = (content: string) => roles.has(content);
  const decoder = isObject(raw.added_tokens_decoder) ? raw.added_tokens_decoder : {};
  for (const [id, value] of Object.entries(decoder)) {
    const token = contentOf(value) ?? id;
    const number = requireTokenId(id === '' ? id : Number(id), token, `${directory}/tokenizer_config.json`);
    add(value, number, isObject(value) && value.special === true);
  }
  for (const [token, id] of Object.entries(addedIds)) {
    add(token, requireTokenId(id, token, `${directory}/added_tokens.json`), false);
  }
  for (const source of [raw, map]) {
    for (const role of tokenRoles) add(source[`${role}_token`], undefined, true);
    for (const name of ['additional_special_tokens', 'extra_special_tokens']) {
      const list = source[name];
      if (Array.isArray(list)) for (const value of list) add(value, undefined, true);
    }
  }
  return [...found.values()];
}

/** No vocabulary has as many tokens; a larger id would make tables of that size. */
export const maxTokenId = 2 ** 24 - 1;

/**
 * @param token that the file gives the id
 * @returns the id
 * @throws TOKENIZER_INVALID where it is no whole number from 0 to `maxTokenId`
 */
export function requireTokenId(id: unknown, token: string, path: string): number {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) <= maxTokenId) return id as number;
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    `${path} gives the token ${JSON.stringify(token)} the id ${JSON.stringify(id)}, and ids are whole numbers from 0 to ` +
      `${maxTokenId}: fetch the file or save the tokenizer again.`,
  );
}

function contentOf(value: unknown): string | undefined {
  const content = isObject(value) ? value.content : value;
  return typeof content === 'string' && content !== '' ? content : undefined;
}

function dropNull(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
