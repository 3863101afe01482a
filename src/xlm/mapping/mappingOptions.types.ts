// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of a mapping as given. */
export type MappingOptions = {
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
  /**
   * Seed of the random numbers.
   * @default 1
   */
  seed?: number;
  /**
   * Where products are computed: cpu, webgpu, cuda or tfjs:NAME.
   * @default "cpu"
   */
  device?: string;
  /** Threads on the CPU. Default: all cores. */
  threads?: number;
};
