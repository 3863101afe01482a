// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam finetune` as a user may write it, defaults left out. */
export type FinetuneConfigInput = {
  /** Run directory: checkpoints, log and the final model. A run found there is resumed. */
  output: string;
  /** Model directory to start from: any that writes from a source. Goes without encoder and decoder. */
  init?: string;
  /**
   * BERT-family directory (bert, bert-generation) for the encoder of a new encoder-decoder (Rothe et al.
   * 2020); { random: DIR } takes its sizes and tokenizer and starts at random. Goes with decoder.
   */
  encoder?: string | FinetuneConfigInputEncoder;
  /** The same for the decoder, whose cross-attention starts at random. */
  decoder?: string | FinetuneConfigInputEncoder;
  /**
   * Encoder and decoder, which are then the same, share the weights they both have (BERTSHARE of Rothe
   * et al. 2020).
   * @default false
   */
  share?: boolean;
  /** What to learn from. */
  data: {
    /** Pairs to learn from: one entry, or a list that is joined. */
    train: FinetuneConfigInputTrain | FinetuneConfigInputTrain[];
    /** Held-out text for validation: one entry, or a list. Without it there is no validation. */
    validation?: FinetuneConfigInputTrain | FinetuneConfigInputTrain[];
    /** What is translated into what, for models that are told languages; as `translate --from --to`. */
    languages?: {
      /** Language code of the source side, such as en. */
      source: string;
      /** Language code of the target side, such as fr. */
      target: string;
    };
    /** Tokens of a source at most, special tokens included. Default: 512, or what the model can read. */
    maxSourceLength?: number;
    /**
     * Tokens of a target at most; pairs with a longer one are left out and counted, since a target that is
     * cut teaches to stop too early. Default: 128, or what the model can write.
     */
    maxTargetLength?: number;
    /**
     * What becomes of longer sources: head keeps their beginning, tail their end, headTail: { head, tail }
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
     * AdamW's decay of the mean squared gradient; 0.98 as in Vaswani et al.: Transformers want a shorter
     * memory than 0.999.
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
     * Largest L2 norm of the gradient of an update; larger ones are scaled down. 0 is no clipping.
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
     * slantedTriangular (Howard and Ruder 2018) reaches learningRate / ratio, from which it also rises;
     * the others need no end.
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
    /** slantedTriangular: how many times the lowest rate the highest is. Default 32. */
    ratio?: number;
  };
  /** When to end; what is reached first. At least one, or earlyStopping, must be given. */
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
     * Minutes after which a checkpoint is written anyway: what a crash can cost at most.
     * @default 10
     */
    everyMinutes?: number;
    /**
     * Checkpoints kept, besides the best and the last; older ones keep their weights only.
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
   * Decides initial weights, order of the data and dropout: the same seed gives the same run.
   * @default 1
   */
  seed?: number;
  /**
   * Where to compute; `polybeam doctor` lists what there is.
   * @default "cpu"
   */
  device?: string;
  /** Threads on the CPU. Default: one for each core. */
  threads?: number;
  /**
   * Share of a target's tokens, its end among them, that is masked and predicted; for models that read
   * the next token at a [MASK] (unilm). Default: 0.7, as in the official code.
   */
  targetMaskRate?: number;
  /**
   * Learning rate of a layer over that of the one above it, in encoder and decoder each; embeddings come
   * below the lowest, while heads and new weights have the full rate. Sun et al. 2019 take 0.95.
   * @default 1
   */
  layerDecay?: number;
  /**
   * Gradual unfreezing (Howard and Ruder 2018, section 3.3): training begins with heads, new weights and
   * the last layer of encoder and decoder, and after every so many epochs the next lower layer joins,
   * embeddings last. Default: all at once.
   */
  unfreezeEveryEpochs?: number;
  /** Weights to leave as they are: beginnings of names, or embeddings, or encoder. */
  freeze?: string[];
  /** How pairs are grouped. */
  batch?: {
    /**
     * Sentences x longest padded side of one batch, at most: what fits in memory.
     * @default 4096
     */
    maxTokens?: number;
    /**
     * Batches whose gradients are added up to one update: larger updates than memory holds. The last
     * update of an epoch may have fewer.
     * @default 1
     */
    accumulate?: number;
    /**
     * Shuffled pairs are sorted by length within windows of this many, which cuts padding.
     * @default 20000
     */
    sortWindow?: number;
    /**
     * Lengths are padded to multiples of this: fewer distinct shapes for little more padding.
     * @default 4
     */
    lengthMultiple?: number;
  };
  /** Checks on held-out text while training. */
  validation?: {
    /**
     * Hypotheses kept at every step: an integer from 1; 1 is greedy search or sampling, more with doSample
     * beam sampling. Default 1.
     */
    numBeams?: number;
    /**
     * Most tokens to generate, the end token included: an integer from 1. Default: what the model's
     * max_length leaves after the decoder prompt, else 20.
     */
    maxNewTokens?: number;
    /**
     * Tokens to generate before an end token is allowed: an integer from 0. Default 0; with conventions
     * ctranslate2, fairseq and unilm 1 without a decoder prompt.
     */
    minNewTokens?: number;
    /**
     * Exponent p of the length in beam scores, log-probability / length^p: above 0 favors longer output,
     * below 0 shorter. Default 1; with conventions marian and unilm 0.
     */
    lengthPenalty?: number;
    /**
     * When beam search stops: true, once numBeams hypotheses are finished; false, once the best open beam
     * would not beat the worst of them at its present length; 'never', once it could not at any length.
     * Default false.
     */
    earlyStopping?: boolean | 'never';
    /** No n-gram of this many tokens may occur twice; 0 is no restriction. Default 0. */
    noRepeatNgramSize?: number;
    /**
     * Factor above 0 against tokens that already occur in the output: above 1 discourages them, below 1
     * encourages. Default 1.
     */
    repetitionPenalty?: number;
    /**
     * Updates between validations.
     * @default 500
     */
    everyUpdates?: number;
    /**
     * What decides which checkpoint is best: ROUGE F-measure (of Latin letters and digits), BLEU or chrF
     * of what the model writes, or the loss, which is cheaper.
     * @default "rougeL"
     */
    metric?: 'rouge1' | 'rouge2' | 'rougeL' | 'bleu' | 'chrf' | 'loss';
    /**
     * Compare in lower case for bleu and chrf; ROUGE always does.
     * @default false
     */
    lowercase?: boolean;
    /**
     * Validation pairs used at most, from the first: validation should cost little of the time.
     * @default 500
     */
    maxSentences?: number;
  };
  /**
   * Defaults of the finished model, written to its generation_config.json over those it started with;
   * validation decodes by them too, where it sets no options of its own.
   */
  generation?: {
    /**
     * Hypotheses kept at every step: an integer from 1; 1 is greedy search or sampling, more with doSample
     * beam sampling. Default 1.
     */
    numBeams?: number;
    /**
     * Most tokens to generate, the end token included: an integer from 1. Default: what the model's
     * max_length leaves after the decoder prompt, else 20.
     */
    maxNewTokens?: number;
    /**
     * Tokens to generate before an end token is allowed: an integer from 0. Default 0; with conventions
     * ctranslate2, fairseq and unilm 1 without a decoder prompt.
     */
    minNewTokens?: number;
    /**
     * Exponent p of the length in beam scores, log-probability / length^p: above 0 favors longer output,
     * below 0 shorter. Default 1; with conventions marian and unilm 0.
     */
    lengthPenalty?: number;
    /**
     * When beam search stops: true, once numBeams hypotheses are finished; false, once the best open beam
     * would not beat the worst of them at its present length; 'never', once it could not at any length.
     * Default false.
     */
    earlyStopping?: boolean | 'never';
    /** No n-gram of this many tokens may occur twice; 0 is no restriction. Default 0. */
    noRepeatNgramSize?: number;
    /**
     * Factor above 0 against tokens that already occur in the output: above 1 discourages them, below 1
     * encourages. Default 1.
     */
    repetitionPenalty?: number;
  };
};

type FinetuneConfigInputEncoder = {
  random: string;
};

type FinetuneConfigInputTrain = {
  /** File of source sentences, one a line; may be gzipped. Goes with target. */
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
