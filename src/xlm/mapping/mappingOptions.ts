import { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import { PolybeamError } from '../../errors.js';
import type { MappingOptions } from './mappingOptions.types.js';

export type { MappingOptions };

/** Options of mapping two languages' vectors into one space; constants of Artetxe et al. 2018 (ACL) where not said otherwise. */
export const mappingOptionsSchema = z.strictObject({
  seedDictionary: z
    .enum(['unsupervised', 'identical', 'numerals', 'dictionary'])
    .default('unsupervised')
    .describe(
      'What the first pairs of words are: those of like distributions of similarities, words written alike, numbers written alike, or those of a dictionary.',
    ),
  dictionary: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File of seedDictionary dictionary: a line for each translation, word, tab, translation; .gz is unpacked.',
    ),
  selfLearning: z
    .boolean()
    .default(true)
    .describe(
      'Induce dictionaries from the mapping and mappings from the dictionary until nothing improves.',
    ),
  normalize: z
    .array(z.enum(['unit', 'center']))
    .default(['unit', 'center', 'unit'])
    .describe('What is done to the vectors first, in order: unit length, mean 0.'),
  vocabularySize: z
    .int()
    .min(1)
    .default(20000)
    .describe('Words of each language, the most frequent, that dictionaries are induced over.'),
  seedVocabularySize: z
    .int()
    .min(1)
    .default(4000)
    .describe('Words of each language whose similarities seedDictionary unsupervised compares.'),
  learnFromNgrams: z
    .boolean()
    .default(false)
    .describe('Let dictionaries be induced over n-grams of several words too; they are mapped in any case.'),
  neighborhood: z
    .int()
    .min(1)
    .default(10)
    .describe('Nearest neighbours whose mean similarity scales similarities locally (CSLS).'),
  keepProbability: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe(
      'Share of similarities that a dictionary is induced from at first, drawn anew in each iteration.',
    ),
  keepGrowth: z
    .number()
    .gt(1)
    .default(2)
    .describe('What the share is multiplied by where the objective no longer improves.'),
  patience: z
    .int()
    .min(1)
    .default(50)
    .describe('Iterations without improvement before the share grows; at 1, before the end.'),
  threshold: z
    .number()
    .min(0)
    .default(1e-6)
    .describe('An objective that is higher by less is no improvement.'),
  maxIterations: z
    .int()
    .min(1)
    .default(1000)
    .describe('A mapping that improves longer than so many iterations did not converge.'),
  minObjective: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('A mapping whose words have a lower mean cosine with their nearest is taken for failed.'),
  minFoundAgain: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      'A mapping is taken for failed where self-learning, begun anew with a tenth of its pairs, finds a smaller share of them again; 0 takes any.',
    ),
  finalMapping: z
    .enum(['symmetric', 'orthogonal'])
    .default('symmetric')
    .describe(
      'The last mapping: whitened, re-weighted and de-whitened on both sides, or a rotation of the source alone.',
    ),
  reweight: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      'Power of the singular values that finalMapping symmetric multiplies the features of both sides by.',
    ),
  keepFailed: z
    .boolean()
    .default(false)
    .describe('Give back a mapping that did not converge or whose objective is low, instead of an error.'),
  seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of the random numbers.'),
  device: z.string().default('cpu').describe('Where products are computed: cpu, webgpu, cuda or tfjs:NAME.'),
  threads: z.int().min(1).optional().describe('Threads on the CPU. Default: all cores.'),
});

/** Options with their defaults. */
export type ResolvedMappingOptions = z.output<typeof mappingOptionsSchema>;

/** Checks options and fills in the defaults. @throws OPTION_UNKNOWN, OPTION_INVALID, OPTION_CONFLICT */
export function resolveMappingOptions(options: MappingOptions): ResolvedMappingOptions {
  const resolved = readOptions(mappingOptionsSchema, options, 'the mapping');
  const { seedDictionary, dictionary, finalMapping } = resolved;
  if ((seedDictionary === 'dictionary') !== (dictionary !== undefined)) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      dictionary === undefined
        ? 'seedDictionary dictionary reads a file: name it in dictionary.'
        : `dictionary is read by seedDictionary dictionary alone, not by ${seedDictionary}: leave one out.`,
    );
  }
  if (finalMapping === 'orthogonal' && options.reweight !== undefined) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `reweight ${options.reweight} belongs to finalMapping symmetric, a rotation has no weights: leave one out.`,
    );
  }
  return resolved;
}

/** Whether the last mapping cannot be computed of so few words of a language: their vectors cannot span all features. */
export function tooFewWords(
  words: number,
  size: number,
  { finalMapping }: Pick<ResolvedMappingOptions, 'finalMapping'>,
): boolean {
  return finalMapping === 'symmetric' && words < size;
}
