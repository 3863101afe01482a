import { type CellList, scaleCell } from '../cellList.js';
import type { RowEditor } from '../rowEditor.js';
import type { SearchContext } from '../selector.js';

/**
 * Makes end tokens more and more probable: with [start, factor], after more than `start` new tokens, the value s of
 * each end token becomes s + |s| · (factor^(tokens - start) - 1) (ExponentialDecayLengthPenalty in Hugging Face); s is
 * the logit, in beam search the log-probability, after the repetition penalty.
 */
export function createDecay({ options, rules, classes, prefix }: SearchContext, scaled: CellList): RowEditor {
  const [start, factor] = options.exponentialDecayLengthPenalty as [number, number];
  const begun = prefix?.length ?? 0;
  const ends = rules.eosTokenIds.filter((id) => id < classes.length);
  return {
    edit: (_, __, row, count) => {
      const beyond = count - 1 - start - begun;
      if (beyond <= 0) return;
      const gain = factor ** beyond - 1;
      for (const token of ends) scaleCell(scaled, row, token, 1 - gain, 1 + gain);
    },
  };
}
