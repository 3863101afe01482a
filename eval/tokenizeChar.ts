import { requireText } from '../src/inputs.js';
import { codePoints } from './pythonText.js';

/** Every character (code point) that is not a blank: for languages written without spaces. */
export function tokenizeChar(line: string): string[] {
  requireText(line, 'line');
  return codePoints(line, false).map((point) => String.fromCodePoint(point));
}
