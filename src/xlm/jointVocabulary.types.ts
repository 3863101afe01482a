// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of a joint vocabulary as given. */
export type JointVocabularyOptions = {
  /**
   * How BPE spells words: metaspace marks spaces with ▁ (as SentencePiece), byteLevel spells UTF-8 bytes
   * (as GPT-2) and has no unknown token.
   * @default "metaspace"
   */
  pretokenizer?: 'metaspace' | 'byteLevel';
  /**
   * Maximum number of tokens in the vocabulary, special tokens and characters included.
   * @default 32000
   */
  size?: number;
  /**
   * Minimum count of a pair of tokens that is merged.
   * @default 2
   */
  minFrequency?: number;
  /**
   * Maximum number of single characters in the vocabulary; the rarest are left out.
   * @default 1000
   */
  limitAlphabet?: number;
  /**
   * Maximum number of characters (bytes for byteLevel) in a token. Default 16 for bpe (as
   * SentencePiece), 100 for wordpiece.
   */
  maxTokenLength?: number;
  /**
   * Spell characters outside the vocabulary with 256 byte tokens (bpe with metaspace).
   * @default false
   */
  byteFallback?: boolean;
  /** Unicode normalization of bpe. Default nfkc for metaspace, none for byteLevel. */
  unicodeNormalization?: 'none' | 'nfc' | 'nfkc';
  /**
   * Lower-case every text.
   * @default false
   */
  lowercase?: boolean;
  /** Drop accents. Default: false for bpe; for wordpiece the value of lowercase (as BERT). */
  stripAccents?: boolean;
  /** Never merge letters with punctuation (bpe with metaspace). Default true. */
  splitPunctuation?: boolean;
  /** One token per digit (bpe with metaspace), so that numbers are copied reliably. Default true. */
  splitDigits?: boolean;
  /** Treat the first word as if a space preceded it (byteLevel). Default true. */
  addPrefixSpace?: boolean;
  /**
   * A language with n texts has a weight in proportion to n^alpha: 1 in proportion to its size, 0 the
   * same for all languages.
   * @default 0.5
   */
  alpha?: number;
};
