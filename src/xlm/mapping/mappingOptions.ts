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
      'How the first word pairs are chosen: words with similar distributions of similarities, identical strings, identical numerals, or the pairs of a dictionary.',
    ),
  dictionary: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Dictionary file, with seedDictionary dictionary: lines of word, tab, translation; .gz is unpacked.',
    ),
  selfLearning: z
    .boolean()
    .default(true)
    .describe(
      'Alternate between inducing a dictionary from the mapping and a mapping from the dictionary until nothing improves.',
    ),
  normalize: z
    .array(z.enum(['unit', 'center']))
    .default(['unit', 'center', 'unit'])
    .describe('Normalization steps of the vectors, in order: unit length, mean 0.'),
  vocabularySize: z
    .int()
    .min(1)
    .default(20000)
    .describe('Number of most frequent words of each language that dictionaries are induced over.'),
  seedVocabularySize: z
    .int()
    .min(1)
    .default(4000)
    .describe('Number of words of each language whose similarities seedDictionary unsupervised compares.'),
  learnFromNgrams: z
    .boolean()
    .default(false)
    .describe('Induce dictionaries over n-grams of several words too. They are mapped in any case.'),
  neighborhood: z
    .int()
    .min(1)
    .default(10)
    .describe('Number of nearest neighbours in CSLS, which scales similarities by their mean.'),
  keepProbability: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe(
      'Initial share of the similarities that a dictionary is induced from, sampled anew in each iteration.',
    ),
  keepGrowth: z
    .number()
    .gt(1)
    .default(2)
    .describe('Factor by which the share of similarities grows when the objective no longer improves.'),
  patience: z
    .int()
    .min(1)
    .default(50)
    .describe('Iterations without improvement before the share grows, or before the end if the share is 1.'),
  threshold: z
    .number()
    .min(0)
    .default(1e-6)
    .describe('Minimum increase of the objective that counts as an improvement.'),
  maxIterations: z
    .int()
    .min(1)
    .default(1000)
    .describe('Maximum number of iterations; a mapping that still improves after them did not converge.'),
  minObjective: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Minimum mean cosine of words with their nearest neighbours; a mapping below it counts as failed.',
    ),
  minFoundAgain: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      'Minimum share of the induced pairs that self-learning must find again when it restarts from a tenth of them; a mapping below it counts as failed. 0 accepts any mapping.',
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
      'Exponent of the singular values by which finalMapping symmetric re-weights the features of both sides.',
    ),
  keepFailed: z.boolean().default(false).describe('Return a failed mapping instead of an error.'),
  seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of the random numbers.'),
  device: z.string().default('cpu').describe('Device for matrix products: cpu, webgpu, cuda or tfjs:NAME.'),
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
