import { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import { PolybeamError } from '../../errors.js';
import type { TableOptions } from './tableOptions.types.js';

export type { TableOptions };

/** Options of building a translation table from mapped vectors. */
export const tableOptionsSchema = z.strictObject({
  topK: z.int().min(1).default(10).describe('Maximum number of translations of each n-gram.'),
  neighbors: z
    .int()
    .min(1)
    .default(5)
    .describe(
      'Number of nearest neighbors in the ratio margin, which divides a similarity by their mean similarity (Artetxe and Schwenk 2019).',
    ),
  probabilities: z
    .enum(['softmax', 'share'])
    .default('softmax')
    .describe(
      "How an n-gram's scores become probabilities: softmax(score / temperature), or score / sum of scores.",
    ),
  temperature: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Divisor above 0 of the scores before the softmax: the smaller, the more confident the table. 0.033 is the T = 30 of Lample et al. 2018. Default: the value that maximizes the log-probability of each target n-gram given its nearest source n-gram (Artetxe et al. 2018, unsupervised SMT).',
    ),
  targets: z
    .enum(['any', 'sameLength'])
    .default('any')
    .describe(
      'Which n-grams may translate an n-gram: any, since "red car" may be one word elsewhere, or only those with equally many words.',
    ),
  longest: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Maximum number of words of an n-gram, on both sides; 1 makes a table of words. Default: all n-grams.',
    ),
  sourceLimit: z
    .int()
    .min(1)
    .optional()
    .describe('Number of most frequent source n-grams to read. Default: all.'),
  targetLimit: z
    .int()
    .min(1)
    .optional()
    .describe('Number of most frequent target n-grams to read. Default: all.'),
  device: z.string().default('cpu').describe('Device to compute on; polybeam doctor lists the devices.'),
  threads: z.int().min(1).optional().describe('Threads on the CPU. Default: one for each core.'),
});

/** Options with their defaults. */
export type ResolvedTableOptions = z.output<typeof tableOptionsSchema>;

/** Checks options and fills in the defaults. @throws OPTION_UNKNOWN, OPTION_INVALID, OPTION_CONFLICT */
export function resolveTableOptions(options: TableOptions): ResolvedTableOptions {
  const resolved = readOptions(tableOptionsSchema, options, 'the translation table');
  if (resolved.probabilities === 'share' && resolved.temperature !== undefined) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `temperature ${resolved.temperature} belongs to probabilities softmax, shares have none: leave one out.`,
    );
  }
  return resolved;
}
