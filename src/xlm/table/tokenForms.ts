import { PolybeamError } from '../../errors.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { blankBetween, joinWords } from './joinWords.js';
import type { FormTokens, PhraseForm } from './phraseStates.js';

/** Tokens of target n-grams in every form; what was encoded once is kept. @throws INPUT_INVALID for one without tokens */
export function createTokenForms(
  tokenizer: Tokenizer,
): (targets: readonly string[]) => Promise<(target: string, form: PhraseForm) => FormTokens> {
  const known = new Map<string, Record<PhraseForm, FormTokens>>();
  return async (targets) => {
    const fresh = [...new Set(targets)].filter((target) => !known.has(target));
    const texts = fresh.map((target) => joinWords([target]));
    const [initial, glued, spaced] = [
      await encodeAll(tokenizer, texts),
      await encodeBehind(tokenizer, texts, ''),
      await encodeBehind(tokenizer, texts, ' '),
    ];
    fresh.forEach((target, at) => {
      const serial = 3 * known.size;
      const formAfter = (next: string): PhraseForm => (blankBetween(target, next) ? 'spaced' : 'glued');
      known.set(target, {
        initial: { target, ids: initial[at], serial, formAfter },
        glued: { target, ids: glued[at] ?? initial[at], serial: serial + 1, formAfter },
        spaced: { target, ids: spaced[at] ?? initial[at], serial: serial + 2, formAfter },
      });
    });
    return (target, form) => known.get(target)![form];
  };
}

async function encodeAll(tokenizer: Tokenizer, texts: readonly string[]): Promise<number[][]> {
  const encoded = await tokenizer.encodeBatch(texts, { addSpecialTokens: false, side: 'target' });
  const empty = encoded.findIndex(({ ids }) => ids.length === 0);
  if (empty < 0) return encoded.map(({ ids }) => ids);
  throw new PolybeamError(
    'INPUT_INVALID',
    `The tokenizer has no tokens for "${texts[empty]}"; take one with an unknown token or byte fallback.`,
  );
}

/** Tokens that texts have behind another one; undefined where they do not stand apart from its own. */
async function encodeBehind(
  tokenizer: Tokenizer,
  texts: readonly string[],
  blank: string,
): Promise<(number[] | undefined)[]> {
  // No vocabulary merges letters with a mark where it can help it.
  const anchors = texts.map((text) => (/^[\p{L}\p{M}\p{N}]/u.test(text) ? ',' : 'a'));
  const before = await encodeAll(tokenizer, anchors);
  const both = await encodeAll(
    tokenizer,
    texts.map((text, at) => anchors[at] + blank + text),
  );
  return both.map((ids, at) => {
    const { length } = before[at];
    const apart = ids.length > length && before[at].every((id, place) => ids[place] === id);
    return apart ? ids.slice(length) : undefined;
  });
}
