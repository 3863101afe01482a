import { requireText } from '../src/inputs.js';
import { splitWords } from './pythonText.js';

/**
 * mteval-v14's international tokenizer: Unicode punctuation stands alone unless it is between numbers, and so does
 * every symbol. As there, a period that ends the line stays with a number before it.
 */
export function tokenizeIntl(line: string): string[] {
  requireText(line, 'line');
  return splitWords(
    line
      .replace(/(\P{N})(\p{P})/gu, '$1 $2 ')
      .replace(/(\p{P})(\P{N})/gu, ' $1 $2')
      .replace(/\p{S}/gu, ' $& '),
  );
}
