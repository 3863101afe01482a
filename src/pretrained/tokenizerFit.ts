import { PolybeamError } from '../errors.js';
import type { EncodedText, Tokenizer } from '../text/tokenizer.js';
import type { ModelDefinition } from './architectures/definition.js';

/**
 * A model's tokenizer, held to the tables of the model. Some published models have one added token too many (bart-large-cnn's
 * <mask>), so added tokens may have no row: then a text that holds one is refused.
 *
 * @param directory of both, for errors
 * @returns the tokenizer, whose ids all have rows
 * @throws TOKENIZER_INVALID where any other token has no row, or one that stands beside every text; INPUT_INVALID later, for a
 * text with an added token that has none
 */
export async function fitTokenizer(
  tokenizer: Tokenizer,
  { idCounts }: Pick<ModelDefinition, 'idCounts'>,
  directory: string,
): Promise<Tokenizer> {
  const { inputIds, decoderInputIds = inputIds } = idCounts;
  const sizes = tokenizer.sideSizes ?? { source: tokenizer.vocabSize, target: tokenizer.vocabSize };
  const rows = { source: inputIds, target: decoderInputIds };
  for (const side of ['source', 'target'] as const) {
    // A template may write ids that no token has.
    const { ids } = await tokenizer.encode('', { side });
    const id = ids.find((one) => one >= rows[side]);
    if (id !== undefined) throw besideTexts(directory, id, rows[side], side);
  }
  if (sizes.source <= rows.source && sizes.target <= rows.target) return tokenizer;
  const added = new Set(tokenizer.addedTokens);
  for (const side of ['source', 'target'] as const) {
    for (let id = rows[side]; id < sizes[side]; id++) {
      const token = tokenizer.idToToken(id);
      if (token !== undefined && !added.has(token)) throw tooLarge(directory, sizes[side], rows[side], side);
    }
  }
  const check = (text: string, encoded: EncodedText, side: 'source' | 'target' = 'source') => {
    const id = encoded.ids.find((one) => one >= rows[side]);
    if (id !== undefined) throw noRow(directory, tokenizer.idToToken(id), id, text);
    return encoded;
  };
  return {
    ...tokenizer,
    encode: async (text, options) => check(text, await tokenizer.encode(text, options), options?.side),
    encodeBatch: async (texts, options) => {
      const all = await tokenizer.encodeBatch(texts, options);
      return all.map((encoded, at) => check(texts[at], encoded, options?.side));
    },
  };
}

function tooLarge(directory: string, size: number, rows: number, side: string): PolybeamError {
  return new PolybeamError(
    'TOKENIZER_INVALID',
    `${directory} has a tokenizer of ${size} tokens and a model that knows ${rows} of the ${side}: they do not belong together; ` +
      "put the model's own tokenizer files there.",
  );
}

function besideTexts(directory: string, id: number, rows: number, side: string): PolybeamError {
  return new PolybeamError(
    'TOKENIZER_INVALID',
    `${directory} has a tokenizer that writes the id ${id} beside every text and a model that knows ${rows} of the ${side}: they do ` +
      "not belong together; put the model's own tokenizer files there.",
  );
}

function noRow(directory: string, token: string | undefined, id: number, text: string): PolybeamError {
  const start = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return new PolybeamError(
    'INPUT_INVALID',
    `The text ${JSON.stringify(start)} holds ${JSON.stringify(token)}, token ${id} of the tokenizer of ${directory}, for which the ` +
      'model has no vector: leave it out.',
  );
}
