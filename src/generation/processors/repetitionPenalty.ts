import { type CellList, scaleCell } from '../cellList.js';
import { type Frontier, tokenAt } from '../frontier.js';
import type { RowEditor } from '../rowEditor.js';

/**
 * Repetition penalty (Keskar et al., "CTRL", 2019, section 4.1, as Hugging Face applies it): every token that occurs in
 * a row, decoder prompt included, has its value multiplied by the penalty where negative and divided where positive.
 * The model does the arithmetic; the search lists the tokens.
 */

/** Room for the longest list. @returns [rows * maxLength] */
export function createPenalizedList(frontier: Frontier): Int32Array {
  return new Int32Array(frontier.active * frontier.beams * frontier.maxLength);
}

/**
 * Writes the tokens of each row up to the present position.
 *
 * @param rowsPerSentence 1 before the first new token, when the model has one row per sentence; else `beams`
 * @param out at least [active * rowsPerSentence, position + 1]
 */
export function listPenalized(frontier: Frontier, rowsPerSentence: number, out: Int32Array): void {
  const { beams, maxLength, position, ancestry } = frontier;
  const history = frontier.history as Int32Array;
  let at = 0;
  for (let slot = 0; slot < frontier.active; slot++) {
    const base = slot * beams;
    for (let beam = 0; beam < rowsPerSentence; beam++) {
      const row = (base + beam) * maxLength;
      for (let column = 0; column <= position; column++) {
        out[at++] = history[(base + ancestry[row + column]) * maxLength + column];
      }
    }
  }
}

/**
 * The same without the decoder start token, which leaves no token at all before the first new one: by factors of the
 * tokens that occur.
 */
export function createRepetitionScaling(frontier: Frontier, penalty: number, scaled: CellList): RowEditor {
  return {
    edit: (slot, beam, row) => {
      const seen = new Set<number>();
      for (let at = 1; at <= frontier.position; at++) seen.add(tokenAt(frontier, slot, beam, at));
      for (const token of seen) scaleCell(scaled, row, token, penalty, 1 / penalty);
    },
  };
}
