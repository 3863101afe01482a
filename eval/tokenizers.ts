import { PolybeamError } from '../src/errors.js';
import { requireText } from '../src/inputs.js';
import { type MosesLanguage, mosesNormalize } from './mosesNormalize.js';
import { mosesTokenize } from './mosesTokenize.js';
import { tokenize13a } from './tokenize13a.js';
import { tokenizeChar } from './tokenizeChar.js';
import { tokenizeIntl } from './tokenizeIntl.js';
import { tokenizeNone } from './tokenizeNone.js';
import { tokenizeZh } from './tokenizeZh.js';

/** Splits a line into the tokens that BLEU counts. */
export type Tokenizer = (line: string) => string[];

/** Normalization and tokens of Moses, which sacreBLEU leaves to whoever calls it with `tokenize: 'none'`. */
function moses(lang: MosesLanguage): Tokenizer {
  return (line) => mosesTokenize(mosesNormalize(line, lang), lang);
}

const tokenizers = new Map<string, Tokenizer>([
  ['13a', tokenize13a],
  ['none', tokenizeNone],
  ['char', tokenizeChar],
  ['intl', tokenizeIntl],
  ['zh', tokenizeZh],
  ['moses-en', moses('en')],
  ['moses-de', moses('de')],
  ['moses-fr', moses('fr')],
]);

/** Names for BLEU's `tokenize`: sacreBLEU's, and `moses-en`, `moses-de`, `moses-fr`, which it does not have. */
export const tokenizerNames: readonly string[] = [...tokenizers.keys()];

/** sacreBLEU's tokenizers that need a model or a dictionary that polybeam does not ship. */
const notImplemented = ['ja-mecab', 'ko-mecab', 'spm', 'flores101', 'flores200', 'spBLEU-1K'];

/** The tokenizer of that name; throws OPTION_INVALID. */
export function tokenizerFor(name: string): Tokenizer {
  requireText(name, 'name');
  const tokenizer = tokenizers.get(name);
  if (tokenizer) return tokenizer;
  const known = `use one of ${tokenizerNames.join(', ')}`;
  if (notImplemented.includes(name)) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `sacreBLEU's tokenizer "${name}" is not implemented: ${known}, or tokenize the text yourself and use none.`,
    );
  }
  throw new PolybeamError('OPTION_INVALID', `There is no tokenizer "${name}": ${known}.`);
}
