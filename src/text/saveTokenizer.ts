import { fileAccess } from '../files.js';
import { requireObject, requireObjects, requireText } from '../inputs.js';
import { rolesByName, type SpecialTokens, tokenRoles } from './specialTokens.js';
import type { TokenizerJson } from './tokenizerFile.js';

/** What tokenizer_config.json says beside tokenizer.json. */
export interface TokenizerConfig {
  /** Tokens in a text at most; no limit where left out. */
  modelMaxLength?: number;
  /** Token of each role; default: by the usual names. */
  roles?: SpecialTokens;
  /** Whether decoding removes spaces before punctuation. Default: only for WordPiece. */
  cleanUpTokenizationSpaces?: boolean;
}

/**
 * Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json, each whole or not at all (the first one
 * last, since its presence marks a tokenizer). transformers' AutoTokenizer loads the directory.
 *
 * @throws FILE_WRITE; what was there before is then untouched
 */
export async function saveTokenizer(
  directory: string,
  tokenizer: TokenizerJson,
  config: TokenizerConfig = {},
): Promise<void> {
  requireText(directory, 'directory');
  requireObject(tokenizer, 'tokenizer', 'the content of a tokenizer.json');
  requireObjects(tokenizer.added_tokens, 'tokenizer.added_tokens', 'added tokens');
  requireObject(tokenizer.model, 'tokenizer.model', 'its type');
  requireObject(config, 'config', 'options such as modelMaxLength');
  const special = tokenizer.added_tokens.filter((token) => token.special).map((token) => token.content);
  const roles = config.roles ?? rolesByName(special);
  const map = specialTokensMap(special, roles);
  const wordPiece = tokenizer.model.type === 'WordPiece';
  const settings = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...map,
    clean_up_tokenization_spaces: config.cleanUpTokenizationSpaces ?? wordPiece,
    ...(config.modelMaxLength === undefined ? {} : { model_max_length: config.modelMaxLength }),
    model_input_names: ['input_ids', ...(wordPiece ? ['token_type_ids'] : []), 'attention_mask'],
  };
  await writeJson(`${directory}/special_tokens_map.json`, map);
  await writeJson(`${directory}/tokenizer_config.json`, settings);
  await writeJson(`${directory}/tokenizer.json`, tokenizer);
}

function specialTokensMap(special: readonly string[], roles: SpecialTokens): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (const role of tokenRoles) if (roles[role] !== undefined) map[`${role}_token`] = roles[role];
  const others = special.filter((token) => !Object.values(roles).includes(token));
  if (others.length > 0) map.additional_special_tokens = others;
  return map;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await fileAccess().writeAtomic(path, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
}
