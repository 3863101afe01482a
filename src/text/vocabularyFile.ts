import { PolybeamError } from '../errors.js';
import { readJsonObject } from './tokenizerConfig.js';

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
  const wrong = entries.find(([, id]) => !Number.isInteger(id) || (id as number) < 0);
  if (!wrong && entries.length > 0) return new Map(entries as [string, number][]);
  const found = wrong ? `numbers ${wrong[0]} with ${JSON.stringify(wrong[1])}` : 'is empty';
  throw new PolybeamError('TOKENIZER_INVALID', `${path} ${found}: fetch it again.`);
}
