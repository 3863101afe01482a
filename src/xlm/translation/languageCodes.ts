import { PolybeamError } from '../../errors.js';
import { nearestName } from '../../generation/nearestName.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { languageToken } from '../jointVocabulary.js';

/** What is translated into what. */
export interface Direction {
  from: string;
  to: string;
}

/** `en-fr` */
export function directionName({ from, to }: Direction): string {
  return `${from}-${to}`;
}

/**
 * Reads `en-fr`. Codes may have hyphens themselves, so the languages there are decide where to cut.
 * @returns undefined where it is no pair of two of them
 */
export function parseDirection(text: string, languages: readonly string[]): Direction | undefined {
  const known = new Set(languages);
  for (let at = text.indexOf('-'); at >= 0; at = text.indexOf('-', at + 1)) {
    const [from, to] = [text.slice(0, at), text.slice(at + 1)];
    if (from !== to && known.has(from) && known.has(to)) return { from, to };
  }
  return undefined;
}

/** Every language into every other. */
export function allDirections(languages: readonly string[]): Direction[] {
  return languages.flatMap((from) => languages.filter((to) => to !== from).map((to) => ({ from, to })));
}

/** Directions whose reverse is among them as well: where a text can go and come back from. */
export function roundTrips(directions: readonly Direction[]): Direction[] {
  const known = new Set(directions.map(directionName));
  return directions.filter(({ from, to }) => known.has(directionName({ from: to, to: from })));
}

/** The languages of a vocabulary. */
export interface VocabularyLanguages {
  /** Codes, in the order of their ids. */
  codes: readonly string[];
  /** Id of the first one's token; the others follow. */
  firstId: number;
}

/** Tokens that look like those of languages and are none. */
const others = new Set(['<pad>', '<unk>', '<mask>', '<s>', '<cls>', '<sep>', '<bos>', '<eos>']);

/**
 * The languages that a vocabulary has tokens for, `<en>`.
 * @param wanted codes that must be among them
 * @throws LANGUAGE_UNKNOWN for one that is not; TOKENIZER_INVALID where there are fewer than two, or their ids do not follow each other
 */
export function vocabularyLanguages(
  tokenizer: Pick<Tokenizer, 'addedTokens' | 'tokenToId'>,
  wanted: readonly string[],
  from: string,
): VocabularyLanguages {
  const found = (tokenizer.addedTokens ?? [])
    .filter((token) => /^<[\p{L}\p{N}_-]+>$/u.test(token) && !others.has(token))
    .map((token) => ({ code: token.slice(1, -1), id: tokenizer.tokenToId(token)! }))
    .sort((a, b) => a.id - b.id);
  const codes = found.map(({ code }) => code);
  const unknown = wanted.find((code) => !codes.includes(code));
  if (unknown !== undefined) throw noToken(unknown, codes, from);
  const scattered = found.some(({ id }, at) => id !== found[0].id + at);
  if (found.length >= 2 && !scattered) return { codes, firstId: found[0].id };
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    `${from} has ${scattered ? 'tokens of languages whose ids do not follow each other' : `tokens of ${found.length} languages`}; ` +
      'a model of languages wants two or more in a row: make the vocabulary with polybeam xlm vocabulary.',
  );
}

function noToken(code: string, codes: readonly string[], from: string): PolybeamError {
  const near = nearestName(code, codes);
  return new PolybeamError(
    'LANGUAGE_UNKNOWN',
    `${from} has no token ${languageToken(code)}; it has the languages ${codes.join(', ') || 'none'}` +
      `${near ? ` (did you mean ${near}?)` : ''}: correct the code, or make a vocabulary that has it.`,
  );
}
