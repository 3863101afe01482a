// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of a mapping as given. */
export type MappingOptions = {
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
  /**
   * Seed of the random numbers.
   * @default 1
   */
  seed?: number;
  /**
   * Device for matrix products: cpu, webgpu, cuda or tfjs:NAME.
   * @default "cpu"
   */
  device?: string;
  /** Threads on the CPU. Default: all cores. */
  threads?: number;
};
