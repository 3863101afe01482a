import { PolybeamError } from '../errors.js';
import { readJsonObject, requireTokenId } from './tokenizerConfig.js';

/**
 * A vocab.json: the id of each token.
 * @throws FILE_NOT_FOUND; TOKENIZER_INVALID where it is something else
 */
export async function readVocabulary(path: string): Promise<Map<string, number>> {
  const content = await readJsonObject(path);
  if (!content) {
    throw new PolybeamError('FILE_NOT_FOUND', `There is no ${path}: the directory is incomplete, fetch it.`);
  }
  const entries = Object.entries(content);
  if (entries.length === 0) {
    throw new PolybeamError('TOKENIZER_INVALID', `${path} is empty: fetch it again.`);
  }
  return new Map(entries.map(([token, id]) => [token, requireTokenId(id, token, path)]));
}
