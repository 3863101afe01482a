import { PolybeamError } from '../errors.js';
import type { Tokenizer } from '../text/tokenizer.js';

/** What objectives know of a vocabulary. */
export interface VocabularyFacts {
  vocabSize: number;
  padTokenId: number;
  maskTokenId: number;
  /** What the tokenizer writes before a text, such as [CLS]; often nothing. */
  prefix: readonly number[];
  /** What it writes behind a text, such as </s> or [SEP]. */
  suffix: readonly number[];
  /** By id, 1 where a token begins a word; all 1 where the vocabulary does not tell. */
  startsWord: Uint8Array;
  /** By id, 1 where a token ends a sentence: its text ends in a full stop, ! or ? of some script. */
  endsSentence: Uint8Array;
  /** Ids that may stand in for others at random: all but special and added tokens. */
  ordinary: Int32Array;
}

const sentenceEnd = /[.!?。！？।؟]$/u;

/**
 * Reads off a tokenizer what masking needs.
 * @throws TOKENIZER_INVALID where it has no [MASK] or no padding token
 */
export async function readVocabularyFacts(tokenizer: Tokenizer): Promise<VocabularyFacts> {
  const { vocabSize, specialIds } = tokenizer;
  const around = (await tokenizer.encode('')).ids;
  const opening = around.findIndex((id) => id !== specialIds.bos && id !== specialIds.cls);
  const cut = opening < 0 ? around.length : opening;
  const added = (tokenizer.addedTokens ?? []).flatMap((token) => tokenizer.tokenToId(token) ?? []);
  const special = new Set<number>([...around, ...Object.values(specialIds), ...added]);
  const startsWord = new Uint8Array(vocabSize);
  const endsSentence = new Uint8Array(vocabSize);
  const ordinary: number[] = [];
  const continued = wordMarks(tokenizer);
  for (let id = 0; id < vocabSize; id++) {
    const token = tokenizer.idToToken(id);
    if (token === undefined) continue;
    if (!special.has(id)) ordinary.push(id);
    startsWord[id] = special.has(id) || !continued(token) ? 1 : 0;
    endsSentence[id] = sentenceEnd.test(token) ? 1 : 0;
  }
  return {
    vocabSize,
    padTokenId: needed(specialIds.pad, 'padding token', '<pad> or [PAD]'),
    maskTokenId: needed(specialIds.mask, 'mask token', '<mask> or [MASK]'),
    prefix: around.slice(0, cut),
    suffix: around.slice(cut),
    startsWord,
    endsSentence,
    ordinary: Int32Array.from(ordinary),
  };
}

/** What masking needs where nothing is known of words: all tokens stand alone. Reads nothing but the tokenizer's list. */
export function maskingFacts(
  tokenizer: Tokenizer,
  maskTokenId: number,
): Pick<VocabularyFacts, 'maskTokenId' | 'startsWord' | 'ordinary'> {
  const special = new Set<number>(Object.values(tokenizer.specialIds));
  const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
  const ordinary = ids.filter((id) => !special.has(id) && tokenizer.idToToken(id) !== undefined);
  return {
    maskTokenId,
    startsWord: new Uint8Array(tokenizer.vocabSize).fill(1),
    ordinary: Int32Array.from(ordinary),
  };
}

function needed(id: number | undefined, what: string, example: string): number {
  if (id !== undefined) return id;
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    `The vocabulary has no ${what}, which pre-training needs: add ${example} to its special tokens, or train a vocabulary with it.`,
  );
}

/** Tells tokens that go on with a word, by how the vocabulary marks words: ## before pieces, or ▁ or Ġ before words. */
function wordMarks(tokenizer: Tokenizer): (token: string) => boolean {
  let pieces = 0;
  let words = 0;
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const token = tokenizer.idToToken(id);
    if (token?.startsWith('##')) pieces++;
    if (token !== undefined && /^[▁Ġ]/.test(token)) words++;
  }
  if (pieces === 0 && words === 0) return () => false;
  return pieces > words ? (token) => token.startsWith('##') : (token) => !/^[▁Ġ]/.test(token);
}
