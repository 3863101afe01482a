import { codePoints } from './pythonText.js';

/** Every character (code point) that is not a blank: for languages written without spaces. */
export function tokenizeChar(line: string): string[] {
  return codePoints(line, false).map((point) => String.fromCodePoint(point));
}
