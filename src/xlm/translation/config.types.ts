// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam xlm train` as a user may write it, defaults left out. */
export type TranslationConfigInput = {
  /** Run directory: checkpoints, log and the final model. A run found there is resumed. */
  output: string;
  /**
   * Model directory to start from: an xlm model (as `polybeam xlm pretrain` makes), whose stack becomes
   * both encoder and decoder, or an xlm-encoder-decoder. Its tokenizer is used, its sizes too. Default:
   * random weights.
   */
  init?: string;
  /** What to learn from, by language. Any number of languages; codes are free, such as en. */
  data: {
    /**
     * Texts by language, one a line, none a translation of another, such as { en: mono.en.gz, fr: [{ text:
     * mono.tsv, column: 2 }] }: for each language a file, or a list of entries as below.
     */
    train?: Record<string, string | TranslationConfigInputTrain | TranslationConfigInputTrain[]>;
    /**
     * Parallel text with the languages of its sides: one entry, or a list. Not needed; what there is is
     * learned in both directions.
     */
    pairs?: TranslationConfigInputPairs | TranslationConfigInputPairs[];
    /**
     * Held-out texts by language, likewise: translated to another language and back, they tell the best
     * checkpoint without parallel text.
     */
    validation?: Record<string, string | TranslationConfigInputTrain | TranslationConfigInputTrain[]>;
    /** Held-out parallel text for BLEU in both directions, where there is some. */
    validationPairs?: TranslationConfigInputPairs | TranslationConfigInputPairs[];
    /**
     * Languages of n texts take turns in denoising and MASS in proportion to n^alpha: 0 all alike (the
     * paper), 1 as their texts are.
     * @default 0
     */
    alpha?: number;
    /**
     * Texts of more tokens are left out, and counted; 100 as in the paper.
     * @default 100
     */
    maxLength?: number;
  };
  /** Tokens: those of init, an existing tokenizer, or else a vocabulary learned from the data. */
  vocabulary?: {
    /** Directory of a tokenizer, as `polybeam xlm vocabulary` writes it. Goes without train. */
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
  };
  /**
   * Files of vectors (.vec) of words to start the table of embeddings with, such as mapped ones of each
   * language: a token starts with the mean of the vectors of words that it is a part of, frequent ones
   * counting most. Goes without init.
   */
  embeddings?: string[];
  /** Restoring texts with noise (Lample et al. 2018, section 2.3), in each language of data.train. */
  denoising?: {
    /**
     * What the loss of denoising is multiplied by: a number, or points "round:weight" with straight lines
     * between them. A task of weight 0 takes no turn. Default "0:1,100000:0.1,300000:0" (the paper) beside
     * back-translation, else 1.
     */
    weight?: number | string;
    /**
     * Words move less than this many places; 0 leaves their order.
     * @default 3
     */
    shuffle?: number;
    /**
     * Probability that a word is left out; one stays at least.
     * @default 0.1
     */
    dropout?: number;
    /**
     * Probability that a word is replaced by the mask token.
     * @default 0.1
     */
    blank?: number;
  };
  /** Learning from translations that the model itself makes while it is trained. */
  backTranslation?: {
    /**
     * What is learned, such as [en-fr, fr-en]: for en-fr, texts of fr are translated to en by the model as
     * it is, and from these translations it learns to translate back to the texts. An empty list learns
     * none. Default: every language of data.train into every other.
     */
    directions?: string[];
    /**
     * What the loss of back-translation is multiplied by: a number, or points "round:weight" with straight
     * lines between them. A task of weight 0 takes no turn.
     * @default 1
     */
    weight?: number | string;
    /**
     * How translations are generated: the likeliest token each time (the paper), drawn, or beam search.
     * @default "greedy"
     */
    decoding?: 'greedy' | 'sample' | 'beam';
    /** sample: logits are divided by this; below 1 nearer to greedy. Default 1. */
    temperature?: number;
    /** sample: drawn from so many of the likeliest tokens; 0 from all. Default 0. */
    topK?: number;
    /** beam: beams. Default 4. */
    numBeams?: number;
    /**
     * Translation tables (polybeam xlm table build) by what they translate, such as { en-fr: en-fr.tsv,
     * fr-en: fr-en.tsv }: for each direction that is learned the table of its reverse.
     */
    tables?: Record<string, string>;
    /**
     * In the first so many rounds translations are made by the tables, phrase by phrase, and not by the
     * model. Goes with tables. Default 500.
     */
    tableRounds?: number;
    /**
     * Directories of language models (gpt2) by language, with which tables translate together: { fr:
     * gpt2-fr }. Goes with tables. Default none: the most probable phrases.
     */
    languageModels?: Record<string, string>;
    /**
     * The model must use translations that the tables are sure of when it generates. Goes with tables and
     * with decoding beam. Default: none.
     */
    constraints?: {
      /**
       * An n-gram is sure, and constrains, whose best translation is at least so probable.
       * @default 0.5
       */
      minProbability?: number;
      /**
       * Its other translations that will do as well are at least so probable.
       * @default 0.1
       */
      minAlternative?: number;
      /**
       * N-grams of a text that constrain, at most: the surest.
       * @default 4
       */
      maxConstraints?: number;
      /** Translations are constrained in the first so many rounds. Default: in all. */
      rounds?: number;
    };
    /**
     * In the first so many rounds translations are made of tokens that the texts of their language have,
     * so that copying is no translation (Liu et al. 2020, section 5.1: 1000 updates).
     * @default 0
     */
    onlyOwnTokens?: number;
  };
  /**
   * MASS (Song et al. 2019) in each language of data.train: the decoder writes a fragment that the
   * encoder does not see. As pre-training, with denoising.weight 0 and no directions.
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
    /** Where the fragment lies, with what probability; the defaults are those of the official code. */
    startRule?: {
      /** At the beginning of the text. */
      start: number;
      /** At its end. */
      end: number;
      /** Anywhere, each place as likely. */
      random: number;
    };
    /** What the encoder reads in the place of the tokens of the fragment. */
    replacement?: {
      /**
       * Share that becomes [MASK].
       * @default 0.8
       */
      mask?: number;
      /**
       * Share that stays as it is.
       * @default 0.1
       */
      keep?: number;
      /**
       * Share that becomes any other token.
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
  /** Learning from data.pairs, where there are some. */
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
    /** Positions are sines that are not learned. Default from init, else false. */
    sinusoidalEmbeddings?: boolean;
    /** Longest text that the model can read or write, with </s> on both sides. Default from init, else 256. */
    maxPositionEmbeddings?: number;
    /**
     * One set of tables for encoder, decoder and output: fewer parameters. False gives each stack its own.
     * Default from init, else true.
     */
    shareEmbeddings?: boolean;
    /** The output projection is the decoder's table of tokens. Default from init, else true. */
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
     * Share of the label probability spread over the vocabulary; none in the paper.
     * @default 0
     */
    labelSmoothing?: number;
  };
  /** How texts are grouped. */
  batch?: {
    /**
     * Sentences x longest text of one batch, at most.
     * @default 2000
     */
    maxTokens?: number;
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
    /**
     * Sentences of one batch, at most.
     * @default 32
     */
    maxSentences?: number;
    /**
     * What one update is made of. A round is a batch of each task. loss: each batch is an update by
     * itself, as in the paper's program; round: one update of all of them, the weighted sum of their mean
     * losses.
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
     * What decides which checkpoint is best: the mean BLEU of the directions of validationPairs, that of
     * texts translated to another language and back less the share of it that was only copied, or the loss
     * of denoising and MASS. Default bleu where there are validationPairs, else roundTrip, or loss where
     * nothing is translated back.
     */
    metric?: 'bleu' | 'roundTrip' | 'loss';
    /**
     * Texts of each language, and pairs, used at most, from the first.
     * @default 500
     */
    maxSentences?: number;
    /**
     * Compare in lower case, as a model must be that writes nothing else. Default:
     * vocabulary.train.lowercase, else false.
     */
    lowercase?: boolean;
  };
  /** Learning rate over the run. */
  schedule?: {
    /**
     * How the learning rate falls after warm-up: linear and cosine reach 0 at totalUpdates,
     * slantedTriangular (Howard and Ruder 2018) reaches learningRate / ratio, from which it also rises;
     * the others need no end.
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
};

type TranslationConfigInputTrain = {
  /** Text file, UTF-8; may be gzipped. */
  text: string;
  /** Column to read where lines are tab-separated, counted from 1. Default: the whole line. */
  column?: number;
  /**
   * What a document is: a line, or the lines up to the next blank line, joined by spaces.
   * @default "lines"
   */
  documents?: 'lines' | 'paragraphs';
};

type TranslationConfigInputPairs = {
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
  /** Language of the source side. */
  from: string;
  /** Language of the target side. */
  to: string;
};
