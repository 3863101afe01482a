import { type Choose, createIndependentSelector, hiddenCandidates } from './independentRows.js';
import type { SearchContext, Selector } from './selector.js';

/** Greedy search: the best allowed token of each row. */
export function createGreedySelector(context: SearchContext): Selector {
  const { classes } = context;
  const best: Choose = ({ ids, width, logits }, row, hidden) => {
    const offset = row * width;
    for (let place = 0; place < width; place++) {
      if ((classes[(ids as Int32Array)[offset + place]] & hidden) === 0) {
        return logits[offset + place] > Number.NEGATIVE_INFINITY ? place : -1;
      }
    }
    return -1;
  };
  return createIndependentSelector(context, 1 + hiddenCandidates(context), best);
}
