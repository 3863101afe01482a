import { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import type { ForcedWords } from '../../generation/constraints.js';
import { requireText } from '../../inputs.js';
import { requireTokenizer, type Tokenizer } from '../../text/tokenizer.js';
import { splitIntoWords } from '../words.js';
import type { ConstraintOptions } from './tableConstraints.types.js';
import { createTokenForms } from './tokenForms.js';
import { requireTable, type Translation, type TranslationTable } from './translationTable.js';

export type { ConstraintOptions };

/** Options of taking constraints from a table. */
export const constraintOptionsSchema = z.strictObject({
  minProbability: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe("Minimum probability of an n-gram's best translation for the n-gram to become a constraint."),
  minAlternative: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe('Minimum probability of its other translations that also satisfy the constraint.'),
  maxConstraints: z
    .int()
    .min(1)
    .default(4)
    .describe('Maximum number of constraints of a text: the n-grams with the most probable translations.'),
  bias: z
    .number()
    .default(2)
    .describe('Added to the logit of each token of these translations, in sequenceBias.'),
});

/** What a table is sure of in a text. */
export interface SurePhrase {
  /** As the table spells it. */
  source: string;
  /** In the text, in UTF-16 units. */
  start: number;
  end: number;
  /** Any of which will do; the most probable first. */
  translations: readonly Translation[];
}

/** What a table demands of a translation. */
export interface TableConstraints {
  phrases: readonly SurePhrase[];
  /** For the input's `forceWordsIds`: of each phrase one translation must be in the output. */
  forceWordsIds: ForcedWords;
  /** For the option `sequenceBias`, instead: each token of a translation is favored where the ones before it stand. */
  sequenceBias: [ids: number[], bias: number][];
}

/**
 * Lexical constraints on the translations of a text: n-grams with letters or digits of which the table is sure, none within another,
 * the longest first where they overlap.
 *
 * @param tokenizer that of the model which is to translate; its target side
 * @throws OPTION_UNKNOWN, OPTION_INVALID; INPUT_INVALID where the tokenizer cannot spell a translation
 */
export async function constraintsFromTable(
  table: TranslationTable,
  text: string,
  tokenizer: Tokenizer,
  given: ConstraintOptions = {},
): Promise<TableConstraints> {
  requireTable(table);
  requireText(text, 'text');
  requireTokenizer(tokenizer);
  const options = readOptions(constraintOptionsSchema, given, 'constraints from a table');
  const phrases = findSure(table, text, options);
  const targets = phrases.flatMap(({ translations }) => translations.map(({ target }) => target));
  const tokensOf = await createTokenForms(tokenizer)(targets);
  const forceWordsIds = phrases.map(({ translations }) =>
    distinct(
      translations.flatMap(({ target }) =>
        (['spaced', 'initial'] as const).map((form) => [...tokensOf(target, form).ids]),
      ),
    ),
  );
  const beginnings = forceWordsIds.flat().flatMap((ids) => ids.map((_, at) => ids.slice(0, at + 1)));
  return {
    phrases,
    forceWordsIds,
    sequenceBias: distinct(beginnings).map((ids) => [ids, options.bias]),
  };
}

function distinct(lists: readonly number[][]): number[][] {
  return [...new Map(lists.map((ids) => [ids.join(), ids])).values()];
}

function findSure(
  table: TranslationTable,
  text: string,
  { minProbability, minAlternative, maxConstraints }: z.output<typeof constraintOptionsSchema>,
): SurePhrase[] {
  const words = splitIntoWords(text);
  const found: SurePhrase[] = [];
  for (let at = 0; at < words.length; ) {
    let length = Math.min(table.longestSource, words.length - at);
    for (; length >= 1; length--) {
      const some = words.slice(at, at + length);
      const ngram = some.map((word) => word.text).join(' ');
      const source = table.has(ngram) ? ngram : ngram.toLowerCase();
      const translations = table.get(source);
      if (!(translations[0]?.probability >= minProbability) || !/[\p{L}\p{N}]/u.test(source)) continue;
      found.push({
        source,
        start: some[0].start,
        end: some[length - 1].end,
        translations: translations.filter(
          ({ probability }, rank) => rank === 0 || probability >= minAlternative,
        ),
      });
      break;
    }
    at += Math.max(1, length);
  }
  const surest = [...found]
    .sort((a, b) => b.translations[0].probability - a.translations[0].probability)
    .slice(0, maxConstraints);
  return found.filter((phrase) => surest.includes(phrase));
}
