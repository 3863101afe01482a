import { addToCell, type CellList } from '../cellList.js';
import { type Frontier, tokenAt } from '../frontier.js';
import type { ResolvedGenerationOptions } from '../options.js';
import type { RowEditor } from '../rowEditor.js';

/** Token ids of a phrase, and what is added to the logit of its last token where the others precede it. */
export type Phrase = readonly [ids: readonly number[], bias: number];

/**
 * The phrases that steps change logits for: `sequenceBias`, and `badWordsIds` of several tokens, whose bias is
 * -Infinity. Forbidden words of one token are suppressed elsewhere, see `decodingRules`.
 */
export function phraseBiases({
  sequenceBias = [],
  badWordsIds = [],
}: Pick<ResolvedGenerationOptions, 'sequenceBias' | 'badWordsIds'>): Phrase[] {
  const forbidden = badWordsIds.filter((ids) => ids.length > 1);
  return [...lastOfEach(sequenceBias), ...forbidden.map((ids): Phrase => [ids, Number.NEGATIVE_INFINITY])];
}

/** A phrase that is listed twice has the bias given last, as in Hugging Face. */
function lastOfEach(phrases: readonly Phrase[]): Phrase[] {
  return [...new Map(phrases.map((phrase) => [phrase[0].join(' '), phrase])).values()];
}

/**
 * Biases of phrases (SequenceBias and NoBadWords in Hugging Face): a phrase of one token has its bias added always, a
 * longer one to its last token, where the others end the row, decoder prompt included. Biases of one token add up.
 */
export function createPhraseBias(frontier: Frontier, phrases: readonly Phrase[], added: CellList): RowEditor {
  const single: Phrase[] = [];
  const byTokenBefore = new Map<number, Phrase[]>();
  for (const phrase of phrases) {
    const ids = phrase[0];
    if (ids.length === 1) single.push(phrase);
    else {
      const before = ids[ids.length - 2];
      byTokenBefore.set(before, [...(byTokenBefore.get(before) ?? []), phrase]);
    }
  }
  return {
    edit: (slot, beam, row) => {
      for (const [[token], bias] of single) addToCell(added, row, token, bias);
      if (byTokenBefore.size === 0) return;
      for (const [ids, bias] of byTokenBefore.get(tokenAt(frontier, slot, beam, frontier.position)) ?? []) {
        if (endsWith(frontier, slot, beam, ids)) addToCell(added, row, ids[ids.length - 1], bias);
      }
    },
  };
}

/** Whether a row ends with all tokens of `ids` but the last. */
function endsWith(frontier: Frontier, slot: number, beam: number, ids: readonly number[]): boolean {
  const { position } = frontier;
  const length = ids.length - 1;
  if (length > position + 1) return false;
  for (let back = 0; back < length; back++) {
    if (tokenAt(frontier, slot, beam, position - back) !== ids[length - 1 - back]) return false;
  }
  return true;
}
