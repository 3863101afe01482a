// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam finetune` as a user may write it, defaults left out. */
export type FinetuneConfigInput = {
  /** Run directory: checkpoints, log and the final model. A run found there is resumed. */
  output: string;
  /**
   * Model directory to start from: an encoder-decoder or a prefix language model. Excludes encoder and
   * decoder.
   */
  init?: string;
  /**
   * BERT-family directory (bert, bert-generation) for the encoder of a new encoder-decoder (Rothe et al.
   * 2020); { random: DIR } takes its sizes and tokenizer and starts at random. Requires decoder.
   */
  encoder?: string | FinetuneConfigInputEncoder;
  /** The same for the decoder, whose cross-attention starts at random. */
  decoder?: string | FinetuneConfigInputEncoder;
  /**
   * Encoder and decoder, from the same directory, share their common weights (BERTSHARE of Rothe et al.
   * 2020).
   * @default false
   */
  share?: boolean;
  /** Training and validation data. */
  data: {
    /** Training pairs: one entry, or a list that is joined. */
    train: FinetuneConfigInputTrain | FinetuneConfigInputTrain[];
    /** Held-out text for validation: one entry, or a list. Without it there is no validation. */
    validation?: FinetuneConfigInputTrain | FinetuneConfigInputTrain[];
    /** Source and target language, for models that need them; like `translate --from --to`. */
    languages?: {
      /** Language code of the source side, such as en. */
      source: string;
      /** Language code of the target side, such as fr. */
      target: string;
    };
    /** Maximum number of tokens of a source, special tokens included. Default: 512, or the model's maximum. */
    maxSourceLength?: number;
    /**
     * Maximum number of tokens of a target; pairs with a longer one are left out and counted, since a
     * truncated target teaches the model to stop too early. Default: 128, or the model's maximum.
     */
    maxTargetLength?: number;
    /**
     * How longer sources are truncated: head keeps the beginning, tail the end, headTail: { head, tail }
     * both (Sun et al. 2019 found 128 and 382 best), drop leaves the pair out. The rule is kept in
     * config.json, so that the finished model reads texts the same way.
     * @default "head"
     */
    truncation?:
      | 'head'
      | 'tail'
      | 'drop'
      | {
          headTail: {
            /** Tokens kept from the beginning, special tokens not counted. */
            head: number;
            /** Tokens kept from the end, special tokens not counted. */
            tail: number;
          };
        };
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
  /** Learning rate over the run. */
  schedule?: {
    /**
     * How the learning rate falls after warm-up: linear and cosine reach 0 at totalUpdates,
     * slantedTriangular (Howard and Ruder 2018) reaches learningRate / ratio, at which it also starts; the
     * others need no end.
     * @default "linear"
     */
    type?: 'inverseSquareRoot' | 'linear' | 'cosine' | 'slantedTriangular' | 'constant';
    /**
     * The highest learning rate, reached after warm-up, before factors of layerDecay.
     * @default 0.00005
     */
    learningRate?: number;
    /** Updates over which the rate rises. Default: a tenth of totalUpdates, 0 without an end. */
    warmupUpdates?: number;
    /**
     * Update at which linear, cosine and slantedTriangular reach their end. Default: budget.maxUpdates, or
     * what budget.maxEpochs takes.
     */
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
     * The final model is the best checkpoint (without validation the last), or with a number above 0 the
     * mean of the weights of this many last kept checkpoints.
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
  /**
   * Share of a target's tokens, end token included, that is masked and predicted; for models that
   * predict the next token at a [MASK] (unilm). Default: 0.7, as in the official code.
   */
  targetMaskRate?: number;
  /**
   * Learning rate of a layer divided by that of the layer above it, in encoder and decoder; embeddings
   * come below the lowest, while heads and new weights have the full rate. Sun et al. 2019 take 0.95.
   * @default 1
   */
  layerDecay?: number;
  /**
   * Gradual unfreezing (Howard and Ruder 2018, section 3.3): training starts with heads, new weights and
   * the last layer of encoder and decoder; after every this many epochs the next lower layer is added,
   * embeddings last. Default: all at once.
   */
  unfreezeEveryEpochs?: number;
  /** Weights that are not trained: beginnings of names, or embeddings, or encoder. */
  freeze?: string[];
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
     * Number of hypotheses kept at every step, an integer from 1: 1 is greedy search or sampling; more is
     * beam search, with doSample beam sampling. Default 1.
     */
    numBeams?: number;
    /**
     * Maximum number of tokens to generate, the end token included: an integer from 1. Default: the
     * model's max_length less the decoder prompt, else 20.
     */
    maxNewTokens?: number;
    /**
     * Minimum number of tokens to generate before an end token: an integer from 0. Default 0; with
     * conventions ctranslate2, fairseq and unilm 1 without a decoder prompt.
     */
    minNewTokens?: number;
    /**
     * Exponent p of the length in beam scores, log-probability / length^p: above 0 favors longer output,
     * below 0 shorter. Default 1; with conventions marian and unilm 0.
     */
    lengthPenalty?: number;
    /**
     * When beam search stops after numBeams hypotheses are finished: true, at once; false, when the best
     * open hypothesis would not rank above the worst of them at its present length; 'never', when it could
     * not at any length. Default false.
     */
    earlyStopping?: boolean | 'never';
    /** No n-gram of this many tokens may occur twice; 0 is no restriction. Default 0. */
    noRepeatNgramSize?: number;
    /**
     * Penalty factor for tokens that already occur in the output, a number above 0: above 1 makes them
     * less probable, below 1 more probable. Default 1.
     */
    repetitionPenalty?: number;
    /**
     * Updates between validations.
     * @default 500
     */
    everyUpdates?: number;
    /**
     * Metric of the best checkpoint: ROUGE F-measure (of Latin letters and digits), BLEU or chrF of the
     * model's outputs, or the loss, which is cheaper.
     * @default "rougeL"
     */
    metric?: 'rouge1' | 'rouge2' | 'rougeL' | 'bleu' | 'chrf' | 'loss';
    /**
     * Compare in lower case for bleu and chrf; ROUGE always does.
     * @default false
     */
    lowercase?: boolean;
    /**
     * Maximum number of validation pairs, from the first: validation should take little of the time.
     * @default 500
     */
    maxSentences?: number;
  };
  /**
   * Generation defaults of the finished model, which replace those of the initial model in
   * generation_config.json; validation uses them too, unless it sets its own options.
   */
  generation?: {
    /**
     * Number of hypotheses kept at every step, an integer from 1: 1 is greedy search or sampling; more is
     * beam search, with doSample beam sampling. Default 1.
     */
    numBeams?: number;
    /**
     * Maximum number of tokens to generate, the end token included: an integer from 1. Default: the
     * model's max_length less the decoder prompt, else 20.
     */
    maxNewTokens?: number;
    /**
     * Minimum number of tokens to generate before an end token: an integer from 0. Default 0; with
     * conventions ctranslate2, fairseq and unilm 1 without a decoder prompt.
     */
    minNewTokens?: number;
    /**
     * Exponent p of the length in beam scores, log-probability / length^p: above 0 favors longer output,
     * below 0 shorter. Default 1; with conventions marian and unilm 0.
     */
    lengthPenalty?: number;
    /**
     * When beam search stops after numBeams hypotheses are finished: true, at once; false, when the best
     * open hypothesis would not rank above the worst of them at its present length; 'never', when it could
     * not at any length. Default false.
     */
    earlyStopping?: boolean | 'never';
    /** No n-gram of this many tokens may occur twice; 0 is no restriction. Default 0. */
    noRepeatNgramSize?: number;
    /**
     * Penalty factor for tokens that already occur in the output, a number above 0: above 1 makes them
     * less probable, below 1 more probable. Default 1.
     */
    repetitionPenalty?: number;
  };
};

type FinetuneConfigInputEncoder = {
  random: string;
};

type FinetuneConfigInputTrain = {
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
