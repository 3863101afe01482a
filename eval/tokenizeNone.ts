import { requireText } from '../src/inputs.js';
import { splitWords } from './pythonText.js';

/** Words as they stand between blanks: for text that is tokenized already. */
export function tokenizeNone(line: string): string[] {
  requireText(line, 'line');
  return splitWords(line);
}
