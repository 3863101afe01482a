// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam xlm train` as a user may write it, defaults left out. */
export type TranslationConfigInput = {
  /** Run directory: checkpoints, log and the final model. A run found there is resumed. */
  output: string;
  /**
   * Model directory to start from: an xlm model (from `polybeam xlm pretrain`), which initializes both
   * encoder and decoder, or an xlm-encoder-decoder. Its tokenizer and sizes are used. Default: random
   * weights.
   */
  init?: string;
  /**
   * Training and validation data, by language. Any number of languages; language codes are free, such as
   * en.
   */
  data: {
    /**
     * Texts by language, one a line, not translations of each other, such as { en: mono.en.gz, fr: [{
     * text: mono.tsv, column: 2 }] }: for each language a file, or a list of entries as below.
     */
    train?: Record<string, string | TranslationConfigInputTrain | TranslationConfigInputTrain[]>;
    /**
     * Parallel text with the languages of its sides: one entry, or a list. Optional; learned in both
     * directions.
     */
    pairs?: TranslationConfigInputPairs | TranslationConfigInputPairs[];
    /**
     * Held-out texts by language, in the same form: translated to another language and back, they select
     * the best checkpoint without parallel text.
     */
    validation?: Record<string, string | TranslationConfigInputTrain | TranslationConfigInputTrain[]>;
    /** Held-out parallel text for BLEU in both directions. Optional. */
    validationPairs?: TranslationConfigInputPairs | TranslationConfigInputPairs[];
    /**
     * Languages with n texts get turns in denoising and MASS in proportion to n^alpha: 0 the same for all
     * (the paper), 1 in proportion to their texts.
     * @default 0
     */
    alpha?: number;
    /**
     * Maximum number of tokens of a text; longer ones are left out, and counted. 100 as in the paper.
     * @default 100
     */
    maxLength?: number;
  };
  /** Tokens: the vocabulary of init, an existing tokenizer, or a vocabulary learned from the data. */
  vocabulary?: {
    /** Directory of a tokenizer, as `polybeam xlm vocabulary` writes it. Excludes train. */
    tokenizer?: string;
    /** Learns a vocabulary for all languages of the data, with the options of `polybeam xlm vocabulary`. */
    train?: {
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
  };
  /**
   * Files of word vectors (.vec) that initialize the token embeddings, such as the mapped vectors of
   * each language: a token starts with the mean of the vectors of words that contain it, weighted by
   * frequency. Excludes init.
   */
  embeddings?: string[];
  /** Denoising autoencoding (Lample et al. 2018, section 2.3), in each language of data.train. */
  denoising?: {
    /**
     * What the loss of denoising is multiplied by: a number, or points "round:weight" with straight lines
     * between them. A task of weight 0 takes no turn. Default "0:1,100000:0.1,300000:0" (the paper) with
     * back-translation, else 1.
     */
    weight?: number | string;
    /**
     * Words move by fewer positions than this; 0 keeps their order.
     * @default 3
     */
    shuffle?: number;
    /**
     * Probability that a word is removed; at least one is kept.
     * @default 0.1
     */
    dropout?: number;
    /**
     * Probability that a word is replaced by the mask token.
     * @default 0.1
     */
    blank?: number;
  };
  /** Online back-translation: learning from translations that the model itself generates during training. */
  backTranslation?: {
    /**
     * Directions to learn, such as [en-fr, fr-en]: for en-fr, the current model translates texts of fr to
     * en, and learns to translate these back to the original texts. An empty list: none. Default: every
     * language of data.train into every other.
     */
    directions?: string[];
    /**
     * What the loss of back-translation is multiplied by: a number, or points "round:weight" with straight
     * lines between them. A task of weight 0 takes no turn.
     * @default 1
     */
    weight?: number | string;
    /**
     * How translations are generated: greedy search (the paper), sampling, or beam search.
     * @default "greedy"
     */
    decoding?: 'greedy' | 'sample' | 'beam';
    /** sample: divisor of the logits; below 1 is closer to greedy search. Default 1. */
    temperature?: number;
    /** sample: number of most probable tokens to sample from; 0 is all. Default 0. */
    topK?: number;
    /** beam: number of beams. Default 4. */
    numBeams?: number;
    /**
     * Translation tables (polybeam xlm table build) by direction, such as { en-fr: en-fr.tsv, fr-en:
     * fr-en.tsv }: for each direction to learn, the table of the reverse direction.
     */
    tables?: Record<string, string>;
    /**
     * Number of first rounds in which the tables, and not the model, translate, phrase by phrase. Requires
     * tables. Default 500.
     */
    tableRounds?: number;
    /**
     * Directories of language models (gpt2) by language, which translate together with the tables: { fr:
     * gpt2-fr }. Requires tables. Default: none; the tables choose the most probable phrases.
     */
    languageModels?: Record<string, string>;
    /**
     * The model must use the most probable translations of the tables when it generates. Requires tables
     * and decoding beam. Default: none.
     */
    constraints?: {
      /**
       * Minimum probability of an n-gram's best translation for the n-gram to become a constraint.
       * @default 0.5
       */
      minProbability?: number;
      /**
       * Minimum probability of its other translations that also satisfy the constraint.
       * @default 0.1
       */
      minAlternative?: number;
      /**
       * Maximum number of constraints of a text: the n-grams with the most probable translations.
       * @default 4
       */
      maxConstraints?: number;
      /** Number of first rounds in which translations are constrained. Default: all. */
      rounds?: number;
    };
    /**
     * Number of first rounds in which translations may only have tokens from the texts of their language,
     * so that the model cannot copy its input (Liu et al. 2020, section 5.1: 1000 updates).
     * @default 0
     */
    onlyOwnTokens?: number;
  };
  /**
   * MASS (Song et al. 2019) in each language of data.train: the decoder writes a fragment that the
   * encoder does not see. For pre-training, set denoising.weight to 0 and give no directions.
   */
  mass?: {
    /**
     * Tokens in the fragment, as a share of the text (k / m in the paper, section 3.1; rounded, at least
     * 1).
     * @default 0.5
     */
    fragmentShare?: number;
    /**
     * Tokens in the fragment (k), instead of a share. 1 is masked language modelling. Texts with fewer
     * tokens are left out, and counted.
     */
    fragmentLength?: number;
    /**
     * For documents: one fragment in each block of this many tokens, as the official summarization code
     * does with 64. Default: one for the whole text.
     */
    blockSize?: number;
    /** Probabilities of the fragment's positions; the defaults are those of the official code. */
    startRule?: {
      /** At the beginning of the text. */
      start: number;
      /** At the end of the text. */
      end: number;
      /** Anywhere, with equal probability. */
      random: number;
    };
    /** What replaces the tokens of the fragment in the encoder's input. */
    replacement?: {
      /**
       * Share that becomes [MASK].
       * @default 0.8
       */
      mask?: number;
      /**
       * Share that is not changed.
       * @default 0.1
       */
      keep?: number;
      /**
       * Share that becomes a random token.
       * @default 0.1
       */
      random?: number;
    };
    /**
     * What the loss of MASS is multiplied by: a number, or points "round:weight" with straight lines
     * between them. A task of weight 0 takes no turn.
     * @default 0
     */
    weight?: number | string;
  };
  /** Learning from data.pairs, if there are any. */
  translation?: {
    /**
     * What the loss of translating data.pairs is multiplied by: a number, or points "round:weight" with
     * straight lines between them. A task of weight 0 takes no turn.
     * @default 1
     */
    weight?: number | string;
  };
  /** Architecture and sizes. */
  model?: {
    /**
     * Sizes to start from, without init: tiny (4 layers in encoder and decoder, d 128), small (6 layers, d
     * 256), base (6 layers, d 512) or large (6 layers, d 1024: the paper's). Default small.
     */
    preset?: 'tiny' | 'small' | 'base' | 'large';
    /** Width of embeddings and layers; a multiple of nHeads. Default from init or the preset. */
    embDim?: number;
    /** Layers of the encoder. Default from init or the preset. */
    encoderLayers?: number;
    /** Layers of the decoder, at most those of init. Default as above. */
    decoderLayers?: number;
    /** Attention heads. Default from init or the preset. */
    nHeads?: number;
    /**
     * Dropout of embeddings and of each block before it is added.
     * @default 0.1
     */
    dropout?: number;
    /**
     * Dropout of attention probabilities. The paper has 0.1; on a CPU drawing so many numbers takes much
     * of an update.
     * @default 0
     */
    attentionDropout?: number;
    /** GELU in the feed-forward blocks, otherwise ReLU. Default from init, else true. */
    geluActivation?: boolean;
    /** Use fixed sinusoidal positions. Default from init, else false. */
    sinusoidalEmbeddings?: boolean;
    /** Longest text that the model can read or write, with </s> on both sides. Default from init, else 256. */
    maxPositionEmbeddings?: number;
    /**
     * One set of embedding tables for encoder, decoder and output: fewer parameters. False: separate
     * tables for each stack. Default from init, else true.
     */
    shareEmbeddings?: boolean;
    /** Use the decoder's token embeddings as the output projection. Default from init, else true. */
    tieWordEmbeddings?: boolean;
  };
  /** AdamW and the loss. */
  optimizer?: {
    /**
     * AdamW's decay of the mean gradient.
     * @default 0.9
     */
    adamBeta1?: number;
    /**
     * AdamW's decay of the mean squared gradient; 0.98 as in Vaswani et al., since Transformers need a
     * shorter memory than 0.999.
     * @default 0.98
     */
    adamBeta2?: number;
    /**
     * Added to the root of the mean squared gradient.
     * @default 1e-9
     */
    adamEpsilon?: number;
    /**
     * Decoupled weight decay (AdamW), times the learning rate; none on biases and layer norms.
     * @default 0
     */
    weightDecay?: number;
    /**
     * Maximum L2 norm of the gradient of an update; larger gradients are scaled down. 0 is no clipping.
     * @default 1
     */
    clipNorm?: number;
    /**
     * Share of the label probability spread over the vocabulary; none in the paper.
     * @default 0
     */
    labelSmoothing?: number;
  };
  /** How texts are grouped. */
  batch?: {
    /**
     * Maximum size of a batch: sentences x longest text.
     * @default 2000
     */
    maxTokens?: number;
    /**
     * Shuffled pairs are sorted by length within windows of this many, which reduces padding.
     * @default 20000
     */
    sortWindow?: number;
    /**
     * Lengths are padded to multiples of this, which gives fewer distinct shapes with little more padding.
     * @default 4
     */
    lengthMultiple?: number;
    /**
     * Maximum number of sentences of a batch.
     * @default 32
     */
    maxSentences?: number;
    /**
     * How updates are formed. A round is a batch of each task. loss: each batch is an update, as in the
     * paper's program; round: one update with the weighted sum of the mean losses of all batches.
     * @default "loss"
     */
    update?: 'loss' | 'round';
  };
  /** Translation of held-out text while training. */
  validation?: {
    /**
     * Updates between validations.
     * @default 1000
     */
    everyUpdates?: number;
    /**
     * Metric of the best checkpoint: the mean BLEU of the directions of validationPairs; the BLEU of texts
     * translated to another language and back, reduced by the share that was only copied; or the loss of
     * denoising and MASS. Default: bleu with validationPairs, else roundTrip, or loss without
     * back-translation.
     */
    metric?: 'bleu' | 'roundTrip' | 'loss';
    /**
     * Maximum number of texts of each language, and of pairs, from the first.
     * @default 500
     */
    maxSentences?: number;
    /**
     * Compare in lower case, which models with lower-case output need. Default:
     * vocabulary.train.lowercase, else false.
     */
    lowercase?: boolean;
  };
  /** Learning rate over the run. */
  schedule?: {
    /**
     * How the learning rate falls after warm-up: linear and cosine reach 0 at totalUpdates,
     * slantedTriangular (Howard and Ruder 2018) reaches learningRate / ratio, at which it also starts; the
     * others need no end.
     * @default "inverseSquareRoot"
     */
    type?: 'inverseSquareRoot' | 'linear' | 'cosine' | 'slantedTriangular' | 'constant';
    /**
     * The highest learning rate, reached after warm-up.
     * @default 0.0005
     */
    learningRate?: number;
    /**
     * Updates over which the rate rises from 0: Adam's first estimates are poor.
     * @default 4000
     */
    warmupUpdates?: number;
    /** Update at which linear, cosine and slantedTriangular reach their end. Default budget.maxUpdates. */
    totalUpdates?: number;
    /** slantedTriangular: ratio of the highest rate to the lowest. Default 32. */
    ratio?: number;
  };
  /** When training ends: at the first of these. At least one, or earlyStopping, is required. */
  budget?: {
    /** Updates after which training ends. */
    maxUpdates?: number;
    /** Passes over the training text after which training ends. */
    maxEpochs?: number;
    /** Minutes of training (validation included, interruptions not) after which training ends. */
    maxMinutes?: number;
  };
  /** Ends training when validation stops improving. */
  earlyStopping?: {
    /** Validations in a row without a new best after which training ends. Default: never. */
    patience?: number;
  };
  /** What is saved, and when. */
  checkpoints?: {
    /**
     * Updates between checkpoints that are kept and averaged.
     * @default 1000
     */
    everyUpdates?: number;
    /**
     * Maximum number of minutes between checkpoints: the most that a crash can lose.
     * @default 10
     */
    everyMinutes?: number;
    /**
     * Number of checkpoints to keep, besides the best and the last; older ones keep only their weights.
     * @default 5
     */
    keep?: number;
    /**
     * The final model is the mean of the weights of this many last kept checkpoints; 0 takes the best
     * checkpoint, or the last without validation.
     * @default 0
     */
    averageLast?: number;
  };
  /** The log of the run. */
  log?: {
    /**
     * Updates between rows of log.jsonl, each a mean over them.
     * @default 50
     */
    everyUpdates?: number;
  };
  /**
   * Seed of initial weights, order of the data and dropout: the same seed gives the same run.
   * @default 1
   */
  seed?: number;
  /**
   * Device to compute on; `polybeam doctor` lists the devices.
   * @default "cpu"
   */
  device?: string;
  /** Threads on the CPU. Default: one for each core. */
  threads?: number;
};

type TranslationConfigInputTrain = {
  /** Text file, UTF-8; may be gzipped. */
  text: string;
  /** Column of a tab-separated file, counted from 1. Default: the whole line. */
  column?: number;
  /**
   * How the file is divided into documents: lines, or paragraphs between blank lines, whose lines are
   * joined by spaces.
   * @default "lines"
   */
  documents?: 'lines' | 'paragraphs';
};

type TranslationConfigInputPairs = {
  /** File of source sentences, one a line; may be gzipped. Requires target. */
  source?: string;
  /** File of target sentences: line n translates line n of source. */
  target?: string;
  /** Tab-separated file with both sides, may be gzipped; instead of source and target. */
  tsv?: string;
  /**
   * Column of the source sentence in tsv, counted from 1.
   * @default 1
   */
  sourceColumn?: number;
  /**
   * Column of the target sentence in tsv, counted from 1.
   * @default 2
   */
  targetColumn?: number;
  /** Language of the source side. */
  from: string;
  /** Language of the target side. */
  to: string;
};
