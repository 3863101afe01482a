import { type CellList, scaleCell } from '../cellList.js';
import type { RowEditor } from '../rowEditor.js';
import type { SearchContext } from '../selector.js';
import { sourceTokens } from './sourceTokens.js';

/**
 * Favors tokens of the source (EncoderRepetitionPenalty in Hugging Face): the value of every token that occurs in the
 * source is divided by the penalty where negative and multiplied where positive. Padding is no part of the source.
 */
export function createEncoderPenalty(context: SearchContext, scaled: CellList): RowEditor {
  const { frontier, classes } = context;
  const penalty = context.options.encoderRepetitionPenalty;
  const tokens = sourceTokens(context.source).map((ids) =>
    [...new Set(ids)].filter((id) => id < classes.length),
  );
  return {
    edit: (slot, _, row) => {
      for (const token of tokens[frontier.sentences[slot]]) {
        scaleCell(scaled, row, token, 1 / penalty, penalty);
      }
    },
  };
}
