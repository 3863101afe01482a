/** A token that is looked for in raw text before anything else is done. */
export interface AddedToken {
  content: string;
  /** Take the white space before, or after, the token with it. */
  lstrip: boolean;
  rstrip: boolean;
}

/** A stretch of text, or an added token that stood there. */
export type TextPart = { text: string } | { added: string };

/**
 * Makes a function that cuts a text at added tokens: the leftmost token first, the longest of those that begin there.
 * Empty stretches are left out.
 */
export function makeAddedTokenSplitter(tokens: readonly AddedToken[]): (text: string) => TextPart[] {
  if (tokens.length === 0) return (text) => (text === '' ? [] : [{ text }]);
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const longestFirst = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join('|'), 'g');
  return (text) => {
    const parts: TextPart[] = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0])!;
      const before = text.slice(end, match.index);
      pushText(parts, token.lstrip ? before.trimEnd() : before);
      parts.push({ added: token.content });
      end = match.index + match[0].length;
      if (token.rstrip) end += text.slice(end).length - text.slice(end).trimStart().length;
    }
    pushText(parts, text.slice(end));
    return parts;
  };
}

function pushText(parts: TextPart[], text: string): void {
  if (text !== '') parts.push({ text });
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
