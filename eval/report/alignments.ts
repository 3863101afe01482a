import { PolybeamError } from '../../src/errors.js';
import { wordsOf } from './differences.js';

/** How the words of a text draw on those of its source: weights, 0 to 1. */
export interface TextAlignment {
  sourceWords: string[];
  words: string[];
  /** [words][sourceWords] */
  weights: number[][];
}

/** Weights of one text, at most: a thousand words beside a thousand. */
const mostWeights = 1_000_000;

/**
 * Reads an alignment as `polybeam translate --alignments` prints it: `0-0 1-2` (hard: source-target, each a weight of 1), or
 * the weights over the source's words for each word of the text (soft), joined by commas. A line of that command is taken as it
 * is; what stands before its last tab is passed over.
 *
 * @param where the line, for messages
 * @throws INPUT_INVALID where the numbers do not fit the words, which stand between blanks
 */
export function readAlignment(line: string, source: string, text: string, where: string): TextAlignment {
  const [sourceWords, words] = [wordsOf(source), wordsOf(text)];
  if (sourceWords.length * words.length > mostWeights) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${where} aligns ${sourceWords.length} words with ${words.length}, more than a page can show (${mostWeights} weights): cut the text.`,
    );
  }
  const fields = wordsOf(line.slice(line.lastIndexOf('\t') + 1));
  const soft = fields.length > 0 && !fields.every((field) => /^\d+-\d+$/.test(field));
  const weights = soft
    ? readSoft(fields, sourceWords.length, words.length, where)
    : readHard(fields, sourceWords.length, words.length, where);
  return { sourceWords, words, weights };
}

function readHard(fields: readonly string[], sources: number, targets: number, where: string): number[][] {
  const weights = Array.from({ length: targets }, () => new Array<number>(sources).fill(0));
  for (const field of fields) {
    const [source, target] = field.split('-').map(Number);
    if (source >= sources || target >= targets) {
      throw mismatch(where, `has the link ${field}`, sources, targets);
    }
    weights[target][source] = 1;
  }
  return weights;
}

function readSoft(fields: readonly string[], sources: number, targets: number, where: string): number[][] {
  if (fields.length !== targets)
    throw mismatch(where, `has ${fields.length} rows of weights`, sources, targets);
  return fields.map((field) => {
    const row = field.split(',').map(Number);
    if (row.length !== sources || !row.every((weight) => weight >= 0)) {
      throw mismatch(where, `has the weights "${field}"`, sources, targets);
    }
    return row;
  });
}

function mismatch(where: string, what: string, sources: number, targets: number): PolybeamError {
  return new PolybeamError(
    'INPUT_INVALID',
    `${where} ${what} for ${sources} words of the source and ${targets} of the text: give the alignments of these files, ` +
      'as translate --alignments prints them.',
  );
}
