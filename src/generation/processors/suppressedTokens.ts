import { banCell, type CellList } from '../cellList.js';
import type { DecodingRules } from '../options.js';
import type { RowEditor } from '../rowEditor.js';

/** Bit of `tokenClasses` for tokens that end a sequence. */
export const endToken = 1;
/** Bit of `tokenClasses` for tokens that are never produced. */
export const suppressedToken = 2;
/** Bit of `tokenClasses` for tokens that may not come first. */
export const beginSuppressedToken = 4;

/**
 * The classes of each token of the vocabulary, as bits, instead of searching lists of ids in the loop. Tokens
 * outside the vocabulary are ignored. [vocabSize]
 */
export function tokenClasses(vocabSize: number, rules: DecodingRules): Uint8Array {
  const classes = new Uint8Array(vocabSize);
  const mark = (ids: readonly number[] = [], bit: number) => {
    for (const id of ids) if (id < vocabSize) classes[id] |= bit;
  };
  mark(rules.eosTokenIds, endToken);
  mark(rules.suppressedTokenIds, suppressedToken);
  mark(rules.beginSuppressedTokenIds, beginSuppressedToken);
  return classes;
}

/** Bans the tokens of the classes in `hidden`, where a selector that passes them over is not enough. */
export function createTokenBan(classes: Uint8Array, added: CellList): RowEditor & { hidden: number } {
  const marked = [...classes.keys()].filter((token) => classes[token] !== 0);
  const editor = {
    hidden: 0,
    edit: (_: number, __: number, row: number) => {
      for (const token of marked) {
        if ((classes[token] & editor.hidden) !== 0) banCell(added, row, token);
      }
    },
  };
  return editor;
}
