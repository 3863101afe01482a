// Made by `npm run docs` from the schema beside it: do not edit.

/** What a caller may set; everything is optional. */
export type VocabularyOptions = {
  /**
   * Kind of vocabulary: byte-pair encoding, or the WordPiece of BERT.
   * @default "bpe"
   */
  type?: 'bpe' | 'wordpiece';
  /**
   * How BPE spells words: metaspace marks spaces with ▁ (as SentencePiece), byteLevel spells UTF-8 bytes
   * (as GPT-2) and has no unknown token.
   * @default "metaspace"
   */
  pretokenizer?: 'metaspace' | 'byteLevel';
  /**
   * Maximum number of tokens in the vocabulary, special tokens and characters included.
   * @default 16000
   */
  size?: number;
  /**
   * Special tokens, in id order from 0, such as language tags; their names determine their roles (<pad>,
   * </s>, <unk>, <s>, <mask>, [PAD], [CLS]...). Default <pad> </s> <unk> for bpe, [PAD] [UNK] [CLS]
   * [SEP] [MASK] for wordpiece.
   */
  specialTokens?: string[];
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
   * Special tokens written around each text: nothing, an end token, also a start token, or [CLS] text
   * [SEP]. Default bert for wordpiece, eos for bpe if specialTokens has an end token.
   */
  template?: 'none' | 'eos' | 'bosEos' | 'bert';
};
