import { lowerCase, stripAccents } from './normalize.js';

/** How BERT cleans a text before WordPiece. */
export interface BasicTokenizeOptions {
  lowercase: boolean;
  stripAccents: boolean;
  /** Spaces around CJK ideographs, so that each is a word. Default true. */
  splitCjk?: boolean;
}

/**
 * BERT's words: control characters dropped, white space split at, every punctuation character and CJK ideograph a
 * word of its own, optionally without accents and in lower case (Devlin et al. 2019; as `BertNormalizer` and
 * `BertPreTokenizer` of Hugging Face `tokenizers`).
 */
export function basicTokenize(text: string, options: BasicTokenizeOptions): string[] {
  return splitBasicWords(basicNormalize(text, options));
}

/** What `basicTokenize` does to a text before it cuts it into words, as `BertNormalizer`. */
export function basicNormalize(text: string, options: BasicTokenizeOptions): string {
  let clean = cleanText(text);
  if (options.splitCjk !== false) clean = clean.replace(cjk, ' $& ');
  if (options.stripAccents) clean = stripAccents(clean, 'nonspacing');
  return options.lowercase ? lowerCase(clean) : clean;
}

/** The words of a normalized text, as `BertPreTokenizer`. */
export function splitBasicWords(text: string): string[] {
  return text.match(wordPattern) ?? [];
}

function cleanText(text: string): string {
  return text.replace(dropped, '').replace(/\p{White_Space}/gu, ' ');
}

// Tab, line feed and carriage return are controls that count as white space.
const dropped = /[\uFFFD\p{Cf}\p{Co}]|(?![\t\n\r])\p{Cc}/gu;

// The CJK Unified Ideographs blocks that BERT lists; not hiragana, katakana or hangul.
const cjk =
  /[\u{4E00}-\u{9FFF}\u{3400}-\u{4DBF}\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\u{F900}-\u{FAFF}\u{2F800}-\u{2FA1F}]/gu;

// The ASCII ranges count as punctuation whatever Unicode says of $, +, <, = and the like.
const wordPattern = /[!-/:-@[-`{-~\p{P}]|[^\p{White_Space}!-/:-@[-`{-~\p{P}]+/gu;
