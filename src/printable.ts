/** Control characters but tab and line feed (C0, DEL, C1), and what turns the direction of text or ends a line in Unicode. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unprintable = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text from a file or an argument so that a terminal shows it and does nothing else: characters that move the cursor, change colors
 * or the direction of text are written as escapes such as `\x1b`. Line feeds stay. Text that was made printable stays as it is.
 */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The same on one line: line feeds are written as `\n`, so that no text can pass for a line of its own. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n');
}
