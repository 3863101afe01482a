// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam pretrain` as a user may write it, defaults left out. */
export type PretrainConfigInput = {
  /** Run directory: checkpoints, log and the final model. A run found there is resumed. */
  output: string;
  /**
   * Model directory to continue from (further pre-training), with its architecture and its tokenizer;
   * model and vocabulary are then left out. Default: random weights.
   */
  init?: string;
  /** Training objective: one entry, or a mixture. An update has one objective. */
  objectives:
    | PretrainConfigInputMass
    | PretrainConfigInputSupervisedMass
    | PretrainConfigInputBart
    | PretrainConfigInputBertLm
    | PretrainConfigInputUnilm
    | PretrainConfigInputSimbert
    | PretrainConfigInputRoformerSim
    | (
        | PretrainConfigInputMass
        | PretrainConfigInputSupervisedMass
        | PretrainConfigInputBart
        | PretrainConfigInputBertLm
        | PretrainConfigInputUnilm
        | PretrainConfigInputSimbert
        | PretrainConfigInputRoformerSim
      )[];
  /** Training and validation data. */
  data: {
    /** Training text: one entry, or a list. Needed by objectives that read running text. */
    train?: PretrainConfigInputTrain | PretrainConfigInputTrain[];
    /** Training pairs of texts, in the form of `train`; for objectives that learn from pairs. */
    pairs?: PretrainConfigInputPairs | PretrainConfigInputPairs[];
    /** Held-out text for the validation loss. Without it there is no validation. */
    validation?: PretrainConfigInputTrain | PretrainConfigInputTrain[];
    /** Held-out pairs, in the same form. */
    validationPairs?: PretrainConfigInputPairs | PretrainConfigInputPairs[];
    /**
     * How text is divided into pieces. single: a document, or parts of one longer than maxLength. packed:
     * documents joined by the end token and cut into pieces of maxLength tokens (full sentences across
     * documents, Liu et al. 2019, section 4.2).
     * @default "single"
     */
    packing?: 'single' | 'packed';
    /**
     * Maximum number of tokens of a piece, special tokens not counted. Pairs with a longer side are left
     * out, and counted.
     * @default 126
     */
    maxLength?: number;
    /**
     * Minimum number of tokens of a piece; shorter ones are left out, and counted; MASS: 5.
     * @default 5
     */
    minLength?: number;
  };
  /** Tokens: a vocabulary trained on the data (the default; <mask> is added), or an existing tokenizer. */
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
     * Architecture. marian: the Transformer of Vaswani et al. 2017. unilm, bert, roformer: one stack of
     * encoderLayers layers that encodes and generates (UniLM; SimBERT; RoFormer-Sim), without
     * decoderLayers, activationDropout and tieWordEmbeddings.
     * @default "marian"
     */
    type?: 'marian' | 'unilm' | 'bert' | 'roformer';
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
  /** How pieces are grouped. */
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
  /** The loss on held-out text while training. */
  validation?: {
    /**
     * Updates between validations.
     * @default 1000
     */
    everyUpdates?: number;
    /**
     * Maximum number of validation pieces (and pairs), from the first.
     * @default 1000
     */
    maxPieces?: number;
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

type PretrainConfigInputMass = {
  /** Which objective; the sections below list them with their options. */
  type: 'mass';
  /**
   * Share of the updates, beside the weights of the other objectives that read the same kind of data.
   * @default 1
   */
  weight?: number;
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
  replacement?: PretrainConfigInputReplacement;
};

type PretrainConfigInputReplacement = {
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

type PretrainConfigInputSupervisedMass = {
  /** Which objective; the sections below list them with their options. */
  type: 'supervisedMass';
  /**
   * Share of the updates, beside the weights of the other objectives that read the same kind of data.
   * @default 1
   */
  weight?: number;
  /**
   * Length of the masked fragment, as a share of the source.
   * @default 0.5
   */
  fragmentShare?: number;
  /**
   * Share of the decoder's input tokens that are masked, so that it must attend to the source.
   * @default 0.5
   */
  decoderMaskRate?: number;
  /** What replaces masked tokens, on both sides. */
  replacement?: PretrainConfigInputReplacement;
};

type PretrainConfigInputBart = {
  /** Which objective; the sections below list them with their options. */
  type: 'bart';
  /**
   * Share of the updates, beside the weights of the other objectives that read the same kind of data.
   * @default 1
   */
  weight?: number;
  /**
   * Probability that the sentences of a text are permuted; sentences end at . ! or ?.
   * @default 1
   */
  permuteSentences?: number;
  /**
   * Probability that a text is rotated to begin at a random token (document rotation).
   * @default 0
   */
  rotate?: number;
  /**
   * Share of the tokens replaced by text infilling: each span of them becomes one [MASK].
   * @default 0.3
   */
  infillRate?: number;
  /**
   * Mean length of the spans of text infilling; a span of length 0 inserts a [MASK].
   * @default 3
   */
  poissonLambda?: number;
  /**
   * Share of the tokens corrupted one by one (token masking).
   * @default 0
   */
  maskRate?: number;
  /** What replaces the tokens chosen by token masking. */
  replacement?: PretrainConfigInputReplacement;
  /**
   * Share of the tokens that are left out (token deletion).
   * @default 0
   */
  deleteRate?: number;
  /**
   * Token masking chooses whole words.
   * @default false
   */
  wholeWord?: boolean;
};

type PretrainConfigInputBertLm = {
  /** Which objective; the sections below list them with their options. */
  type: 'bertLm';
  /**
   * Share of the updates, beside the weights of the other objectives that read the same kind of data.
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
  /** What replaces the tokens to predict in the encoder's input. */
  replacement?: PretrainConfigInputReplacement;
};

type PretrainConfigInputUnilm = {
  /** Which objective; the sections below list them with their options. */
  type: 'unilm';
  /**
   * Share of the updates, beside the weights of the other objectives that read the same kind of data.
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
   * Share of the choices that are n-grams instead of single tokens (or words); section 2.4: 0.2.
   * @default 0.2
   */
  ngramShare?: number;
  /**
   * Longest n-gram; lengths from 2 on are equally likely.
   * @default 3
   */
  maxNgram?: number;
  /** Maximum number of tokens to predict in a row. Default: no limit. */
  maxPredictions?: number;
  /** Weights of the kinds of rows; section 2.4: 1/3, 1/3, 1/6, 1/6. */
  mixture?: {
    /**
     * Each position attends to all.
     * @default 2
     */
    bidirectional?: number;
    /**
     * The source attends to itself; the target to the source and to the tokens before it.
     * @default 2
     */
    sequenceToSequence?: number;
    /**
     * Each position attends to itself and to those before it.
     * @default 1
     */
    leftToRight?: number;
    /**
     * Each position attends to itself and to those after it.
     * @default 1
     */
    rightToLeft?: number;
  };
  /**
   * Segment ids by kind; the model decodes with those of sequenceToSequence. Default: 0 and 1, 2, 3 as
   * in the official code if the model has six, otherwise 0 and 1, 0, 0.
   */
  segments?: {
    /** Of the two parts. */
    bidirectional: [number, number];
    leftToRight: number;
    rightToLeft: number;
  };
  /** What replaces the tokens to predict. */
  replacement?: PretrainConfigInputReplacement;
};

type PretrainConfigInputSimbert = {
  /** Which objective; the sections below list them with their options. */
  type: 'simbert';
  /**
   * Share of the updates, beside the weights of the other objectives that read the same kind of data.
   * @default 1
   */
  weight?: number;
  /**
   * Factor of the cosines before the softmax over the other rows of the batch (SimBERT: 20).
   * @default 20
   */
  scale?: number;
  /**
   * Weight of the similarity loss relative to the generation loss.
   * @default 1
   */
  similarityWeight?: number;
};

type PretrainConfigInputRoformerSim = {
  /** Which objective; the sections below list them with their options. */
  type: 'roformerSim';
  /**
   * Share of the updates, beside the weights of the other objectives that read the same kind of data.
   * @default 1
   */
  weight?: number;
  /**
   * Factor of the cosines before the softmax over the other rows of the batch (SimBERT: 20).
   * @default 20
   */
  scale?: number;
  /**
   * Weight of the similarity loss relative to the generation loss.
   * @default 1
   */
  similarityWeight?: number;
  /**
   * Share of the sources that are corrupted, as BART does (official code: 0.5).
   * @default 0.5
   */
  corruptShare?: number;
  /**
   * Share of the tokens of a corrupted source that are masked, in whole words.
   * @default 0.15
   */
  rate?: number;
  /** What replaces masked tokens. */
  replacement?: PretrainConfigInputReplacement;
  /**
   * Second stage: mean squared error against the cosines of a frozen teacher between all texts of a
   * batch, instead of finding the partner of each text; scale and similarityWeight are then not used.
   */
  distill?: {
    /** Directory of a bert or roformer model with the same vocabulary, such as a SimBERT. */
    teacher: string;
    /**
     * Weight of the similarity loss relative to the generation loss (official code: 100).
     * @default 100
     */
    weight?: number;
  };
};

type PretrainConfigInputTrain = {
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

type PretrainConfigInputPairs = {
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
