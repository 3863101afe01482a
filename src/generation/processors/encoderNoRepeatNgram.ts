import { banCell, type CellList } from '../cellList.js';
import { tokenAt } from '../frontier.js';
import type { RowEditor } from '../rowEditor.js';
import type { SearchContext } from '../selector.js';
import { sourceTokens } from './sourceTokens.js';

/**
 * No n-gram of the source (EncoderNoRepeatNGram in Hugging Face): a token is banned where it would complete one.
 * Padding is no part of the source.
 */
export function createEncoderNgramBlocker(context: SearchContext, added: CellList): RowEditor {
  const { frontier, classes } = context;
  const size = context.options.encoderNoRepeatNgramSize;
  const followers = sourceTokens(context.source).map((ids) => ngramEnds(ids, size, classes.length));
  return {
    edit: (slot, beam, row) => {
      if (frontier.position + 2 < size) return;
      let key = '';
      for (let back = size - 2; back >= 0; back--) {
        key += `${tokenAt(frontier, slot, beam, frontier.position - back)} `;
      }
      for (const token of followers[frontier.sentences[slot]].get(key) ?? []) banCell(added, row, token);
    },
  };
}

/** Keys: the first n-1 tokens of each n-gram (each followed by a blank); values: the tokens that follow them. */
function ngramEnds(ids: readonly number[], size: number, vocabSize: number): Map<string, Set<number>> {
  const ends = new Map<string, Set<number>>();
  for (let end = size - 1; end < ids.length; end++) {
    if (ids[end] >= vocabSize) continue;
    const key = ids
      .slice(end - size + 1, end)
      .map((id) => `${id} `)
      .join('');
    ends.set(key, (ends.get(key) ?? new Set()).add(ids[end]));
  }
  return ends;
}
