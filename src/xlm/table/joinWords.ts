/*
 * Words that `splitIntoWords` has made become a text again. Where blanks stood is lost; this puts them where most languages that
 * write blanks have them.
 */

/** Nothing stands between these and the word before: closing marks, what joins two words, and words that begin with an apostrophe. */
const gluesLeft = /^(?:[,.;:!?)\]}%…”»/_-](?: |$)|['’])/u;

/** Nothing stands between these and the word after: opening marks, what joins two words, and words that end with an apostrophe. */
const gluesRight = /(?:(?:^| )[([{“„«¿¡/_-]|['’])$/u;

/** Whether a blank stands between two words, or two n-grams. */
export function blankBetween(before: string, after: string): boolean {
  return before !== '' && !gluesRight.test(before) && !gluesLeft.test(after);
}

/** A text of words, or of n-grams whose words are separated by blanks. */
export function joinWords(words: readonly string[]): string {
  let text = '';
  let last = '';
  for (const word of words.join(' ').split(' ')) {
    text += (blankBetween(last, word) ? ' ' : '') + word;
    last = word;
  }
  return text;
}
