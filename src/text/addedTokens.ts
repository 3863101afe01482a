/** A token that is looked for in text before anything else is done. */
export interface AddedToken {
  content: string;
  /** Take the white space before, or after, the token with it. */
  lstrip: boolean;
  rstrip: boolean;
  /** No letter, mark, digit or low line may stand beside it. Default false. */
  singleWord?: boolean;
  /** It is looked for in the text as normalization leaves it, and is itself normalized. Default false. */
  normalized?: boolean;
}

/** A stretch of text, or an added token that stood there. */
export type TextPart = { text: string } | { added: string };

/**
 * Makes a function that cuts a text at added tokens: the leftmost token first, the longest of those that begin there. Tokens
 * with `normalized` are looked for in the normalized stretches between the others, as Hugging Face `tokenizers` does. Empty
 * stretches are left out.
 *
 * @param normalize what the tokenizer does to a text first; left out, `normalized` makes no difference, and stretches are raw
 */
export function makeAddedTokenSplitter(
  tokens: readonly AddedToken[],
  normalize?: (text: string) => string,
): (text: string) => TextPart[] {
  if (!normalize) return splitAt(tokens.map((token) => [token.content, token]));
  const splitRaw = splitAt(
    tokens.filter((token) => !token.normalized).map((token) => [token.content, token]),
  );
  const splitNormal = splitAt(
    tokens.filter((token) => token.normalized).map((token) => [normalize(token.content), token]),
  );
  return (text) =>
    splitRaw(text).flatMap((part) => ('added' in part ? [part] : splitNormal(normalize(part.text))));
}

/** Cuts a text at tokens, each with the string that it is found by. */
function splitAt(tokens: readonly [string, AddedToken][]): (text: string) => TextPart[] {
  const byString = new Map(tokens.filter(([string]) => string !== ''));
  if (byString.size === 0) return (text) => (text === '' ? [] : [{ text }]);
  const longestFirst = [...byString.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join('|'), 'g');
  return (text) => {
    const parts: TextPart[] = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byString.get(match[0])!;
      const after = match.index + match[0].length;
      if (token.singleWord && !standsAlone(text, match.index, after)) continue;
      const before = text.slice(end, match.index);
      pushText(parts, token.lstrip ? before.trimEnd() : before);
      parts.push({ added: token.content });
      end = after;
      if (token.rstrip) end += text.slice(end).length - text.slice(end).trimStart().length;
    }
    pushText(parts, text.slice(end));
    return parts;
  };
}

const wordBefore = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200C\u200D]$/u;
const wordAfter = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200C\u200D]/u;

/** Whether no character of a word stands beside a stretch of a text; two code units hold any character. */
function standsAlone(text: string, start: number, end: number): boolean {
  return (
    !wordBefore.test(text.slice(Math.max(0, start - 2), start)) && !wordAfter.test(text.slice(end, end + 2))
  );
}

function pushText(parts: TextPart[], text: string): void {
  if (text !== '') parts.push({ text });
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
