import { PolybeamError } from '../../errors.js';
import { requireText } from '../../inputs.js';
import { readLines } from '../../training/data.js';

/** A word or n-gram and one translation of it. */
export type DictionaryEntry = readonly [source: string, target: string];

/**
 * Reads a dictionary: a line for each translation, source and target with a tab between (or a blank, where there is no tab and two
 * words stand in the line). Empty lines are passed over. The words of an n-gram are separated by blanks.
 * @param lowercase whether both sides are lower-cased
 * @throws FILE_NOT_FOUND; INPUT_INVALID naming the line, or for a dictionary without lines
 */
export async function readDictionary(path: string, lowercase = false): Promise<DictionaryEntry[]> {
  requireText(path, 'path');
  const { lines } = await readLines(path);
  const translations: DictionaryEntry[] = [];
  lines.forEach((line, at) => {
    const text = (lowercase ? line.toLowerCase() : line).trim();
    if (text === '') return;
    const cells = text.split(text.includes('\t') ? '\t' : ' ').map((cell) => cell.trim());
    if (cells.length !== 2 || cells.includes('')) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `Line ${at + 1} of ${path} is "${line.slice(0, 60)}": give a word, a tab and its translation.`,
      );
    }
    translations.push([cells[0], cells[1]]);
  });
  if (translations.length > 0) return translations;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${path} has no translations: give a line for each, word, tab, translation.`,
  );
}
