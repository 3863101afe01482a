/** What incomplete bytes of a character become. */
const replacement = '\ufffd';

/**
 * How many tokens may follow before a text is taken for settled: what a tokenizer does to the text of a token depends on
 * its neighbours (spaces before punctuation and contractions are taken away, bytes wait for the rest of their character).
 */
const lookAhead = 2;

/** Turns an output that grows token by token into pieces of text that never have to be taken back. */
export interface TextDeltas {
  /** The text that all pieces so far make. */
  readonly told: string;
  /**
   * @param texts of the output after each new token, in order
   * @returns the next piece; often empty
   */
  push(texts: readonly string[]): string;
  /** @param text of the whole output @returns what is still missing of it */
  finish(text: string): string;
}

/**
 * Pieces of one output. A piece is told once the texts after three tokens in a row agree on it; characters whose bytes are
 * not all there are held back, and so is half of a surrogate pair. The pieces together are the text of the output; where a
 * tokenizer takes back more than that (a long run of bytes turns out to be no UTF-8), what was told stays, and no more comes.
 */
export function createTextDeltas(): TextDeltas {
  let told = '';
  let latest: string[] = [''];

  const tell = (text: string) => {
    if (!text.startsWith(told)) return '';
    const piece = text.slice(told.length);
    told = text;
    return piece;
  };

  return {
    get told() {
      return told;
    },
    push: (texts) => {
      let piece = '';
      for (const text of texts) {
        latest = [...latest, text].slice(-(lookAhead + 1));
        if (latest.length > lookAhead) piece += tell(wholeCharacters(latest.reduce(commonBeginning)));
      }
      return piece;
    },
    finish: tell,
  };
}

function commonBeginning(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}

/** Without replacement characters at the end, which may become others, and without half a surrogate pair. */
function wholeCharacters(text: string): string {
  let end = text.length;
  while (text[end - 1] === replacement) end--;
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? end - 1 : end);
}
