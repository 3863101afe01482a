import { requireText } from '../src/inputs.js';
import { splitWords } from './pythonText.js';

const entities: [RegExp, string][] = [
  [/&quot;/g, '"'],
  [/&amp;/g, '&'],
  [/&lt;/g, '<'],
  [/&gt;/g, '>'],
];

/** mteval-v13a's tokenizer, WMT's and sacreBLEU's default: undoes four entities, then `splitPunctuation`. */
export function tokenize13a(line: string): string[] {
  requireText(line, 'line');
  let text = line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  if (text.includes('&')) for (const [entity, character] of entities) text = text.replace(entity, character);
  return splitPunctuation(` ${text} `);
}

/**
 * Words of a text in a Western language. ASCII punctuation stands alone, but for apostrophes, for hyphens that do not
 * follow a digit, and for periods and commas inside numbers. Shared by 13a and zh.
 */
export function splitPunctuation(text: string): string[] {
  return splitWords(
    text
      .replace(/[{-~[-` -&(-+:-@/]/g, ' $& ')
      .replace(/([^0-9])([.,])/g, '$1 $2 ')
      .replace(/([.,])([^0-9])/g, ' $1 $2')
      .replace(/([0-9])-/g, '$1 - '),
  );
}
