// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam xlm pretrain` as a user may write it, defaults left out. */
export type XlmPretrainConfigInput = {
  /** Run directory: checkpoints, log and the final model. A run found there is resumed. */
  output: string;
  /**
   * Directory of an xlm model to continue from, with its sizes, languages and tokenizer; model and
   * vocabulary are then left out. Default: random weights.
   */
  init?: string;
  /** Training objective: one entry, or a mixture. An update has one objective. */
  objectives:
    | XlmPretrainConfigInputMlm
    | XlmPretrainConfigInputClm
    | XlmPretrainConfigInputTlm
    | XlmPretrainConfigInputCmlm
    | (
        | XlmPretrainConfigInputMlm
        | XlmPretrainConfigInputClm
        | XlmPretrainConfigInputTlm
        | XlmPretrainConfigInputCmlm
      )[];
  /**
   * Training and validation data, by language. Any number of languages; language codes are free, such as
   * en.
   */
  data: {
    /**
     * Running text by language, such as { en: mono.en.gz, fr: [{ text: mono.tsv, column: 2 }] }: for each
     * language a file, or a list of entries as below. Needed by objectives that read streams.
     */
    train?: Record<string, string | XlmPretrainConfigInputTrain | XlmPretrainConfigInputTrain[]>;
    /** Parallel text with the languages of its sides: one entry, or a list. Needed by tlm. */
    pairs?: XlmPretrainConfigInputPairs | XlmPretrainConfigInputPairs[];
    /** Held-out text by language, in the same form. Without it there is no validation. */
    validation?: Record<string, string | XlmPretrainConfigInputTrain | XlmPretrainConfigInputTrain[]>;
    /** Held-out parallel text, in the same form. */
    validationPairs?: XlmPretrainConfigInputPairs | XlmPretrainConfigInputPairs[];
    /**
     * Tokens of a row of running text: concatenated sentences, cut anywhere (256 in the paper).
     * @default 256
     */
    length?: number;
    /**
     * Pairs with more tokens on a side are left out, and counted.
     * @default 126
     */
    maxLength?: number;
    /**
     * A language with n tokens gets a share of the updates in proportion to n^alpha: 1 in proportion to
     * its size, 0 the same for all languages.
     * @default 0.7
     */
    alpha?: number;
  };
  /** Tokens: a vocabulary learned from the data (the default), or an existing tokenizer. */
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
  /** Architecture and sizes. */
  model?: {
    /**
     * Sizes to start from: tiny (4 layers, d 128), small (6 layers, d 256), base (6 layers, d 512) or
     * large (6 layers, d 1024: the paper's model for translation).
     * @default "small"
     */
    preset?: 'tiny' | 'small' | 'base' | 'large';
    /** Width of embeddings and layers; a multiple of nHeads. Default from the preset. */
    embDim?: number;
    /** Layers. Default from the preset. */
    nLayers?: number;
    /** Attention heads. Default from the preset. */
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
    /**
     * GELU in the feed-forward blocks, otherwise ReLU.
     * @default true
     */
    geluActivation?: boolean;
    /**
     * Use fixed sinusoidal positions. Default: learned positions.
     * @default false
     */
    sinusoidalEmbeddings?: boolean;
    /**
     * With several languages, adds an embedding of a token's language at every position.
     * @default true
     */
    useLangEmb?: boolean;
    /**
     * Longest row that the model can read.
     * @default 512
     */
    maxPositionEmbeddings?: number;
    /** Standard deviation of new embeddings. Default embDim^-0.5. */
    embedInitStd?: number;
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
     * Share of the label probability spread over the vocabulary (Szegedy et al. 2016).
     * @default 0
     */
    labelSmoothing?: number;
  };
  /** How rows are grouped. A batch has rows of one language, or pair of languages. */
  batch?: {
    /**
     * Maximum size of a batch: sentences x longest padded side. Choose what fits in memory.
     * @default 4096
     */
    maxTokens?: number;
    /**
     * Number of batches whose gradients are summed in an update, for larger updates than fit in memory.
     * The last update of an epoch may have fewer.
     * @default 1
     */
    accumulate?: number;
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
  };
  /** Perplexity and accuracy on held-out text, by objective and language, while training. */
  validation?: {
    /**
     * Updates between validations.
     * @default 1000
     */
    everyUpdates?: number;
    /**
     * Maximum number of validation rows (or pairs) of each language, from the first.
     * @default 200
     */
    maxRows?: number;
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
     * The final model is the mean of the weights of this many last kept checkpoints (Vaswani et al. 2017,
     * section 6.1); 0 takes the best checkpoint instead, or the last without validation.
     * @default 5
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

type XlmPretrainConfigInputMlm = {
  /** Which objective; the sections below list them with their options. */
  type: 'mlm';
  /**
   * Share of the updates, beside the weights of the other objectives.
   * @default 1
   */
  weight?: number;
  /**
   * Share of the tokens to predict.
   * @default 0.15
   */
  rate?: number;
  /**
   * Choose whole words: all their tokens, or none.
   * @default false
   */
  wholeWord?: boolean;
  /**
   * Share of the choices that are n-grams instead of single tokens (or words); UniLM: 0.2.
   * @default 0
   */
  ngramShare?: number;
  /**
   * Longest n-gram; lengths from 2 on are equally likely.
   * @default 3
   */
  maxNgram?: number;
  /** Maximum number of tokens to predict in a row. Default: no limit. */
  maxPredictions?: number;
  /**
   * Tokens of frequency f are chosen in proportion to f^-sampleAlpha, so that frequent ones are
   * predicted less often; 0: uniformly. The paper's program calls it sample_alpha. Excludes wholeWord
   * and ngramShare.
   * @default 0
   */
  sampleAlpha?: number;
  /** What replaces the tokens to predict. */
  replacement?: XlmPretrainConfigInputReplacement;
};

type XlmPretrainConfigInputReplacement = {
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

type XlmPretrainConfigInputClm = {
  /** Which objective; the sections below list them with their options. */
  type: 'clm';
  /**
   * Share of the updates, beside the weights of the other objectives.
   * @default 1
   */
  weight?: number;
};

type XlmPretrainConfigInputTlm = {
  /** Which objective; the sections below list them with their options. */
  type: 'tlm';
  /**
   * Share of the updates, beside the weights of the other objectives.
   * @default 1
   */
  weight?: number;
  /**
   * Share of the tokens to predict.
   * @default 0.15
   */
  rate?: number;
  /**
   * Choose whole words: all their tokens, or none.
   * @default false
   */
  wholeWord?: boolean;
  /**
   * Share of the choices that are n-grams instead of single tokens (or words); UniLM: 0.2.
   * @default 0
   */
  ngramShare?: number;
  /**
   * Longest n-gram; lengths from 2 on are equally likely.
   * @default 3
   */
  maxNgram?: number;
  /** Maximum number of tokens to predict in a row. Default: no limit. */
  maxPredictions?: number;
  /**
   * Tokens of frequency f are chosen in proportion to f^-sampleAlpha, so that frequent ones are
   * predicted less often; 0: uniformly. The paper's program calls it sample_alpha. Excludes wholeWord
   * and ngramShare.
   * @default 0
   */
  sampleAlpha?: number;
  /** What replaces the tokens to predict. */
  replacement?: XlmPretrainConfigInputReplacement;
};

type XlmPretrainConfigInputCmlm = {
  /** Which objective; the sections below list them with their options. */
  type: 'cmlm';
  /**
   * Share of the updates, beside the weights of the other objectives.
   * @default 1
   */
  weight?: number;
  /** Translation tables, such as one from en to fr and one from fr to en. */
  tables: {
    /** Language of the n-grams that are masked. */
    from: string;
    /** Language of their translations. */
    to: string;
    /** Table as `polybeam xlm table build` writes it. */
    path: string;
  }[];
  /** Maximum number of words of a masked n-gram; 1 for words only. Default: the longest in the table. */
  maxNgram?: number;
  /**
   * Share of the tokens at which tokens or translations are predicted.
   * @default 0.15
   */
  rate?: number;
  /**
   * Share of these tokens that are predicted themselves, as in mlm, in the same rows. With 0, add a
   * separate mlm objective to the mixture; updates then alternate.
   * @default 0
   */
  mlmShare?: number;
  /**
   * Weight of the loss of a token that is predicted itself; a token of a translation has weight 1.
   * @default 1
   */
  mlmWeight?: number;
  /** What replaces masked tokens, chosen for each token. */
  replacement?: XlmPretrainConfigInputReplacement;
  /**
   * Mapped vectors by language (.vec), in one space for all: tokens of a translation are aligned to
   * masked tokens by the similarity of their words (IBM Model 2). Default: all masked tokens of an
   * n-gram are equally probable (IBM Model 1).
   */
  vectors?: Record<string, string>;
  /**
   * Cosines of vectors are divided by this before their softmax over the masked tokens.
   * @default 0.1
   */
  temperature?: number;
  /**
   * Probability that a token of a translation comes from no word (NULL): it is then predicted at the
   * first position of the row, which is never masked.
   * @default 0
   */
  nullProbability?: number;
  /**
   * The probability of a translation's length, a constant epsilon as in IBM Models 1 and 2; changes the
   * loss that is reported, and no gradient.
   * @default 1
   */
  lengthProbability?: number;
};

type XlmPretrainConfigInputTrain = {
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

type XlmPretrainConfigInputPairs = {
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
