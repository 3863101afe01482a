import { z } from 'zod';
import { path } from '../training/configPieces.js';
import { optionsProblem } from '../training/parseConfig.js';
import type { Report } from '../training/readConfig.js';
import {
  type JointVocabularyOptions,
  jointVocabularySchema,
  resolveJointVocabularyOptions,
} from './jointVocabulary.js';
import { codeProblem } from './languageData.js';

/** The section of a configuration that says which tokens there are. */
export const vocabularyChoiceSchema = z.strictObject({
  tokenizer: path
    .optional()
    .describe('Directory of a tokenizer, as `polybeam xlm vocabulary` writes it. Excludes train.'),
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
 * @param report takes what is wrong with it
 */
export function chooseVocabulary(
  { vocabulary, init }: { vocabulary: z.output<typeof vocabularyChoiceSchema>; init?: string },
  written: JointVocabularyOptions | undefined,
  languages: readonly string[],
  report: Report,
): VocabularyChoice {
  const { tokenizer, train } = vocabulary;
  if (tokenizer !== undefined && train !== undefined) {
    report(`vocabulary has both tokenizer (${tokenizer}) and train: leave one out`);
  }
  if (init !== undefined) {
    // Embeddings belong to the vocabulary they were trained with.
    if (tokenizer !== undefined || train !== undefined) {
      report(`init (${init}) gives the tokenizer, so vocabulary has no meaning: leave one out`);
    }
    return { tokenizer: init };
  }
  if (tokenizer !== undefined) return { tokenizer };
  const options = written ?? {};
  // Languages that are wrong are reported with the data.
  const sound = languages.filter((language) => codeProblem(language) === undefined);
  if (sound.length > 0) {
    report(optionsProblem('vocabulary.train', () => resolveJointVocabularyOptions(sound, options)));
  }
  return { train: options };
}
