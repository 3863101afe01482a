// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam xlm run` as a user may write it, defaults left out. */
export type XlmRunConfigInput = {
  /**
   * Directory of everything: vocabulary, vectors, mapped, tables, pretrained and translation. Stages
   * found there are not made again.
   */
  output: string;
  /** Texts. Any number of languages; codes are free, such as en. */
  data: {
    /**
     * Texts by language, one a line, none a translation of another: what translation is learned from, and
     * the stages before it.
     */
    train: Record<string, string | XlmRunConfigInputTrain | XlmRunConfigInputTrain[]>;
    /** Further texts by language, for vocabulary, vectors and pre-training alone. */
    more?: Record<string, string | XlmRunConfigInputTrain | XlmRunConfigInputTrain[]>;
    /** Held-out texts by language. */
    validation?: Record<string, string | XlmRunConfigInputTrain | XlmRunConfigInputTrain[]>;
    /** Held-out parallel text with the languages of its sides, for BLEU while training. */
    validationPairs?: XlmRunConfigInputValidationPairs | XlmRunConfigInputValidationPairs[];
    /**
     * Lower-case the texts in all stages; the model then writes lower case.
     * @default false
     */
    lowercase?: boolean;
  };
  /** The joint vocabulary: see `polybeam xlm vocabulary`. */
  vocabulary?: {
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
  /** Which words and n-grams get vectors: see `polybeam xlm ngrams`. */
  ngrams?: {
    /**
     * Words, bigrams, trigrams and so on to keep at most: a number for each length, the last one for the
     * longest n-grams.
     */
    limits?: number[];
    /**
     * Words and n-grams that occur fewer times are left out.
     * @default 5
     */
    minCount?: number;
    /**
     * Which n-grams are kept where there are more than limits: those of the highest pointwise mutual
     * information, or the most frequent. Words are always kept by frequency.
     * @default "pmi"
     */
    rank?: 'pmi' | 'count';
    /**
     * Subtracted from the counts of n-grams for their mutual information, so that words that met a few
     * times by chance get low ones. Default minCount - 1.
     */
    discount?: number;
    /**
     * N-grams of lower pointwise mutual information are left out: 0 is as often as by chance.
     * @default 0
     */
    minScore?: number;
    /**
     * Characters in n-grams that are neither letters nor digits: none; apostrophes and hyphens between
     * words (t - shirt); or any. All are words.
     * @default "inner"
     */
    punctuation?: 'none' | 'inner' | 'all';
    /**
     * Different words or n-grams counted in one pass over the texts at most, about 30 bytes each (100 for
     * words); where there are more, there are more passes, and the counts stay exact.
     * @default 8000000
     */
    tableSize?: number;
  };
  /** Their vectors: see `polybeam xlm vectors`. */
  vectors?: {
    /**
     * Features of a vector.
     * @default 300
     */
    size?: number;
    /**
     * Words or n-grams to the left and to the right that a word or n-gram predicts, at most; drawn anew
     * each time.
     * @default 5
     */
    window?: number;
    /**
     * Wrong words drawn for each right one.
     * @default 10
     */
    negatives?: number;
    /**
     * Times that the texts are gone through, cut into n-grams anew each time.
     * @default 5
     */
    epochs?: number;
    /**
     * Probability that words which are an n-gram are taken as one, each time they are met.
     * @default 0.3
     */
    join?: number;
    /**
     * Characters of the shortest parts of words that have vectors too (fastText: minn).
     * @default 3
     */
    minSubword?: number;
    /**
     * Characters of the longest parts (fastText: maxn); 0 for no parts.
     * @default 6
     */
    maxSubword?: number;
    /**
     * Vectors that the parts of words share, told by a hash (fastText: bucket).
     * @default 200000
     */
    buckets?: number;
    /**
     * Learning rate at the beginning; it falls linearly to 0.
     * @default 0.05
     */
    learningRate?: number;
    /**
     * Words that are a larger share of the text are left out at random, the more the more frequent; 1 for
     * none (fastText: t).
     * @default 0.0001
     */
    sample?: number;
  };
  /** Mapping the vectors of each two languages into one space: see `polybeam xlm map`. */
  mapping?: {
    /**
     * What the first pairs of words are: those of like distributions of similarities, words written alike,
     * numbers written alike, or those of a dictionary.
     * @default "unsupervised"
     */
    seedDictionary?: 'unsupervised' | 'identical' | 'numerals' | 'dictionary';
    /**
     * File of seedDictionary dictionary: a line for each translation, word, tab, translation; .gz is
     * unpacked.
     */
    dictionary?: string;
    /**
     * Induce dictionaries from the mapping and mappings from the dictionary until nothing improves.
     * @default true
     */
    selfLearning?: boolean;
    /** What is done to the vectors first, in order: unit length, mean 0. */
    normalize?: ('unit' | 'center')[];
    /**
     * Words of each language, the most frequent, that dictionaries are induced over.
     * @default 20000
     */
    vocabularySize?: number;
    /**
     * Words of each language whose similarities seedDictionary unsupervised compares.
     * @default 4000
     */
    seedVocabularySize?: number;
    /**
     * Let dictionaries be induced over n-grams of several words too; they are mapped in any case.
     * @default false
     */
    learnFromNgrams?: boolean;
    /**
     * Nearest neighbours whose mean similarity scales similarities locally (CSLS).
     * @default 10
     */
    neighborhood?: number;
    /**
     * Share of similarities that a dictionary is induced from at first, drawn anew in each iteration.
     * @default 0.1
     */
    keepProbability?: number;
    /**
     * What the share is multiplied by where the objective no longer improves.
     * @default 2
     */
    keepGrowth?: number;
    /**
     * Iterations without improvement before the share grows; at 1, before the end.
     * @default 50
     */
    patience?: number;
    /**
     * An objective that is higher by less is no improvement.
     * @default 0.000001
     */
    threshold?: number;
    /**
     * A mapping that improves longer than so many iterations did not converge.
     * @default 1000
     */
    maxIterations?: number;
    /**
     * A mapping whose words have a lower mean cosine with their nearest is taken for failed.
     * @default 0
     */
    minObjective?: number;
    /**
     * A mapping is taken for failed where self-learning, begun anew with a tenth of its pairs, finds a
     * smaller share of them again; 0 takes any.
     * @default 0.5
     */
    minFoundAgain?: number;
    /**
     * The last mapping: whitened, re-weighted and de-whitened on both sides, or a rotation of the source
     * alone.
     * @default "symmetric"
     */
    finalMapping?: 'symmetric' | 'orthogonal';
    /**
     * Power of the singular values that finalMapping symmetric multiplies the features of both sides by.
     * @default 0.5
     */
    reweight?: number;
    /**
     * Give back a mapping that did not converge or whose objective is low, instead of an error.
     * @default false
     */
    keepFailed?: boolean;
  };
  /**
   * Translation tables of n-grams, in both directions of each two languages: see `polybeam xlm table
   * build`. With one of ngrams, vectors, mapping and table given, even empty ({}), tables are made, and
   * the objective cmlm of pretrain and what reads tables in train.backTranslation (tableRounds,
   * constraints, languageModels) are given them.
   */
  table?: {
    /**
     * Translations of each n-gram, at most.
     * @default 10
     */
    topK?: number;
    /**
     * Nearest neighbors whose mean similarity a similarity is divided by (Artetxe and Schwenk 2019).
     * @default 5
     */
    neighbors?: number;
    /**
     * What makes probabilities of an n-gram's scores: softmax(score / temperature), or score / sum of
     * scores.
     * @default "softmax"
     */
    probabilities?: 'softmax' | 'share';
    /**
     * Divisor above 0 of the scores before the softmax: the smaller, the more confident the table. 0.033
     * is the T = 30 of Lample et al. 2018. Default: the one under which n-grams most probably have the
     * translations that they are nearest to (Artetxe et al. 2018, unsupervised SMT).
     */
    temperature?: number;
    /**
     * Which n-grams may translate one: any, since "red car" may be one word elsewhere, or those of as many
     * words.
     * @default "any"
     */
    targets?: 'any' | 'sameLength';
    /** Words of an n-gram, at most, on both sides; 1 makes a table of words. Default: all n-grams. */
    longest?: number;
    /** Source n-grams read, the most frequent. Default: all. */
    sourceLimit?: number;
    /** Target n-grams read, the most frequent. Default: all. */
    targetLimit?: number;
  };
  /** Pre-training of XLM: see `polybeam xlm pretrain`. Default: none, translation starts at random. */
  pretrain?: {
    /** What is learned: one entry, or a mixture. An update has one objective. */
    objectives:
      | XlmRunConfigInputMlm
      | XlmRunConfigInputClm
      | XlmRunConfigInputTlm
      | XlmRunConfigInputCmlm
      | (XlmRunConfigInputMlm | XlmRunConfigInputClm | XlmRunConfigInputTlm | XlmRunConfigInputCmlm)[];
    /** How rows are made of the texts. */
    data?: {
      /**
       * Tokens of a row of running text: sentences behind each other, cut anywhere (256 in the paper).
       * @default 256
       */
      length?: number;
      /**
       * A language with n tokens has a share of the updates in proportion to n^alpha: 1 as they are, 0 all
       * languages alike.
       * @default 0.7
       */
      alpha?: number;
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
       * Positions are sines that are not learned. Default: they are learned.
       * @default false
       */
      sinusoidalEmbeddings?: boolean;
      /**
       * Adds an embedding of a token's language at every position, where there are several languages.
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
       * @default 0
       */
      labelSmoothing?: number;
    };
    /** How rows are grouped. A batch has rows of one language, or pair of languages. */
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
    /** Perplexity and accuracy on held-out text, by objective and language, while training. */
    validation?: {
      /**
       * Updates between validations.
       * @default 1000
       */
      everyUpdates?: number;
      /**
       * Rows (or pairs) of each language validated on at most, from the first.
       * @default 200
       */
      maxRows?: number;
    };
    /** Learning rate over the run. */
    schedule?: XlmRunConfigInputSchedule;
    /** When to end; what is reached first. At least one, or earlyStopping, must be given. */
    budget?: XlmRunConfigInputBudget;
    /** Ends training when validation stops improving. */
    earlyStopping?: XlmRunConfigInputEarlyStopping;
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
       * The final model is the mean of the weights of this many last kept checkpoints (Vaswani et al. 2017,
       * section 6.1); 0 takes the best checkpoint instead, or the last without validation.
       * @default 5
       */
      averageLast?: number;
    };
    /** The log of the run. */
    log?: XlmRunConfigInputLog;
  };
  /** Unsupervised translation: see `polybeam xlm train`. Default: the stages before it alone. */
  train?: {
    /** Which texts are learned from. */
    data?: {
      /**
       * Texts of more tokens are left out, and counted; 100 as in the paper.
       * @default 100
       */
      maxLength?: number;
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
      replacement?: XlmRunConfigInputReplacement;
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
    schedule?: XlmRunConfigInputSchedule;
    /** When to end; what is reached first. At least one, or earlyStopping, must be given. */
    budget?: XlmRunConfigInputBudget;
    /** Ends training when validation stops improving. */
    earlyStopping?: XlmRunConfigInputEarlyStopping;
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
    log?: XlmRunConfigInputLog;
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

type XlmRunConfigInputTrain = {
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

type XlmRunConfigInputValidationPairs = {
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

type XlmRunConfigInputMlm = {
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
   * Choose words whole: all their tokens, or none.
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
  /** Tokens to predict in a row at most. Default no limit. */
  maxPredictions?: number;
  /**
   * Tokens of frequency f are chosen in proportion to f^-sampleAlpha, so that frequent ones are
   * predicted less often; 0: all alike. The paper's program names it sample_alpha. Goes without
   * wholeWord and ngramShare.
   * @default 0
   */
  sampleAlpha?: number;
  /** What is read in the places of tokens to predict. */
  replacement?: XlmRunConfigInputReplacement;
};

type XlmRunConfigInputReplacement = {
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

type XlmRunConfigInputClm = {
  /** Which objective; the sections below list them with their options. */
  type: 'clm';
  /**
   * Share of the updates, beside the weights of the other objectives.
   * @default 1
   */
  weight?: number;
};

type XlmRunConfigInputTlm = {
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
   * Choose words whole: all their tokens, or none.
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
  /** Tokens to predict in a row at most. Default no limit. */
  maxPredictions?: number;
  /**
   * Tokens of frequency f are chosen in proportion to f^-sampleAlpha, so that frequent ones are
   * predicted less often; 0: all alike. The paper's program names it sample_alpha. Goes without
   * wholeWord and ngramShare.
   * @default 0
   */
  sampleAlpha?: number;
  /** What is read in the places of tokens to predict. */
  replacement?: XlmRunConfigInputReplacement;
};

type XlmRunConfigInputCmlm = {
  /** Which objective; the sections below list them with their options. */
  type: 'cmlm';
  /**
   * Share of the updates, beside the weights of the other objectives.
   * @default 1
   */
  weight?: number;
  /** Translation tables, such as one from en to fr and one from fr to en. */
  tables?: {
    /** Language of the n-grams that are masked. */
    from: string;
    /** Language of their translations. */
    to: string;
    /** Table as `polybeam xlm table build` writes it. */
    path: string;
  }[];
  /** Words of an n-gram that is masked at most; 1 for words alone. Default: as long as the table has. */
  maxNgram?: number;
  /**
   * Share of the tokens to predict, or to predict translations at.
   * @default 0.15
   */
  rate?: number;
  /**
   * Part of these tokens that are predicted themselves, as in mlm, in the same rows. 0: beside this
   * objective an mlm of its own is to be in the mixture, and updates alternate.
   * @default 0
   */
  mlmShare?: number;
  /**
   * Weight of the loss of a token that is predicted itself, beside 1 for each token of a translation.
   * @default 1
   */
  mlmWeight?: number;
  /** What is read in the places of masked tokens, each by itself. */
  replacement?: XlmRunConfigInputReplacement;
  /**
   * Mapped vectors by language (.vec), in one space for all: tokens of a translation are aligned to
   * masked tokens by the similarity of their words (IBM Model 2). Default: all masked tokens of an
   * n-gram are as likely (IBM Model 1).
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

type XlmRunConfigInputSchedule = {
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

type XlmRunConfigInputBudget = {
  /** Updates after which training ends. */
  maxUpdates?: number;
  /** Passes over the training text after which training ends. */
  maxEpochs?: number;
  /** Minutes of training (validation included, interruptions not) after which training ends. */
  maxMinutes?: number;
};

type XlmRunConfigInputEarlyStopping = {
  /** Validations in a row without a new best after which training ends. Default: never. */
  patience?: number;
};

type XlmRunConfigInputLog = {
  /**
   * Updates between rows of log.jsonl, each a mean over them.
   * @default 50
   */
  everyUpdates?: number;
};
