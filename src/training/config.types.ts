// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam train` as a user may write it, defaults left out. */
export type TrainConfigInput = {
  /** Run directory: checkpoints, log and the final model. A run found there is resumed. */
  output: string;
  /**
   * Model directory to start from instead of random weights (a warm start): weights of the same name are
   * copied, and must have the shape that model requires; missing weights start at random, and are
   * counted. Its tokenizer is used unless vocabulary names another. Default: none.
   */
  init?: string;
  /** Training and validation data. */
  data: {
    /** Training text: one entry, or a list that is joined. */
    train: TrainConfigInputTrain | TrainConfigInputTrain[];
    /** Held-out text for validation: one entry, or a list. Without it there is no validation. */
    validation?: TrainConfigInputTrain | TrainConfigInputTrain[];
    /** Source and target language; kept in config.json, so that `translate --to` can be checked. */
    languages?: {
      /** Language code of the source side, such as en. */
      source: string;
      /** Language code of the target side, such as fr. */
      target: string;
    };
    /**
     * Pairs with more tokens on a side are left out of training, and counted: attention costs grow with
     * the square of the length, and such pairs are often misaligned.
     * @default 128
     */
    maxLength?: number;
  };
  /** Tokens: a vocabulary trained on the data (the default), or an existing tokenizer. */
  vocabulary?: {
    /** Directory or file of an existing tokenizer. Excludes train. */
    tokenizer?: string;
    /** Trains one vocabulary for both languages on the training text, with the options of `polybeam vocab`. */
    train?: {
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
  };
  /** Architecture and sizes. */
  model?: {
    /**
     * Architecture: marian is the Transformer of Vaswani et al. 2017 as in Marian and OPUS-MT.
     * @default "marian"
     */
    type?: 'marian';
    /**
     * Sizes to start from: tiny (4+4 layers, d 128, for tens of thousands of pairs), small (6+3 layers, d
     * 256) or base (6+6 layers, d 512, for millions).
     * @default "small"
     */
    preset?: 'tiny' | 'small' | 'base';
    /** Layers of the encoder. Default from the preset. */
    encoderLayers?: number;
    /** Layers of the decoder, which take most of the time in translation. Default from the preset. */
    decoderLayers?: number;
    /** Width of embeddings and layers; a multiple of attentionHeads. Default from the preset. */
    dModel?: number;
    /** Inner width of the feed-forward blocks. Default from the preset. */
    ffnDim?: number;
    /** Attention heads in encoder and decoder. Default from the preset. */
    attentionHeads?: number;
    /** Dropout of embeddings and of each block before it is added. Default from the preset. */
    dropout?: number;
    /**
     * Dropout of attention probabilities; 0 as in OPUS-MT.
     * @default 0
     */
    attentionDropout?: number;
    /**
     * Dropout inside the feed-forward blocks, after the activation; 0 as in OPUS-MT.
     * @default 0
     */
    activationDropout?: number;
    /**
     * Activation of the feed-forward blocks; swish as in OPUS-MT.
     * @default "swish"
     */
    activationFunction?: 'relu' | 'gelu' | 'swish';
    /**
     * Longest sequence the model can read or write; the sinusoidal table has this many rows.
     * @default 512
     */
    maxPositionEmbeddings?: number;
    /**
     * Share one table between the embeddings of both sides and the output projection: fewer parameters,
     * and better on small data. False: three tables.
     * @default true
     */
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
     * Share of the label probability spread over the vocabulary (Szegedy et al. 2016).
     * @default 0.1
     */
    labelSmoothing?: number;
  };
  /** How pairs are grouped. */
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
  /** Checks on held-out text while training. */
  validation?: {
    /**
     * Updates between validations.
     * @default 1000
     */
    everyUpdates?: number;
    /**
     * Metric of the best checkpoint: BLEU of translations, or the loss, which is cheaper.
     * @default "bleu"
     */
    metric?: 'bleu' | 'loss';
    /**
     * Number of beams for BLEU; 1 (greedy) is fast and ranks checkpoints about as well.
     * @default 1
     */
    numBeams?: number;
    /**
     * Compare in lower case, which models with lower-case output need. Default:
     * vocabulary.train.lowercase, else false.
     */
    lowercase?: boolean;
    /**
     * Maximum number of validation pairs, from the first: validation should take little of the time.
     * @default 1000
     */
    maxSentences?: number;
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

type TrainConfigInputTrain = {
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
};
