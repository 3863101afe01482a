import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { path } from '../training/configPieces.js';
import {
  type JointVocabularyOptions,
  jointVocabularySchema,
  resolveJointVocabularyOptions,
} from './jointVocabulary.js';

/** The section of a configuration that says which tokens there are. */
export const vocabularyChoiceSchema = z.strictObject({
  tokenizer: path
    .optional()
    .describe('Directory of a tokenizer, as `polybeam xlm vocabulary` writes it. Goes without train.'),
  train: jointVocabularySchema
    .optional()
    .describe(
      'Learns a vocabulary for all languages of the data, with the options of `polybeam xlm vocabulary`.',
    ),
});

/** A tokenizer that exists, or one to be learned. */
export type VocabularyChoice = { tokenizer: string } | { train: JointVocabularyOptions };

/**
 * Which tokenizer a configuration means: that of `init`, one that it names, or one to be learned.
 * @param written its options as they were written: some defaults depend on others, and only what was written can be out of place
 * @throws CONFIG_INVALID
 */
export function chooseVocabulary(
  { vocabulary, init }: { vocabulary: z.output<typeof vocabularyChoiceSchema>; init?: string },
  written: JointVocabularyOptions | undefined,
  languages: readonly string[],
  name: string,
): VocabularyChoice {
  const { tokenizer, train } = vocabulary;
  const invalid = (what: string, cause?: unknown) =>
    new PolybeamError('CONFIG_INVALID', `${name}: ${what}`, { cause });
  if (tokenizer !== undefined && train !== undefined) {
    throw invalid(`vocabulary has both tokenizer (${tokenizer}) and train: leave one out.`);
  }
  if (init !== undefined) {
    // Embeddings belong to the vocabulary they were trained with.
    if (tokenizer === undefined && train === undefined) return { tokenizer: init };
    throw invalid(`init (${init}) gives the tokenizer, so vocabulary has no meaning: leave one out.`);
  }
  if (tokenizer !== undefined) return { tokenizer };
  const options = written ?? {};
  try {
    resolveJointVocabularyOptions(languages, options);
  } catch (error) {
    throw invalid(`vocabulary.train: ${(error as Error).message}`, error);
  }
  return { train: options };
}
