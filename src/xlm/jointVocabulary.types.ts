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
   * Tokens in the vocabulary at most, special tokens and characters included.
   * @default 32000
   */
  size?: number;
  /**
   * Pairs of tokens seen fewer times are not merged.
   * @default 2
   */
  minFrequency?: number;
  /**
   * Single characters in the vocabulary at most; the rarest are left out.
   * @default 1000
   */
  limitAlphabet?: number;
  /**
   * Characters (bytes for byteLevel) in one token, at most. Default 16 for bpe (as SentencePiece), 100
   * for wordpiece.
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
  /** Drop accents. Default: no for bpe, where lowercase is set for wordpiece (as BERT). */
  stripAccents?: boolean;
  /** Never merge letters with punctuation (bpe with metaspace). Default true. */
  splitPunctuation?: boolean;
  /** One token per digit (bpe with metaspace), so that numbers are copied reliably. Default true. */
  splitDigits?: boolean;
  /** Treat the first word as if a space stood before it (byteLevel). Default true. */
  addPrefixSpace?: boolean;
  /**
   * A language with n texts counts as if texts were drawn from it in proportion to n^alpha: 1 as they
   * are, 0 all languages alike.
   * @default 0.5
   */
  alpha?: number;
};
