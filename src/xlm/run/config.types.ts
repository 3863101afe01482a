// Made by `npm run docs` from the schema beside it: do not edit.

/** The configuration of `polybeam xlm run` as a user may write it, defaults left out. */
export type XlmRunConfigInput = {
  /**
   * Output directory of all stages: vocabulary, vectors, mapped, tables, pretrained and translation.
   * Stages that are finished there are skipped.
   */
  output: string;
  /** Texts. Any number of languages; language codes are free, such as en. */
  data: {
    /** Texts by language, one a line, not translations of each other. All stages learn from them. */
    train: Record<string, string | XlmRunConfigInputTrain | XlmRunConfigInputTrain[]>;
    /** Further texts by language, only for vocabulary, vectors and pre-training. */
    more?: Record<string, string | XlmRunConfigInputTrain | XlmRunConfigInputTrain[]>;
    /** Held-out texts by language. */
    validation?: Record<string, string | XlmRunConfigInputTrain | XlmRunConfigInputTrain[]>;
    /** Held-out parallel text with the languages of its sides, for BLEU during training. */
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
  /** Which words and n-grams get vectors: see `polybeam xlm ngrams`. */
  ngrams?: {
    /**
     * Maximum numbers of words, bigrams, trigrams and so on: a number for each length, the last one for
     * the longest n-grams.
     */
    limits?: number[];
    /**
     * Minimum count of words and n-grams.
     * @default 5
     */
    minCount?: number;
    /**
     * Which n-grams are kept if there are more than limits: those with the highest pointwise mutual
     * information, or the most frequent. Words are always chosen by frequency.
     * @default "pmi"
     */
    rank?: 'pmi' | 'count';
    /**
     * Subtracted from the counts of n-grams before their mutual information is computed, which lowers it
     * for words that are adjacent by chance. Default minCount - 1.
     */
    discount?: number;
    /**
     * Minimum pointwise mutual information of n-grams; 0 is the value of independent words.
     * @default 0
     */
    minScore?: number;
    /**
     * Characters other than letters and digits in n-grams: none; apostrophes and hyphens between words (t
     * - shirt); or any. Each such character is a word.
     * @default "inner"
     */
    punctuation?: 'none' | 'inner' | 'all';
    /**
     * Maximum number of different words or n-grams counted in one pass over the texts, about 30 bytes each
     * (100 for words). If there are more, there are more passes; counts stay exact.
     * @default 8000000
     */
    tableSize?: number;
  };
  /** Their vectors: see `polybeam xlm vectors`. */
  vectors?: {
    /**
     * Dimension of the vectors.
     * @default 300
     */
    size?: number;
    /**
     * Maximum number of words or n-grams on each side that a word or n-gram predicts; the number is drawn
     * for each.
     * @default 5
     */
    window?: number;
    /**
     * Negative samples for each word.
     * @default 10
     */
    negatives?: number;
    /**
     * Number of passes over the texts; each splits them into n-grams anew.
     * @default 5
     */
    epochs?: number;
    /**
     * Probability that the words of an n-gram become one token at an occurrence.
     * @default 0.3
     */
    join?: number;
    /**
     * Minimum length of subwords in characters (fastText: minn).
     * @default 3
     */
    minSubword?: number;
    /**
     * Maximum length of subwords in characters (fastText: maxn); 0 for no subwords.
     * @default 6
     */
    maxSubword?: number;
    /**
     * Number of hash buckets of subword vectors (fastText: bucket).
     * @default 200000
     */
    buckets?: number;
    /**
     * Learning rate at the beginning; it falls linearly to 0.
     * @default 0.05
     */
    learningRate?: number;
    /**
     * Subsampling threshold: words with a larger share of the text are left out at random, more frequent
     * ones more often; 1 for none (fastText: t).
     * @default 0.0001
     */
    sample?: number;
  };
  /** Mapping the vectors of each pair of languages into one space: see `polybeam xlm map`. */
  mapping?: {
    /**
     * How the first word pairs are chosen: words with similar distributions of similarities, identical
     * strings, identical numerals, or the pairs of a dictionary.
     * @default "unsupervised"
     */
    seedDictionary?: 'unsupervised' | 'identical' | 'numerals' | 'dictionary';
    /** Dictionary file, with seedDictionary dictionary: lines of word, tab, translation; .gz is unpacked. */
    dictionary?: string;
    /**
     * Alternate between inducing a dictionary from the mapping and a mapping from the dictionary until
     * nothing improves.
     * @default true
     */
    selfLearning?: boolean;
    /** Normalization steps of the vectors, in order: unit length, mean 0. */
    normalize?: ('unit' | 'center')[];
    /**
     * Number of most frequent words of each language that dictionaries are induced over.
     * @default 20000
     */
    vocabularySize?: number;
    /**
     * Number of words of each language whose similarities seedDictionary unsupervised compares.
     * @default 4000
     */
    seedVocabularySize?: number;
    /**
     * Induce dictionaries over n-grams of several words too. They are mapped in any case.
     * @default false
     */
    learnFromNgrams?: boolean;
    /**
     * Number of nearest neighbours in CSLS, which scales similarities by their mean.
     * @default 10
     */
    neighborhood?: number;
    /**
     * Initial share of the similarities that a dictionary is induced from, sampled anew in each iteration.
     * @default 0.1
     */
    keepProbability?: number;
    /**
     * Factor by which the share of similarities grows when the objective no longer improves.
     * @default 2
     */
    keepGrowth?: number;
    /**
     * Iterations without improvement before the share grows, or before the end if the share is 1.
     * @default 50
     */
    patience?: number;
    /**
     * Minimum increase of the objective that counts as an improvement.
     * @default 0.000001
     */
    threshold?: number;
    /**
     * Maximum number of iterations; a mapping that still improves after them did not converge.
     * @default 1000
     */
    maxIterations?: number;
    /**
     * Minimum mean cosine of words with their nearest neighbours; a mapping below it counts as failed.
     * @default 0
     */
    minObjective?: number;
    /**
     * Minimum share of the induced pairs that self-learning must find again when it restarts from a tenth
     * of them; a mapping below it counts as failed. 0 accepts any mapping.
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
     * Exponent of the singular values by which finalMapping symmetric re-weights the features of both
     * sides.
     * @default 0.5
     */
    reweight?: number;
    /**
     * Return a failed mapping instead of an error.
     * @default false
     */
    keepFailed?: boolean;
  };
  /**
   * Translation tables of n-grams, in both directions of each pair of languages: see `polybeam xlm table
   * build`. If one of ngrams, vectors, mapping and table is given, even empty ({}), tables are made; the
   * objective cmlm of pretrain and train.backTranslation (tableRounds, constraints, languageModels) then
   * use them.
   */
  table?: {
    /**
     * Maximum number of translations of each n-gram.
     * @default 10
     */
    topK?: number;
    /**
     * Number of nearest neighbors in the ratio margin, which divides a similarity by their mean similarity
     * (Artetxe and Schwenk 2019).
     * @default 5
     */
    neighbors?: number;
    /**
     * How an n-gram's scores become probabilities: softmax(score / temperature), or score / sum of scores.
     * @default "softmax"
     */
    probabilities?: 'softmax' | 'share';
    /**
     * Divisor above 0 of the scores before the softmax: the smaller, the more confident the table. 0.033
     * is the T = 30 of Lample et al. 2018. Default: the value that maximizes the log-probability of each
     * target n-gram given its nearest source n-gram (Artetxe et al. 2018, unsupervised SMT).
     */
    temperature?: number;
    /**
     * Which n-grams may translate an n-gram: any, since "red car" may be one word elsewhere, or only those
     * with equally many words.
     * @default "any"
     */
    targets?: 'any' | 'sameLength';
    /** Maximum number of words of an n-gram, on both sides; 1 makes a table of words. Default: all n-grams. */
    longest?: number;
    /** Number of most frequent source n-grams to read. Default: all. */
    sourceLimit?: number;
    /** Number of most frequent target n-grams to read. Default: all. */
    targetLimit?: number;
  };
  /**
   * Pre-training of XLM: see `polybeam xlm pretrain`. Default: none; translation starts from random
   * weights.
   */
  pretrain?: {
    /** Training objective: one entry, or a mixture. An update has one objective. */
    objectives:
      | XlmRunConfigInputMlm
      | XlmRunConfigInputClm
      | XlmRunConfigInputTlm
      | XlmRunConfigInputCmlm
      | (XlmRunConfigInputMlm | XlmRunConfigInputClm | XlmRunConfigInputTlm | XlmRunConfigInputCmlm)[];
    /** How rows are made of the texts. */
    data?: {
      /**
       * Tokens of a row of running text: concatenated sentences, cut anywhere (256 in the paper).
       * @default 256
       */
      length?: number;
      /**
       * A language with n tokens gets a share of the updates in proportion to n^alpha: 1 in proportion to
       * its size, 0 the same for all languages.
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
    schedule?: XlmRunConfigInputSchedule;
    /** When training ends: at the first of these. At least one, or earlyStopping, is required. */
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
    log?: XlmRunConfigInputLog;
  };
  /** Unsupervised translation: see `polybeam xlm train`. Default: only the stages before it. */
  train?: {
    /** Which texts are learned from. */
    data?: {
      /**
       * Maximum number of tokens of a text; longer ones are left out, and counted. 100 as in the paper.
       * @default 100
       */
      maxLength?: number;
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
      replacement?: XlmRunConfigInputReplacement;
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
    schedule?: XlmRunConfigInputSchedule;
    /** When training ends: at the first of these. At least one, or earlyStopping, is required. */
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
    log?: XlmRunConfigInputLog;
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

type XlmRunConfigInputTrain = {
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

type XlmRunConfigInputValidationPairs = {
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
  replacement?: XlmRunConfigInputReplacement;
};

type XlmRunConfigInputReplacement = {
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
  replacement?: XlmRunConfigInputReplacement;
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

type XlmRunConfigInputSchedule = {
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
